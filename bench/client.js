import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { createClient } from "../dist/client/index.js";
import { encodeResponse } from "../dist/protocol/index.js";
import { memorySocket } from "./memory-socket.js";
import { comparePairs } from "./pairs.js";

const records = 10_000;

/**
 * The size of a page's code: minified, in kB (1,000 bytes) of gzip level 9. `first` is what has to be there before
 * anything runs, `all` that and what is loaded when it is needed.
 */
async function sizeOf(code) {
  // Below the project, so that the package's name means this package.
  const entry = fileURLToPath(new URL("../dist/.bench-entry.js", import.meta.url));
  writeFileSync(entry, code);
  const [built] = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: true,
      target: "es2023",
      // A library: without what Vite adds to a page for its own preloading.
      lib: { entry, formats: ["es"] },
      // Vite leaves white space in ES libraries; a page has none.
      // And a page's entry may hold what its other chunks share, since nobody imports the entry but they.
      rolldownOptions: {
        external: [/^react/],
        output: { minify: true },
        preserveEntrySignatures: "allow-extension",
      },
    },
  });
  rmSync(entry);
  const chunks = new Map(built.output.map((chunk) => [chunk.fileName, chunk]));
  const first = new Set();
  const add = (name) => {
    const chunk = chunks.get(name);
    if (!chunk || first.has(chunk)) return;
    first.add(chunk);
    for (const one of chunk.imports) add(one);
  };
  add(built.output.find(({ isEntry }) => isEntry).fileName);
  // As one file, which is how a page gets it.
  const kB = (some) => gzipSync([...some].map(({ code: text }) => text).join("\n"), { level: 9 }).length / 1000;
  return { first: kB(first), all: kB(built.output.filter(({ type }) => type === "chunk")) };
}

const client = 'export { createClient } from "rocket-rest/client";';
const hooks = `${client} export * from "rocket-rest/react";`;
const peers = {
  "socket.io-client": 'export { io } from "socket.io-client";',
  pocketbase: 'export { default } from "pocketbase";',
  "@supabase/realtime-js": 'export { RealtimeClient } from "@supabase/realtime-js";',
};

/** A size is what it is: measured once, with no spread. */
function sizeRow(name, a, b, goal) {
  return { name, ratio: a / b, goal, low: a / b, high: a / b, pairs: 1, a, b, unit: "kB gzip" };
}

function artist(id, formed) {
  return { id, url: `/artists/${id}`, name: `Artist ${id}`, country: "Iceland", genre: "post-rock", formed };
}

const initial = encodeResponse({
  status: 200,
  fields: [
    ["Content-Type", "application/json"],
    ["Items", 'list="/artists", record="/artist", url="/artists/{id}"'],
    ["Item-Order", "id.asc"],
    ["Event-ID", "bench:1.1"],
    ["Subscription", "/artists"],
    ["Request-ID", "1"],
  ],
  body: JSON.stringify({ artists: Array.from({ length: records }, (_, id) => artist(id, 1990)) }),
});
const bookmark = encodeResponse({
  status: 304,
  fields: [
    ["Event-ID", "bench:1.1"],
    ["Subscription", "/artists"],
  ],
});

/** One change of each record, each a transaction of its own, in a shuffled order. */
const changes = Array.from({ length: records }, (_, at) => {
  const id = (at * 7_919) % records;
  return encodeResponse({
    status: 202,
    fields: [
      ["Content-Type", "application/json"],
      ["Content-Location", `/artists/${id}`],
      ["ETag", `"${at.toString(36)}"`],
      ["Event-ID", `bench:${at + 2}.1`],
      ["Subscription", "/artists"],
    ],
    body: JSON.stringify({ artist: artist(id, 1991) }),
  });
});

const MemorySocket = memorySocket([initial, bookmark]);

/** Microseconds for each notification in a live collection, whose snapshot is looked at `looks` times on the way. */
async function applyToCollection(looks) {
  const live = createClient("http://127.0.0.1", { WebSocket: MemorySocket, fetch: async () => new Response("{}") });
  const collection = live.collection("/artists");
  const stop = collection.subscribe(() => {});
  await collection.ready();
  const each = records / looks;
  const start = process.hrtime.bigint();
  for (let at = 0; at < records; at += 1) {
    MemorySocket.last.onmessage({ data: changes[at] });
    if ((at + 1) % each === 0) collection.getSnapshot();
  }
  const us = Number(process.hrtime.bigint() - start) / 1000 / records;
  const { rows } = collection.getSnapshot();
  if (rows.length !== records || rows.some(({ id, formed }, at) => id !== at || formed !== 1991)) {
    throw new Error("The collection is not what was sent.");
  }
  stop();
  live.close();
  return us;
}

/** The same in the least code that does something: a split, a JSON.parse, a Map; the list is made anew for each look. */
function applyToMap(looks) {
  const artists = new Map(Array.from({ length: records }, (_, id) => [`/artists/${id}`, artist(id, 1990)]));
  const each = records / looks;
  const start = process.hrtime.bigint();
  for (let at = 0; at < records; at += 1) {
    const [head, body] = changes[at].split("\r\n\r\n");
    const url = /^Content-Location: (.*)$/m.exec(head)[1];
    artists.set(url, JSON.parse(body).artist);
    if ((at + 1) % each === 0) [...artists.values()];
  }
  return Number(process.hrtime.bigint() - start) / 1000 / records;
}

async function applyRow(name, a, b, pairs, progress) {
  const row = { ...(await comparePairs({ name, a, b, pairs })), unit: "µs per notification" };
  progress?.(row);
  return row;
}

/**
 * What the client weighs in a page beside others' of the same day, and what it costs to apply 10,000 notifications to a
 * collection of 10,000 records.
 */
export async function run({ pairs = 15, progress } = {}) {
  const own = await sizeOf(client);
  const rows = [
    sizeRow("size of the client: first / goal of 9 kB", own.first, 9, 1),
    sizeRow("size of the client: all / first", own.all, own.first),
    sizeRow("size with React hooks: first / goal of 10 kB", (await sizeOf(hooks)).first, 10, 1),
  ];
  for (const [name, code] of Object.entries(peers)) {
    rows.push(sizeRow(`size: client, first / ${name}`, own.first, (await sizeOf(code)).all));
  }
  for (const row of rows) progress?.(row);
  const map = () => applyToMap(100);
  rows.push(await applyRow("control: a Map, twice", map, map, pairs, progress));
  for (const looks of [1, 100, records]) {
    const name = `10,000 notifications, ${looks.toLocaleString("en")} looks: collection / Map`;
    rows.push(
      await applyRow(
        name,
        () => applyToCollection(looks),
        () => applyToMap(looks),
        pairs,
        progress,
      ),
    );
  }
  return rows;
}
