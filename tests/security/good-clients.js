// The clients that must not notice an attack: `node good-clients.js URL`, with an IPC channel. Each has a connection for
// GETs and a WebSocket on which it subscribes and unsubscribes; it asks every 50 ms.
import { Agent, get } from "node:http";
import { WebSocket } from "ws";

const [url = "", path = ""] = process.argv.slice(2);
const clients = 20;
const pauseMs = 50;
let took = [];
let failures = [];

function getOnce(agent) {
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, { agent }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    request.on("error", (error) => {
      // An idle connection may be closed just when it is used again (RFC 9112 §9.3.1).
      if (request.reusedSocket && error.code === "ECONNRESET") getOnce(agent).then(resolve, reject);
      else reject(error);
    });
  });
}

class Follower {
  #socket = new WebSocket(`${url.replace("http", "ws")}/.well-known/rocket`, ["rocket.v1"]);
  #id = 0;
  #answered = new Map();

  async open() {
    this.#socket.on("message", (data) => {
      const head = String(data);
      const id = /^Request-ID: (\S+)/im.exec(head)?.[1];
      this.#answered.get(id)?.(head.slice(9, 12));
      this.#answered.delete(id);
    });
    await new Promise((resolve, reject) => this.#socket.on("open", resolve).on("error", reject));
    this.#socket.on("close", (code) => failures.push(`closed with ${code}`));
  }

  async ask(method) {
    this.#id += 1;
    const id = String(this.#id);
    const status = new Promise((resolve) => this.#answered.set(id, resolve));
    this.#socket.send(`${method} ${path} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`);
    const got = await status;
    if (got !== "200" && got !== "204") throw new Error(`${method}: ${got}`);
  }
}

async function timed(act) {
  const start = performance.now();
  try {
    await act();
  } catch (error) {
    failures.push(String(error));
  }
  took.push(performance.now() - start);
}

async function run() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const follower = new Follower();
  await follower.open();
  for (;;) {
    await timed(() => getOnce(agent));
    await timed(() => follower.ask("SUBSCRIBE"));
    await timed(() => follower.ask("UNSUBSCRIBE"));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

process.on("message", ({ id }) => {
  const sorted = took.sort((one, other) => one - other);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  process.send({ id, answer: { count: took.length, p99, failures: failures.slice(0, 5) } });
  took = [];
  failures = [];
});
process.on("disconnect", () => process.exit());
process.send({ started: true });
for (let client = 0; client < clients; client += 1) run().catch((error) => failures.push(String(error)));
