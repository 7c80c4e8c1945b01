import { WebSocket } from "ws";
import {
  decodeResponse,
  encodeRequest,
  type Field,
  fieldValue,
  type HttpResponse,
} from "../../../src/protocol/index.ts";
import { Replica } from "../../../src/testing/index.ts";
import { atEnd } from "./cleanup.ts";

export interface FollowOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further options of ws: certificates. */
  readonly tls?: Readonly<Record<string, unknown>>;
}

/** A client of one WebSocket: its messages, and what it knows of the handshake's view. */
export class Follower {
  readonly socket: WebSocket;
  readonly messages: HttpResponse[] = [];
  readonly texts: string[] = [];
  readonly replica: Replica;
  /** Resolves with the code once it is closed. */
  readonly closed: Promise<number>;
  /** Resolves once it is open; rejects with the status where the handshake is refused. */
  readonly opened: Promise<void>;
  readonly #waiting: Set<() => void> = new Set();
  #requests = 0;

  constructor(url: string, options: FollowOptions) {
    const { protocols = ["rocket.v1"], headers = {}, tls = {} } = options;
    this.replica = new Replica(new URL(url).pathname);
    this.socket = new WebSocket(url, [...protocols], { headers, perMessageDeflate: false, ...tls });
    const { socket } = this;
    atEnd(() => socket.terminate());
    this.closed = new Promise((resolve) => socket.on("close", (code) => resolve(code)));
    this.opened = new Promise((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
      socket.on("unexpected-response", (_request, response) => {
        response.resume();
        reject(new Error(`refused with ${response.statusCode}`));
      });
    });
    this.opened.catch(() => {});
    socket.on("message", (data: Buffer) => this.#take(data.toString()));
  }

  /** Resolves with what `find` gives, once that is something. */
  until<Found>(find: (follower: this) => Found | undefined | false): Promise<Found> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find(this);
        if (found === undefined || found === false) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with the first message that has this status. */
  status(status: number): Promise<HttpResponse> {
    return this.until(({ messages }) => messages.find((message) => message.status === status));
  }

  /** Resolves once it is caught up. */
  async ready(): Promise<this> {
    await this.opened;
    await this.until(({ replica }) => replica.isCaughtUp);
    return this;
  }

  /** Resolves once the document's rows, in their order, are these. */
  rows(expected: readonly unknown[]): Promise<boolean> {
    const wanted = JSON.stringify(expected);
    return this.until(() => JSON.stringify(this.list) === wanted);
  }

  /** The rows of the document, as the replica has them. */
  get list(): unknown[] {
    const { order, records } = this.replica;
    return order.map((url) => JSON.parse(records.get(url) ?? "null"));
  }

  /** Sends a request in band; resolves with its answer. */
  request(method: string, target: string, fields: readonly Field[] = []): Promise<HttpResponse> {
    this.#requests += 1;
    const id = `r${this.#requests}`;
    this.socket.send(encodeRequest({ method, target, fields: [["Request-ID", id], ...fields] }));
    return this.until(({ messages }) => messages.find((message) => fieldValue(message.fields, "request-id") === id));
  }

  #take(text: string): void {
    const message = decodeResponse(text);
    this.texts.push(text);
    this.messages.push(message);
    const isOwn = ["subscription", "request-id"].every((name) => fieldValue(message.fields, name) === undefined);
    if (isOwn) this.replica.take(message);
    for (const look of this.#waiting) look();
  }
}
