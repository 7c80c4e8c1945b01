import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createPages } from "node:http";
import { connect, createServer as createFront } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import chromium from "@sparticuz/chromium";
import Database from "better-sqlite3";
import { chromium as browsers } from "playwright-core";
import { build } from "vite";
import { createServer } from "../dist/node/index.js";
import { createScaffold } from "../dist/scaffold/index.js";
import { comparePairs } from "./pairs.js";

/** How long the way to the server is, there and back. */
const roundTripsMs = [0, 40];

/** What closes when the suite is over, the last first. */
const ends = [];

function listen(server) {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

/** A site of ten records, with what came to it: connections, requests over HTTP, and preflights among them. */
async function startSite(pages) {
  const folder = mkdtempSync(join(tmpdir(), "rocket-bench-page-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "records.db");
  const database = new Database(path);
  database.exec("CREATE TABLE records (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  for (let id = 1; id <= 10; id += 1) database.prepare("INSERT INTO records VALUES (?, ?)").run(id, `text ${id}`);
  database.close();
  const scaffold = await createScaffold({ path });
  ends.push(() => scaffold.close());
  const rocket = createServer({ ...scaffold, allowOrigins: [pages], drainMs: 0 });
  ends.push(() => rocket.close());
  const counts = { connections: 0, requests: 0, preflights: 0 };
  rocket.server.on("connection", () => {
    counts.connections += 1;
  });
  rocket.server.prependListener("request", ({ method }) => {
    counts.requests += 1;
    if (method === "OPTIONS") counts.preflights += 1;
  });
  const { port } = await rocket.listen(0);
  return { port, counts };
}

/** Passes on what comes, half a round trip later; a connection has to shake hands first, which is one more. */
async function startWay(port, roundTripMs) {
  if (roundTripMs === 0) return port;
  const front = createFront((socket) => {
    const upstream = connect(port, "127.0.0.1");
    const pass = (from, to, ms) => {
      const opened = performance.now();
      from.on("data", (bytes) => {
        const handshakeMs = to === upstream ? Math.max(0, roundTripMs - (performance.now() - opened)) : 0;
        setTimeout(() => to.write(bytes), handshakeMs + ms);
      });
      from.on("close", () => setTimeout(() => to.destroy(), ms));
      from.on("error", () => {});
    };
    pass(socket, upstream, roundTripMs / 2);
    pass(upstream, socket, roundTripMs / 2);
  });
  ends.push(() => front.close());
  return listen(front);
}

/** A page of another origin than the site's, with the client in it, as bundlers make it. */
async function startPages() {
  const entry = fileURLToPath(new URL("../dist/client/index.js", import.meta.url));
  const [{ output }] = await build({
    configFile: false,
    logLevel: "silent",
    root: dirname(entry),
    build: { write: false, target: "es2023", lib: { entry, formats: ["es"], fileName: "client" } },
  });
  const files = new Map(output.map(({ fileName, code }) => [`/${fileName}`, code]));
  const html = `<script type="module">import { createClient } from "./${output[0].fileName}"; globalThis.createClient = createClient;</script>`;
  const server = createPages(({ url }, response) => {
    response.setHeader("Content-Type", files.has(url) ? "text/javascript" : "text/html");
    response.end(files.get(url) ?? html);
  });
  ends.push(() => server.close());
  return `http://127.0.0.1:${await listen(server)}`;
}

/** In the page: follows the list, loads ten records, writes one. Gives how long that took, in milliseconds. */
async function use({ url, requests, text }) {
  const start = performance.now();
  const client = globalThis.createClient(url, { requests, token: "secret", tabs: false });
  client.collection("/records").subscribe(() => {});
  const load = async (id) => (await client.fetch(`/records/${id}`)).json();
  const loaded = await Promise.all(Array.from({ length: 10 }, (_, at) => load(at + 1)));
  if (loaded.some(({ record }) => !record.text)) throw new Error("a record is missing");
  const written = await client.record("/records/7").update({ text });
  if (written.text !== text) throw new Error("nothing was written");
  const ms = performance.now() - start;
  client.close();
  return ms;
}

/** Loads the page in a window of its own, which has no connections and remembers no preflights. */
function visitor(browser, pages, port, counts) {
  const one = { text: 0 };
  return async (requests) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(pages);
    await page.waitForFunction(() => globalThis.createClient !== undefined);
    Object.assign(counts, { connections: 0, requests: 0, preflights: 0 });
    one.text += 1;
    const ms = await page.evaluate(use, { url: `http://127.0.0.1:${port}`, requests, text: `text ${one.text}` });
    const seen = { ...counts };
    await context.close();
    return { ms, ...seen };
  };
}

/**
 * A page of another origin, with a token, that follows a list, loads ten records and writes one: over one socket, and with
 * its requests over HTTP, in Chromium.
 */
export async function run({ pairs = 15, progress }) {
  const rows = [];
  const add = (row) => {
    rows.push(row);
    progress(row);
  };
  const executablePath = process.env.ROCKET_CHROMIUM ?? (await chromium.executablePath());
  const browser = await browsers.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  ends.push(() => browser.close());
  try {
    const pages = await startPages();
    const { port, counts } = await startSite(pages);
    for (const roundTripMs of roundTripsMs) {
      const visit = visitor(browser, pages, await startWay(port, roundTripMs), counts);
      if (roundTripMs === 0) {
        const [inBand, overHttp] = [await visit("socket"), await visit("http")];
        for (const unit of ["connections", "requests", "preflights"]) {
          const [a, b] = [inBand[unit], overHttp[unit]];
          const [ratio, name] = [a / b, `${unit} of a page, ten records and a write: socket / HTTP`];
          add({ name, ratio, low: ratio, high: ratio, pairs: 1, a, b, unit });
        }
      }
      const compare = async (name, one, other) => {
        const [a, b] = [one, other].map((requests) => async () => (await visit(requests)).ms);
        add({ ...(await comparePairs({ name, pairs, a, b })), unit: "ms" });
      };
      const way = `${roundTripMs} ms away`;
      await compare(`control, ten records and a write, ${way}: HTTP, twice`, "http", "http");
      await compare(`ten records and a write, ${way}: socket / HTTP`, "socket", "http");
    }
  } finally {
    for (const end of ends.reverse()) await end();
  }
  return rows;
}
