import { type Field, trimBlanks } from "../protocol/index.ts";

/** The head of an answer. */
export interface ResponseHead {
  readonly status: number;
  readonly fields: readonly Field[];
}

/** Is told what a reader finds, in order. */
export interface ResponseSink {
  /** A 1xx but 101: the final answer is still to come. Default: it is dropped. */
  onInterim?(head: ResponseHead): void;
  /** A 101: all that follows is told as a body that has no end but that of the connection. Default: it is no answer. */
  onSwitch?(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** @param isLast - `onEnd` follows before anybody else gets a turn */
  onBody(bytes: Buffer, isLast: boolean): void;
  /** The fields behind the last chunk, where there are any. Default: they are dropped. */
  onTrailers?(fields: readonly Field[]): void;
  /** The answer is whole. @param keepsAlive - whether another request may follow on the connection */
  onEnd(keepsAlive: boolean): void;
}

const maxHeadBytes = 256 * 1024;
const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
const nothing = Buffer.alloc(0);

type State = "head" | "length" | "close" | "chunk-size" | "chunk" | "chunk-end" | "trailer" | "done";

function fieldsOf(lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error("The application's answer has a malformed field.");
    return [line.slice(0, colon), trimBlanks(line.slice(colon + 1))];
  });
}

function isListed(fields: readonly Field[], wanted: string, token: string): boolean {
  return fields.some(
    ([name, value]) =>
      name.toLowerCase() === wanted &&
      value
        .toLowerCase()
        .split(",")
        .some((item) => item.trim() === token),
  );
}

/** Reads one answer as Node's server writes it (RFC 9112): with a length, in chunks, or until the connection closes. */
export class ResponseReader {
  readonly #sink: ResponseSink;
  readonly #isHead: boolean;
  #state: State = "head";
  #kept: Buffer = nothing;
  #left = 0;
  #keepsAlive = true;
  readonly #trailers: string[] = [];
  #trailerBytes = 0;

  /** @param isHead - the answer is to HEAD: it has no body, whatever its fields say */
  constructor(sink: ResponseSink, isHead: boolean) {
    this.#sink = sink;
    this.#isHead = isHead;
  }

  /** Takes bytes in, as they come. @throws Error where they are no answer */
  push(bytes: Buffer): void {
    let rest = this.#kept.length > 0 ? Buffer.concat([this.#kept, bytes]) : bytes;
    this.#kept = nothing;
    while (this.#state !== "done") {
      const after = this.#step(rest);
      if (!after) {
        if (rest.length > maxHeadBytes) throw new Error("The application's answer has too large a head.");
        this.#kept = rest;
        return;
      }
      rest = after;
    }
    if (rest.length > 0) throw new Error("The application's answer goes on after its end.");
  }

  /** The other side has closed. @throws Error where the answer is not whole by that */
  end(): void {
    if (this.#state === "done") return;
    if (this.#state !== "close") throw new Error("The application broke its answer off.");
    this.#finish();
  }

  /** Reads one element; gives what is left behind it, or `undefined` where there is not enough. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes);
      case "length":
      case "chunk":
        return this.#readData(bytes);
      case "close":
        if (bytes.length === 0) return undefined;
        this.#sink.onBody(bytes, false);
        return nothing;
      default:
        return this.#readLine(bytes);
    }
  }

  #readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0) return undefined;
    const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(start)?.[1] ?? 0);
    const rest = bytes.subarray(end + headEnd.length);
    const isSwitch = status === 101 && this.#sink.onSwitch !== undefined;
    if (status < 100 || (status === 101 && !isSwitch)) {
      throw new Error("The application's answer is no answer of HTTP/1.1.");
    }
    const fields = fieldsOf(lines);
    if (isSwitch) {
      this.#keepsAlive = false;
      this.#state = "close";
      this.#sink.onSwitch?.({ status, fields });
      return rest;
    }
    if (status < 200) {
      this.#sink.onInterim?.({ status, fields });
      return rest;
    }
    this.#keepsAlive = start.startsWith("HTTP/1.1") && !isListed(fields, "connection", "close");
    this.#sink.onHead({ status, fields });
    this.#beginBody(status, fields);
    return rest;
  }

  #beginBody(status: number, fields: readonly Field[]): void {
    if (this.#isHead || status === 204 || status === 304) {
      this.#finish();
    } else if (isListed(fields, "transfer-encoding", "chunked")) {
      this.#state = "chunk-size";
    } else {
      const length = fields.find(([name]) => name.toLowerCase() === "content-length")?.[1];
      if (length === undefined) {
        this.#keepsAlive = false;
        this.#state = "close";
        return;
      }
      if (!/^\d{1,15}$/.test(length)) throw new Error("The application's answer has a malformed length.");
      this.#left = Number(length);
      this.#state = "length";
      if (this.#left === 0) this.#finish();
    }
  }

  #readData(bytes: Buffer): Buffer | undefined {
    if (bytes.length === 0) return undefined;
    const data = bytes.subarray(0, this.#left);
    this.#left -= data.length;
    const isLast = this.#left === 0 && this.#state === "length";
    this.#sink.onBody(data, isLast);
    if (isLast) this.#finish();
    else if (this.#left === 0) this.#state = "chunk-end";
    return bytes.subarray(data.length);
  }

  /** What stands in lines between the data of chunks, and behind the last one. */
  #readLine(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(lineEnd);
    if (end < 0) return undefined;
    const line = bytes.toString("latin1", 0, end);
    if (this.#state === "chunk-size") {
      if (!/^[0-9a-f]{1,12}(?:[ \t]*;|[ \t]*$)/i.test(line)) {
        throw new Error("The application's answer has a malformed chunk.");
      }
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? "trailer" : "chunk";
    } else if (this.#state === "chunk-end") {
      if (line !== "") throw new Error("The application's answer has a malformed chunk.");
      this.#state = "chunk-size";
    } else if (line === "") {
      if (this.#trailers.length > 0) this.#sink.onTrailers?.(fieldsOf(this.#trailers));
      this.#finish();
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > maxHeadBytes) throw new Error("The application's answer has too large trailers.");
      this.#trailers.push(line);
    }
    return bytes.subarray(end + lineEnd.length);
  }

  #finish(): void {
    this.#state = "done";
    this.#sink.onEnd(this.#keepsAlive);
  }
}
