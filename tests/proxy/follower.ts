import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { decodeResponse, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";

/** A WebSocket and what came over it. */
export class Follower {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  /** The close code; the HTTP status where the handshake was refused. */
  readonly closed: Promise<number>;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(url: string, protocols: readonly string[] = [], headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url.replace("http", "ws"), [...protocols], { headers, perMessageDeflate: false });
    this.socket.on("message", (data) => {
      this.messages.push(String(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("unexpected-response", (_, response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      this.socket.on("close", resolve);
    });
    this.socket.on("error", () => {});
    void this.closed.then(() => {
      this.#isClosed = true;
      this.#wake();
    });
    onTestFinished(() => this.socket.terminate());
  }

  async opened(): Promise<this> {
    await new Promise((resolve) => this.socket.once("open", resolve));
    return this;
  }

  /** The first `count` messages. @throws Error where the connection closes before they came */
  async first(count: number): Promise<readonly string[]> {
    while (this.messages.length < count) {
      if (this.#isClosed) throw new Error(`Closed after ${JSON.stringify(this.messages)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.messages.slice(0, count);
  }

  /** The first `count` messages but bookmarks, in short: `201 /notes/3 {"id":3}`. */
  async notifications(count: number): Promise<readonly string[]> {
    for (let seen = 1; ; seen += 1) {
      const found = (await this.first(seen)).map(read).filter(({ status }) => status !== 304);
      if (found.length >= count) return found.slice(0, count).map(shorten);
    }
  }

  /** Waits until the subscription is caught up: the first 304 after the opening. */
  async caughtUp(): Promise<this> {
    await this.first(2);
    return this;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function read(message: string): HttpResponse {
  return decodeResponse(message);
}

function shorten({ status, fields, body }: HttpResponse): string {
  return [status, fieldValue(fields, "content-location"), body]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}
