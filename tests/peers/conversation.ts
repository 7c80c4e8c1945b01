import { onTestFinished } from "vitest";
import {
  type Body,
  decodeResponse,
  encodeRequest,
  type Field,
  fieldValue,
  type HttpResponse,
} from "../../src/protocol/index.ts";
import { Replica } from "../../src/testing/index.ts";
import type { Ears, Ending, PeerKind, Wire } from "./peer.ts";

/** How a peer is to open a URL. */
export interface OpenOptions {
  /** Default: Level 1. */
  readonly protocols?: readonly string[];
  readonly fields?: Readonly<Record<string, string>>;
}

/** What a peer opened, and all that it heard. */
export class Conversation implements Ears {
  readonly frames: Body[] = [];
  readonly messages: HttpResponse[] = [];
  readonly pongs: string[] = [];
  /** What it knows of the one view that it follows, at Level 1. */
  replica: Replica;
  protocol: string | undefined;
  ending: Ending | undefined;
  readonly #wire: Wire;
  readonly #waiting = new Set<() => void>();
  #requests = 0;

  constructor(peer: PeerKind, url: string, options: OpenOptions = {}) {
    const { protocols = ["rocket.v1"], fields = {} } = options;
    this.replica = new Replica(new URL(url).pathname);
    this.#wire = peer.open({ url, protocols, fields }, this);
    onTestFinished(() => {
      this.#wire.drop();
    });
  }

  opened(protocol: string): void {
    this.protocol = protocol;
    this.#look();
  }

  received(data: Body): void {
    const message = decodeResponse(data);
    this.frames.push(data);
    this.messages.push(message);
    // Whoever follows one view in band takes its messages as the handshake's.
    const isAnswer = fieldValue(message.fields, "request-id") !== undefined;
    const isOpening = isAnswer && fieldValue(message.fields, "subscription") !== undefined && message.status !== 204;
    if (this.protocol !== "" && (!isAnswer || isOpening)) this.replica.take(message);
    this.#look();
  }

  ponged(data: string): void {
    this.pongs.push(data);
    this.#look();
  }

  ended(ending: Ending): void {
    this.ending ??= ending;
    this.#look();
  }

  /** Resolves with what `find` gives, once that is something. @throws Error where the connection ends before */
  until<Found>(find: (conversation: this) => Found | undefined | false): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(this);
        if ((found === undefined || found === false) && this.ending === undefined) return;
        this.#waiting.delete(look);
        if (found !== undefined && found !== false) resolve(found);
        else
          reject(
            new Error(`It ended with ${JSON.stringify(this.ending)} after: ${this.frames.map(String).join("\n")}`),
          );
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves once it is open, with the subprotocol. */
  async open(): Promise<string> {
    return (await this.until(({ protocol }) => protocol !== undefined && { protocol })).protocol;
  }

  /** Resolves once it has ended. */
  end(): Promise<Ending> {
    return this.until(({ ending }) => ending);
  }

  /** Resolves once the view is caught up. */
  async caughtUp(): Promise<this> {
    await this.until(({ replica }) => replica.isCaughtUp);
    return this;
  }

  /** Resolves with the first message about a record. */
  about(url: string, status?: number): Promise<HttpResponse> {
    return this.until(({ messages }) =>
      messages.find(
        (message) =>
          fieldValue(message.fields, "content-location") === url && (status === undefined || message.status === status),
      ),
    );
  }

  /** Resolves once the rows that it knows are these, in whatever order. */
  rows(expected: readonly unknown[]): Promise<boolean> {
    const wanted = inOrder(expected.map((row) => JSON.stringify(row)));
    return this.until(({ replica }) => inOrder([...replica.records.values()]) === wanted);
  }

  /** Sends a request in band, as text or binary; resolves with its answer. */
  request(
    method: string,
    target: string,
    options: { fields?: readonly Field[]; body?: string; isBinary?: boolean } = {},
  ): Promise<HttpResponse> {
    const { fields = [], body = "", isBinary = false } = options;
    this.#requests += 1;
    const id = `r${this.#requests}`;
    const text = String(encodeRequest({ method, target, fields: [["Request-ID", id], ...fields], body }));
    this.send(isBinary ? new TextEncoder().encode(text) : text);
    return this.until(({ messages }) => messages.find((message) => fieldValue(message.fields, "request-id") === id));
  }

  send(data: Body): void {
    this.#wire.send(data);
  }

  /** Resolves once a ping was answered. */
  async ping(data: string): Promise<void> {
    this.#wire.ping(data);
    await this.until(({ pongs }) => pongs.includes(data));
  }

  close(code: number, reason: string): void {
    this.#wire.close(code, reason);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

function inOrder(texts: readonly string[]): string {
  return [...texts].sort().join("\n");
}
