import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How clients of each kind of server shake hands. */
const handshakes = {
  rocket: { path: "/songs", subprotocol: "rocket.v1", readyFrames: 2 },
  frames: { path: "/songs", readyFrames: 0 },
  ws: { path: "/songs", readyFrames: 0 },
  "socket-io": { path: "/socket.io/?EIO=4&transport=websocket", readyFrames: 2, isEngine: true },
};

/** Further options of Node for the children: `--cpu-prof` to see where a server's time goes. */
const nodeArgs = process.env.BENCH_NODE_ARGS?.split(" ") ?? [];

/** A child process that answers each request with one message. */
export class Child {
  #process;
  #waiting = new Map();
  #requests = 0;

  constructor(file, ...args) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      execArgv: ["--expose-gc", ...nodeArgs],
    });
    this.#process.on("message", ({ request, error, ...answer }) => {
      const { resolve, reject } = this.#waiting.get(request) ?? {};
      this.#waiting.delete(request);
      if (error) reject?.(new Error(error));
      else resolve?.(answer);
    });
    this.#process.on("exit", (code, signal) => {
      const error = new Error(`${file} ${args.join(" ")} ended with ${signal ?? code}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  /** The message that the child sends by itself once it stands. */
  started() {
    return new Promise((resolve, reject) => this.#waiting.set(undefined, { resolve, reject }));
  }

  ask(action, options = {}) {
    const request = ++this.#requests;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#process.send({ request, action, ...options });
    });
  }

  stop() {
    this.#process.disconnect();
  }
}

/** The load generator's process. */
export class Load extends Child {
  constructor() {
    super("./load.js");
  }
}

/** A server's process and the connections to it. */
export class Server extends Child {
  static #count = 0;
  #id = ++Server.#count;
  #kind;
  #load;
  #ports;
  #connections = 0;

  /** @param kind - which server-<kind>.js */
  constructor(kind, load) {
    super("./server.js", kind);
    this.#kind = kind;
    this.#load = load;
    this.#ports = this.started();
  }

  /** Opens `count` connections to it; they stand when this resolves. */
  async open(count) {
    const ports = await this.#ports;
    await this.#load.ask("open", { id: this.#id, count, ...ports, ...handshakes[this.#kind] });
    this.#connections = count;
  }

  /** CPU time of the server in microseconds per delivery, over so many rounds of so many changes in one tick each. */
  async cpuPerDelivery({ rounds, changes }) {
    const deliveries = this.#connections * changes;
    await this.#load.ask("expect", { id: this.#id, deliveries });
    const { cpuMicros } = await this.ask("run", { rounds, changes });
    return cpuMicros / (deliveries * rounds);
  }

  /** What `process.memoryUsage()` gives after all garbage is collected. */
  async memory() {
    await this.#ports;
    return this.ask("memory");
  }

  async close() {
    if (this.#connections > 0) await this.#load.ask("close", { id: this.#id });
    this.stop();
  }
}
