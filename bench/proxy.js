import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { comparePairs } from "./pairs.js";

const clients = 32;

/** A process of the bench, with the port that it listens on. */
class Child {
  #process;

  constructor(...args) {
    this.#process = fork(fileURLToPath(new URL("proxy-child.js", import.meta.url)), args);
  }

  async start() {
    const [{ port }] = await once(this.#process, "message");
    this.port = port;
    return this;
  }

  /** CPU time so far in microseconds. */
  async cpu() {
    this.#process.send("cpu");
    const [{ user, system }] = await once(this.#process, "message");
    return user + system;
  }

  stop() {
    this.#process.disconnect();
  }
}

/** The length of the first whole answer; `undefined` while there is none. */
function answerLength(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  return end + 4 + Number(/^content-length: (\d+)/im.exec(text)?.[1]);
}

/** One client: sends the same request `count` times on one connection, each when the answer before is whole. */
function client(port, request, count) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let head = "";
    let length;
    let got = 0;
    let answers = 0;
    socket.on("error", reject);
    socket.on("close", () => (answers < count ? reject(new Error("A connection was closed.")) : resolve()));
    socket.on("data", (data) => {
      got += data.length;
      if (length === undefined) {
        head += data.toString("latin1");
        length = answerLength(head);
        if (length !== undefined && !head.startsWith("HTTP/1.1 200")) socket.destroy();
      }
      if (length === undefined || got < length) return;
      got = 0;
      answers += 1;
      if (answers < count) socket.write(request);
      else socket.destroy();
    });
  });
}

function bytes(method, path, size) {
  const body =
    size > 0 ? `Content-Type: application/json\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}` : "\r\n";
  const fields =
    "Accept: application/json\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\nCookie: session=0123456789\r\n";
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}${body}`);
}

const loads = [
  { name: "GET of 330 bytes", request: bytes("GET", "/small", 0), each: 150 },
  { name: "POST of 1 KiB", request: bytes("POST", "/small", 1024), each: 120 },
  { name: "GET of 1 MiB", request: bytes("GET", "/large", 0), each: 4 },
];

/** Microseconds of time, or of the proxy's CPU, for each request of a load. */
function cost(proxy, { request, each }, isCpu) {
  return async () => {
    const cpu = isCpu ? await proxy.cpu() : 0;
    const started = performance.now();
    await Promise.all(Array.from({ length: clients }, () => client(proxy.port, request, each)));
    const micros = isCpu ? (await proxy.cpu()) - cpu : (performance.now() - started) * 1_000;
    return micros / (clients * each);
  };
}

/** Requests through `rocket proxy` against the same through undici behind node:http, in a few lines. */
export async function run({ pairs = 15, progress }) {
  const api = await new Child("upstream").start();
  const url = `http://127.0.0.1:${api.port}`;
  const kinds = ["rocket", "plain", "plain"];
  const [rocket, plain, again] = await Promise.all(kinds.map((kind) => new Child(kind, url).start()));
  progress(`a proxy of Rocket and two plain ones, ${clients} connections each`);
  const rows = [];
  const add = async (row, unit) => {
    rows.push({ ...(await comparePairs({ pairs, warmups: 4, ...row })), goal: row.goal, unit });
    progress(rows.at(-1));
  };
  const [first] = loads;
  for (const load of loads) {
    await add({ name: `control: ${load.name}, plain, twice`, a: cost(again, load), b: cost(plain, load) }, "µs each");
    const name = `${load.name} / plain undici proxy`;
    await add({ name, a: cost(rocket, load), b: cost(plain, load), goal: 1.15 }, "µs each");
  }
  const name = `CPU of a ${first.name} / plain undici proxy`;
  await add({ name, a: cost(rocket, first, true), b: cost(plain, first, true) }, "µs CPU each");
  for (const child of [rocket, plain, again, api]) child.stop();
  return rows;
}
