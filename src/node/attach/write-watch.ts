import type { IncomingMessage, ServerResponse } from "node:http";
import type { Field } from "../../protocol/index.ts";
import { isUnsafeMethod, staleUrls } from "../stale-urls.ts";

/** Called with the URLs that a request may have changed. Must not throw. */
export type OnWritten = (urls: readonly string[]) => void;

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
class WriteWatch {
  readonly #target: string;
  readonly #response: ServerResponse;
  readonly #onWritten: OnWritten;
  #written: Field[] = [];
  #hasEnded = false;

  constructor(target: string, response: ServerResponse, onWritten: OnWritten) {
    this.#target = target;
    this.#response = response;
    this.#onWritten = onWritten;
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
    const urls = staleUrls({ target: this.#target, status, fields });
    if (urls.length > 0) this.#onWritten(urls);
  }
}

/** Has it said which URLs a request may have changed, where its method may write. */
export function watchWrite(request: IncomingMessage, response: ServerResponse, onWritten: OnWritten): void {
  if (isUnsafeMethod(request.method ?? "GET")) new WriteWatch(request.url ?? "/", response, onWritten).begin();
}
