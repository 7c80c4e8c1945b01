import { WebSocket } from "ws";
import { requestBytes } from "./load-writer.js";
import { RestServer } from "./rest-server.js";

/** How many connections write. */
const writers = 8;

/** A server over a PostgreSQL database that is followed and written to: Rocket's (`rocket`), or an app with Express and pg. */
export class PostgresServer extends RestServer {
  #sockets = [];

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
    await this.withConnections(writers, async (connections) => {
      const started = performance.now();
      const write = async (connection) => {
        while (next < count) {
          const nth = next;
          next += 1;
          const wait = started + (nth * 1000) / perSecond - performance.now();
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
          const sent = performance.now();
          await connection.ask(requestBytes("PATCH", `/songs/${1 + (nth % 1000)}`, `{"plays":${from + nth}}`));
          times.set(from + nth, { sent, answered: performance.now() });
        }
      };
      await Promise.all(connections.map(write));
    });
    return times;
  }

  stop() {
    for (const socket of this.#sockets) socket.terminate();
    return super.stop();
  }
}
