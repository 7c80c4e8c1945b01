import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ExchangeControl, ExchangeHandler, UpstreamRequest } from "./exchange.ts";
import { pairs, withoutField } from "./fields.ts";
import { RequestBody } from "./request-body.ts";

class LateAnswer extends Error {
  readonly code = "UND_ERR_HEADERS_TIMEOUT";
}

/** One exchange on a connection of its own, told in the words of undici, which has neither expectations nor trailers. */
class CarefulExchange implements ExchangeControl {
  rawHeaders: string[] = [];
  rawTrailers: string[] = [];
  readonly #outgoing: ClientRequest;
  readonly #handler: ExchangeHandler;
  readonly #source: IncomingMessage;
  readonly #body: RequestBody;
  #answer: IncomingMessage | undefined;
  #isOver = false;

  constructor(outgoing: ClientRequest, handler: ExchangeHandler, source: IncomingMessage, timeoutMs: number) {
    this.#outgoing = outgoing;
    this.#handler = handler;
    this.#source = source;
    this.#body = new RequestBody(source);
    outgoing.setTimeout(timeoutMs, () => {
      if (!this.#answer) outgoing.destroy(new LateAnswer("The upstream did not answer in time."));
    });
    outgoing.on("error", (error) => this.#fail(error));
    outgoing.on("information", ({ statusCode, statusMessage, rawHeaders }) => {
      this.#start(statusCode, rawHeaders, statusMessage);
    });
    outgoing.on("response", (answer) => this.#guard(() => this.#begin(answer)));
    outgoing.on("close", () => {
      this.#fail(new Error("The upstream closed the connection."));
      this.#body.destroy();
    });
    handler.onRequestStart(this);
    this.#send();
  }

  abort(reason: Error): void {
    this.#outgoing.destroy(reason);
    this.#answer?.destroy();
    this.#fail(reason);
  }

  pause(): void {
    this.#answer?.pause();
  }

  resume(): void {
    this.#answer?.resume();
  }

  #send(): void {
    const outgoing = this.#outgoing;
    const body = this.#body;
    body.on("error", (error) => this.abort(error));
    body.on("end", () => {
      this.#guard(() => {
        const { rawTrailers } = this.#source;
        if (rawTrailers.length > 0) outgoing.addTrailers(pairs(rawTrailers));
        outgoing.end();
      });
    });
    body.pipe(outgoing, { end: false });
  }

  #start(status: number, fields: string[], reason: string): void {
    this.rawHeaders = fields;
    this.#guard(() => this.#handler.onResponseStart(this, status, undefined, reason));
  }

  /** What an event leads to must not end the process: it ends this exchange [R-SEC-4]. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #begin(answer: IncomingMessage): void {
    const handler = this.#handler;
    this.#answer = answer;
    answer.on("error", (error) => this.#fail(error));
    this.#start(answer.statusCode ?? 502, answer.rawHeaders, answer.statusMessage ?? "");
    answer.on("data", (chunk: Buffer) => this.#guard(() => handler.onResponseData(this, chunk)));
    answer.on("end", () => {
      if (this.#isOver || !answer.complete) return;
      this.#isOver = true;
      this.rawTrailers = answer.rawTrailers;
      this.#guard(() => handler.onResponseEnd(this, undefined));
    });
    answer.on("close", () => this.#fail(new Error("The upstream's answer was cut off.")));
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#body.destroy();
    this.#handler.onResponseError(this, error);
  }
}

/**
 * Begins an exchange on a new connection, with the source's body, expectation and trailers.
 *
 * @throws Error where the request can't be written as HTTP
 */
export function exchangeCarefully(
  upstream: { readonly url: URL; readonly timeoutMs: number },
  { method, target, fields }: UpstreamRequest,
  source: IncomingMessage,
  handler: ExchangeHandler,
): void {
  const { protocol, hostname, port } = upstream.url;
  const isChunked = source.headers["transfer-encoding"] !== undefined;
  // Only a body in chunks has trailers (RFC 9110 §6.5.1); Node throws where others are announced.
  const headers = isChunked ? [...fields, "Transfer-Encoding", "chunked"] : withoutField(fields, "trailer");
  const request = protocol === "https:" ? httpsRequest : httpRequest;
  const outgoing = request({
    ...{ hostname: hostname.replace(/^\[|\]$/g, ""), port, servername: hostname, agent: false, setHost: false },
    ...{ method, path: target, headers, maxHeaderSize: 64 * 1024 },
  });
  // Else Node drops fields of the answer beyond a thousand; its head is bounded by its bytes.
  outgoing.maxHeadersCount = 0;
  new CarefulExchange(outgoing, handler, source, upstream.timeoutMs);
}
