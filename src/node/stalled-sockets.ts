import type { Server } from "node:http";
import type { Socket } from "node:net";
import { type Clock, type Hub, StallWatch, systemClock } from "../server/index.ts";
import { connectionEvent } from "./connection-event.ts";
import { takenBytes } from "./taken-bytes.ts";

const lookMs = 1_000;

/** Drops a server's connections that take nothing of their answers, whatever they are used for [R-SEC-5]. */
export class StalledSockets {
  readonly #clock: Clock;
  readonly #watch: StallWatch<Socket>;
  readonly #sockets: Set<Socket> = new Set();
  #cancel: () => void;

  constructor(server: Server, { limits, held }: Pick<Hub, "limits" | "held">, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#watch = new StallWatch(clock, limits.stallTimeoutMs, held);
    server.on(connectionEvent(server), (socket: Socket) => this.#add(socket));
    this.#cancel = this.#next();
  }

  stop(): void {
    this.#cancel();
  }

  #add(socket: Socket): void {
    // A socket that comes back from an upgrade is the same one.
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #next(): () => void {
    return this.#clock.setTimer(() => {
      this.#cancel = this.#next();
      for (const socket of this.#sockets) {
        const { writableLength } = socket;
        if (this.#watch.look(socket, writableLength, writableLength === 0 ? 0 : takenBytes(socket))) socket.destroy();
      }
    }, lookMs);
  }
}
