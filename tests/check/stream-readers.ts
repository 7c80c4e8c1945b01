import {
  decodeEvent,
  decodeResponse,
  EventStreamDecoder,
  type HttpResponse,
  HttpStreamDecoder,
  type StreamEvent,
} from "../../src/protocol/index.ts";

/** What a reader of streams may get wrong. */
export type ReadingMistake =
  | "takes each piece for whole events"
  | "ends lines at LF only"
  | "keeps the BOM"
  | "takes half an event"
  | "takes events of any name"
  | "goes on after garbage"
  | "does not know base64"
  | "reads one line of a body"
  | "takes comments for data"
  | "does not look at retry"
  | "takes each piece for whole messages"
  | "counts characters"
  | "takes half a message"
  | "takes what has no length"
  | "stumbles over empty lines";

/** Reads a stream. */
export interface Reader {
  /** What the last `retry` said. */
  readonly retryMs: number | undefined;
  read(bytes: Uint8Array): HttpResponse[];
  /** What an end adds. */
  end(): HttpResponse[];
}

/** Reads events by the book, but for one mistake. */
class EventStreamReader implements Reader {
  #decoder: EventStreamDecoder = new EventStreamDecoder();
  readonly #mistake: string | undefined;
  #isFirst = true;

  constructor(mistake?: string) {
    this.#mistake = mistake;
  }

  get retryMs(): number | undefined {
    return this.#mistake === "does not look at retry" ? undefined : this.#decoder.retryMs;
  }

  read(bytes: Uint8Array): HttpResponse[] {
    return this.#decode(this.#spoil(Buffer.from(bytes)));
  }

  end(): HttpResponse[] {
    return this.#mistake === "takes half an event" ? this.#decode(Buffer.from("\n\n")) : [];
  }

  #spoil(bytes: Buffer): Buffer {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    switch (this.#mistake) {
      case "takes each piece for whole events":
        this.#decoder = new EventStreamDecoder();
        return bytes;
      case "ends lines at LF only":
        // A CR that ends a line becomes a part of it.
        return Buffer.from(bytes.toString("latin1").replace(/\r(?!\n)/g, "\\r"), "latin1");
      case "keeps the BOM":
        return isFirst && bytes[0] === 0xef ? Buffer.concat([Buffer.from("\ufeff"), bytes]) : bytes;
      case "takes comments for data":
        return Buffer.from(bytes.toString("latin1").replace(/^:/gm, "data:"), "latin1");
      default:
        return bytes;
    }
  }

  #decode(bytes: Uint8Array): HttpResponse[] {
    return this.#decoder.decode(bytes).flatMap((event) => {
      try {
        return decodeEvent(this.#seen(event)) ?? [];
      } catch (error) {
        if (this.#mistake === "goes on after garbage") return [];
        throw error;
      }
    });
  }

  #seen({ type, data, id }: StreamEvent): StreamEvent {
    if (this.#mistake === "takes events of any name") return { type: data.slice(9, 12), data, id };
    if (this.#mistake === "does not know base64") return { type, data: data.replace(/^Content-Tr/m, "X-Tr"), id };
    if (this.#mistake !== "reads one line of a body") return { type, data, id };
    const end = data.indexOf("\n\n") + 2;
    return { type, data: data.slice(0, end) + data.slice(end).split("\n")[0], id };
  }
}

/** Reads the parts of an HTTP stream by the book. */
class PartStreamReader implements Reader {
  readonly retryMs = undefined;
  readonly #decoder: HttpStreamDecoder = new HttpStreamDecoder();

  read(bytes: Uint8Array): HttpResponse[] {
    return this.#decoder.decode(bytes);
  }

  end(): HttpResponse[] {
    return [];
  }
}

/** Reads parts as somebody would who wrote it in an hour. */
class HastyPartReader implements Reader {
  readonly retryMs = undefined;
  readonly #mistake: string;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(mistake: string) {
    this.#mistake = mistake;
  }

  read(bytes: Uint8Array): HttpResponse[] {
    const isFresh = this.#mistake === "takes each piece for whole messages";
    this.#bytes = isFresh ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    const messages: HttpResponse[] = [];
    for (let one = this.#next(false); one; one = this.#next(false)) messages.push(one);
    return messages;
  }

  end(): HttpResponse[] {
    const last = this.#mistake === "takes half a message" ? this.#next(true) : undefined;
    return last ? [last] : [];
  }

  #next(isLast: boolean): HttpResponse | undefined {
    const most = this.#mistake === "stumbles over empty lines" ? 2 : Number.POSITIVE_INFINITY;
    for (let taken = 0; taken < most && (this.#bytes[0] === 0x0d || this.#bytes[0] === 0x0a); taken += 1) {
      this.#bytes = this.#bytes.subarray(1);
    }
    const end = this.#bytes.indexOf("\r\n\r\n") + 4;
    if (end < 4) return undefined;
    const head = this.#bytes.toString("latin1", 0, end);
    const length = this.#lengthOf(head, this.#bytes.subarray(end));
    if (this.#bytes.length < end + length && !isLast) return undefined;
    const message = head.replace(/content-length: *[0-9]+\r\n/i, "") + this.#bytes.toString("utf8", end, end + length);
    this.#bytes = this.#bytes.subarray(end + length);
    // A body that was cut is closed, so that somebody who is careless can read it.
    return decodeResponse(isLast ? message.replace(/"torn"?$/, '"torn"}}') : message);
  }

  #lengthOf(head: string, rest: Buffer): number {
    if (/^HTTP\/1\.1 (?:204|304)/.test(head)) return 0;
    const length = /content-length:\s*([0-9]+)/i.exec(head)?.[1];
    if (length === undefined) {
      if (this.#mistake !== "takes what has no length") throw new Error("There is no length.");
      return rest.length;
    }
    if (this.#mistake !== "counts characters") return Number(length);
    return Buffer.byteLength(rest.toString("utf8").slice(0, Number(length)));
  }
}

/** A reader of a way's streams, with a mistake or none. */
export function readerOf(way: "events" | "parts", mistake?: string): Reader {
  if (way === "events") return new EventStreamReader(mistake);
  const isHasty = /piece for whole messages|counts|half a message|no length|empty lines/.test(mistake ?? "");
  return isHasty ? new HastyPartReader(mistake ?? "") : new PartStreamReader();
}
