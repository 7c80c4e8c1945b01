import { setTimeout as wait } from "node:timers/promises";
import { Child } from "./child.js";

const handshakes = {
  rocket: { subprotocol: "rocket.v1", readyFrames: 2 },
  "socket-io": { path: "/socket.io/?EIO=4&transport=websocket", readyFrames: 2, isEngine: true },
};
/** Long enough for what opening left to be done, and for looks again. */
const settleMs = 500;

/** A server of the attach bench and the connections to it. */
export class AttachServer extends Child {
  static #count = 0;
  #id = `attach-${++AttachServer.#count}`;
  #kind;
  #load;
  #started;

  /** @param kind - what attach-server.js knows @param size - of its rows: `listed` or `whole` */
  constructor(kind, rows, load, size = "whole") {
    super("./attach-server.js", kind, String(rows), size);
    this.#kind = kind;
    this.#load = load;
    this.#started = this.started();
  }

  async port() {
    return (await this.#started).port;
  }

  /** Opens `count` connections that follow `path`. @param cookies - `own`, `none`, or all the same */
  async open(count, path, cookies) {
    const handshake = handshakes[this.#kind.startsWith("socket-io") ? "socket-io" : "rocket"];
    const port = await this.port();
    await this.#load.ask("open", { id: this.#id, path, count, cookies, port, ...handshake });
    await wait(settleMs);
    return this;
  }

  /** Times in milliseconds from sending a write to the last of `deliveries`. */
  async write(options) {
    return (await this.#load.ask("write", { id: this.#id, ...options })).millis;
  }

  burst(options) {
    return this.#load.ask("burst", { id: this.#id, ...options });
  }

  async close() {
    await this.#load.ask("close", { id: this.#id });
    this.stop();
  }
}
