import { Window } from "happy-dom";
import { createElement, memo, useEffect, useState } from "react";
import { createClient } from "../dist/client/index.js";
import { encodeResponse } from "../dist/protocol/index.js";
import { RocketProvider, useCollection } from "../dist/react/index.js";
import { memorySocket } from "./memory-socket.js";
import { comparePairs } from "./pairs.js";

const rows = 1_000;
const fields = [["Content-Type", "application/json"]];

function song(id, plays) {
  return { id, url: `/songs/${id}`, title: `Song ${id}`, plays };
}

const list = JSON.stringify({ songs: Array.from({ length: rows }, (_, id) => song(id, 0)) });
const opening = encodeResponse({
  status: 200,
  fields: [
    ...fields,
    ["Items", 'list="/songs", record="/song", url="/songs/{id}"'],
    ["Item-Order", "id.asc"],
    ["Event-ID", "bench:1.1"],
    ["Subscription", "/songs"],
    ["Request-ID", "1"],
  ],
  body: list,
});

/** One row changes in each message, or all rows in one transaction. */
function change(id, plays, eventId) {
  const position = eventId === undefined ? [] : [["Event-ID", eventId]];
  return encodeResponse({
    status: 202,
    fields: [...fields, ["Content-Location", `/songs/${id}`], ...position, ["Subscription", "/songs"]],
    body: JSON.stringify({ song: song(id, plays) }),
  });
}

const MemorySocket = memorySocket([opening]);

const Row = memo(({ title, plays }) => createElement("li", null, title, ": ", plays));

function Live() {
  const { rows: songs } = useCollection("/songs");
  return createElement(
    "ul",
    null,
    songs.map((one) => createElement(Row, { key: one.url, title: one.title, plays: one.plays })),
  );
}

/** What one writes by hand: a Map, and a new array for the state whenever a message comes. */
function ByHand() {
  const [songs, setSongs] = useState([]);
  useEffect(() => {
    const byUrl = new Map();
    ByHand.take = (text) => {
      const [head, body] = text.split("\r\n\r\n");
      const read = JSON.parse(body);
      if (read.songs) for (const one of read.songs) byUrl.set(one.url, one);
      else byUrl.set(/^Content-Location: (.*)$/m.exec(head)[1], read.song);
      setSongs([...byUrl.values()]);
    };
    ByHand.take(opening);
  }, []);
  return createElement(
    "ul",
    null,
    songs.map((one) => createElement(Row, { key: one.url, title: one.title, plays: one.plays })),
  );
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Renders a list, then changes it `rounds` times, each shown before the next; milliseconds for each change. */
async function render({ createRoot, flushSync }, element, take, messagesOf, rounds) {
  const host = document.createElement("div");
  const root = createRoot(host);
  flushSync(() => root.render(element));
  for (let tries = 0; host.querySelectorAll("li").length < rows && tries < 1_000; tries += 1) await turn();
  const start = process.hrtime.bigint();
  for (let round = 1; round <= rounds; round += 1) {
    const messages = messagesOf(round);
    flushSync(() => {
      for (const message of messages) take(message);
    });
  }
  const ms = Number(process.hrtime.bigint() - start) / 1e6 / rounds;
  await turn();
  const shown = host.textContent;
  root.unmount();
  if (!shown.includes(`: ${rounds}`)) throw new Error("The last change is not shown.");
  return ms;
}

/** What it costs until 1,000 rows in React show a change: `useCollection` beside state that is kept by hand. */
export async function run({ pairs = 15, progress } = {}) {
  const window = new Window();
  Object.assign(globalThis, { window, document: window.document });
  const dom = { ...(await import("react-dom/client")), ...(await import("react-dom")) };
  const one = (round) => [change((round * 37) % rows, round, `bench:${round + 1}.1`)];
  const all = (round) =>
    Array.from({ length: rows }, (_, id) => change(id, round, id === rows - 1 ? `bench:${round + 1}.1` : undefined));
  const live = async (messagesOf, rounds) => {
    const client = createClient("http://127.0.0.1", { WebSocket: MemorySocket, tabs: false });
    const element = createElement(RocketProvider, { client }, createElement(Live));
    const ms = await render(dom, element, (text) => MemorySocket.last.onmessage({ data: text }), messagesOf, rounds);
    client.close();
    return ms;
  };
  const byHand = (messagesOf, rounds) =>
    render(dom, createElement(ByHand), (text) => ByHand.take(text), messagesOf, rounds);
  const compare = async (name, a, b) => {
    const row = { ...(await comparePairs({ name, a, b, pairs })), unit: "ms per change" };
    progress?.(row);
    return row;
  };
  return [
    await compare(
      "control: 1,000 rows, one changes, by hand, twice",
      () => byHand(one, 50),
      () => byHand(one, 50),
    ),
    await compare(
      "1,000 rows, one changes: useCollection / by hand",
      () => live(one, 50),
      () => byHand(one, 50),
    ),
    await compare(
      "1,000 rows, all change: useCollection / by hand",
      () => live(all, 5),
      () => byHand(all, 5),
    ),
  ];
}
