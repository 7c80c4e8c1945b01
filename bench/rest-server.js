import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { RequestConnection } from "./load-writer.js";

/** Further options of Node for the servers, as those of child.js. */
const execArgv = process.env.BENCH_NODE_ARGS?.split(" ") ?? [];

/** A server's process over a database. */
export class RestServer {
  #kind;
  #path;
  #process;
  #requests = 0;

  /** @param kind - see rest-child.js @param path - its database's path or URL */
  constructor(kind, path) {
    this.#kind = kind;
    this.#path = path;
  }

  async start() {
    const program = fileURLToPath(new URL("rest-child.js", import.meta.url));
    this.#process = fork(program, [this.#kind, this.#path], { execArgv });
    const [{ port }] = await once(this.#process, "message");
    this.port = port;
    return this;
  }

  /** Runs `task` on so many connections at once, which are made for it: a server closes those that are not used for a while. */
  async withConnections(count, task) {
    const connections = Array.from({ length: count }, () => new RequestConnection(this.port));
    await Promise.all(connections.map((connection) => connection.opened()));
    try {
      return await task(connections);
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  /**
   * Has so many clients ask for a while, each again as soon as it is answered.
   *
   * @param most - after so many requests it is over sooner
   * @returns microseconds for a request, and the server's CPU time for it
   */
  perRequest(clients, request, forMs, most = Number.POSITIVE_INFINITY) {
    return this.withConnections(clients, async (connections) => {
      let count = 0;
      const cpuBefore = await this.cpuMicros();
      const started = performance.now();
      await Promise.all(
        connections.map(async (connection) => {
          while (performance.now() - started < forMs && count < most) {
            await connection.ask(request());
            count += 1;
          }
        }),
      );
      const took = performance.now() - started;
      return { micros: (took * 1000) / count, cpuMicros: ((await this.cpuMicros()) - cpuBefore) / count };
    });
  }

  /** Its CPU time until now. */
  async cpuMicros() {
    const request = ++this.#requests;
    this.#process.send({ request });
    const [{ user, system }] = await once(this.#process, "message");
    return user + system;
  }

  stop() {
    this.#process.disconnect();
    return once(this.#process, "exit");
  }
}
