import type { IncomingMessage, ServerResponse } from "node:http";
import { type Field, fieldValue } from "../../protocol/index.ts";
import { requestFields } from "../fields.ts";
import { isUnsafeMethod, staleUrls } from "../stale-urls.ts";

/** Called with the URLs that a request may have changed, and its fields. Must not throw. */
export type OnWritten = (urls: readonly string[], writer: readonly Field[]) => void;

/** What is known of a request when it begins: routers change it. */
interface Begun {
  readonly target: string;
  readonly fields: readonly Field[];
}

const naming = new Set(["location", "content-location", "link"]);

function addFields(found: Field[], name: unknown, value: unknown): void {
  if (typeof name !== "string" || !naming.has(name.toLowerCase())) return;
  for (const one of Array.isArray(value) ? value : [value]) found.push([name, String(one)]);
}

/** The fields in the arguments of `writeHead`, which may be the only place where they stand. */
function fieldsOfWriteHead(parameters: readonly unknown[]): Field[] {
  const headers = parameters.find((value, at) => at > 0 && typeof value === "object" && value !== null);
  const found: Field[] = [];
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers ?? {})) addFields(found, name, value);
  } else if (Array.isArray(headers[0])) {
    for (const [name, value] of headers as [unknown, unknown][]) addFields(found, name, value);
  } else {
    for (let at = 0; at + 1 < headers.length; at += 2) addFields(found, headers[at], headers[at + 1]);
  }
  return found;
}

/** Sees one answer to a request that may write, and says so when it ends. */
class AnswerWatch {
  readonly #request: Begun;
  readonly #response: ServerResponse;
  readonly #onWritten: OnWritten;
  /** Its head may have been written with fields that nobody has seen. */
  readonly #isLate: boolean;
  #written: Field[] = [];
  #hasEnded = false;

  constructor(request: Begun, response: ServerResponse, onWritten: OnWritten) {
    this.#request = request;
    this.#response = response;
    this.#onWritten = onWritten;
    this.#isLate = response.headersSent;
  }

  begin(): void {
    const response = this.#response as ServerResponse & Record<"end" | "writeHead", (...all: unknown[]) => unknown>;
    const { end, writeHead } = response;
    const watch = this;
    response.writeHead = function (this: unknown, ...parameters: unknown[]): ServerResponse {
      watch.#written = fieldsOfWriteHead(parameters);
      writeHead.apply(this, parameters as never);
      return response;
    } as typeof response.writeHead;
    // The end of the answer is the sign: `finish` waits for a slow reader, and never comes where the client has gone.
    response.end = function (this: unknown, ...parameters: unknown[]): ServerResponse {
      end.apply(this, parameters as never);
      watch.#hasEnded = true;
      watch.#tell(response.statusCode);
      return response;
    } as typeof response.end;
    response.on("close", () => {
      if (!this.#hasEnded) this.#tell(response.headersSent ? response.statusCode : undefined);
    });
  }

  #tell(status: number | undefined): void {
    const fields: Field[] = [...this.#written];
    for (const name of naming) {
      if (!fields.some(([written]) => written.toLowerCase() === name)) {
        addFields(fields, name, this.#response.getHeader(name) ?? []);
      }
    }
    const { target, fields: asked } = this.#request;
    const urls = staleUrls({ target, destination: fieldValue(asked, "destination"), status, fields });
    if (urls.length === 0) return;
    // What it may have named can't be told any more, so that is everything.
    this.#onWritten(this.#isLate ? [...urls, "/"] : urls, asked);
  }
}

/** Whom a watch tells. */
export interface WriteWatchParts {
  /** False while nobody could be told of a write. */
  readonly isNeeded: () => boolean;
  readonly onWritten: OnWritten;
  readonly reportError: (error: unknown, stage: string) => void;
}

/**
 * Watches the requests that may write. While nobody needs to be told, it only keeps those that are in progress: they are
 * watched as soon as somebody may miss what they write.
 */
export class WriteWatch {
  readonly #parts: WriteWatchParts;
  /** Answers in progress that are not watched yet, with what was asked for: routers change a request's URL. */
  readonly #waiting: Map<ServerResponse, Begun> = new Map();
  readonly #onClose: (this: ServerResponse) => void;

  constructor(parts: WriteWatchParts) {
    this.#parts = parts;
    const watch = this;
    // One listener for all: it costs each request less than one of its own.
    this.#onClose = function (this: ServerResponse) {
      watch.#closed(this);
    };
  }

  /** Takes a request that begins. */
  see(request: IncomingMessage, response: ServerResponse): void {
    if (!isUnsafeMethod(request.method ?? "GET")) return;
    const begun: Begun = { target: request.url ?? "/", fields: requestFields(request) };
    if (this.#parts.isNeeded()) {
      this.#begin(begun, response);
    } else {
      this.#waiting.set(response, begun);
      response.on("close", this.#onClose);
    }
  }

  /** Watches those in progress, too. To be called before a document is asked for [R-DER-3]. */
  seeAll(): void {
    for (const [response, begun] of this.#waiting) {
      response.off("close", this.#onClose);
      this.#begin(begun, response);
    }
    this.#waiting.clear();
  }

  #begin(begun: Begun, response: ServerResponse): void {
    try {
      new AnswerWatch(begun, response, this.#parts.onWritten).begin();
    } catch (error) {
      this.#parts.reportError(error, "watch");
    }
  }

  #closed(response: ServerResponse): void {
    const begun = this.#waiting.get(response);
    this.#waiting.delete(response);
    // The client has gone, and the application may still write.
    if (begun && !response.writableEnded) this.#begin(begun, response);
  }
}
