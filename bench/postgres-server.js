import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { RequestConnection, requestBytes } from "./load-writer.js";

/** A server's process over a database: Rocket's, or an app with Express and pg. */
export class PostgresServer {
  #process;
  #sockets = [];

  /** @param kind - `rocket` or `express` */
  constructor(kind, url) {
    this.#process = fork(fileURLToPath(new URL("postgres-child.js", import.meta.url)), [kind, url]);
  }

  async start() {
    const [{ port }] = await once(this.#process, "message");
    this.port = port;
    return this;
  }

  /** Runs `task` on eight connections at once, which are made for it: a server closes those that are not used for a while. */
  async #withConnections(task) {
    const connections = Array.from({ length: 8 }, () => new RequestConnection(this.port));
    await Promise.all(connections.map((connection) => connection.opened()));
    const started = performance.now();
    await Promise.all(connections.map((connection) => task(connection, started)));
    for (const connection of connections) connection.close();
    return performance.now() - started;
  }

  /** Microseconds for a request, with each connection asking again as soon as it is answered. */
  async microsPerRequest(request, forMs) {
    let count = 0;
    const took = await this.#withConnections(async (connection, started) => {
      while (performance.now() - started < forMs) {
        await connection.ask(request());
        count += 1;
      }
    });
    return (took * 1000) / count;
  }

  /** Opens subscriptions to a URL; all are caught up when this resolves. @param onMessage - told of each message's text */
  async follow(path, count, onMessage) {
    for (let left = count; left > 0; left -= 1) {
      const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, ["rocket.v1"], { perMessageDeflate: false });
      let messages = 0;
      await new Promise((resolve, reject) => {
        socket.on("error", reject);
        socket.on("message", (data) => {
          messages += 1;
          // The opening, and the mark behind it.
          if (messages === 2) resolve();
          else if (messages > 2) onMessage(data.toString("latin1"));
        });
      });
      this.#sockets.push(socket);
    }
  }

  /** Sends PATCHes, so many a second; gives when each was sent and answered, by the value that it writes. */
  async write({ count, perSecond, from }) {
    const times = new Map();
    let next = 0;
    await this.#withConnections(async (connection, started) => {
      while (next < count) {
        const nth = next;
        next += 1;
        const wait = started + (nth * 1000) / perSecond - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        const sent = performance.now();
        await connection.ask(requestBytes("PATCH", `/songs/${1 + (nth % 1000)}`, `{"plays":${from + nth}}`));
        times.set(from + nth, { sent, answered: performance.now() });
      }
    });
    return times;
  }

  stop() {
    for (const socket of this.#sockets) socket.terminate();
    this.#process.disconnect();
    return once(this.#process, "exit");
  }
}
