import type { IncomingMessage, ServerResponse } from "node:http";
import { isUnsafeMethod, sendAnswer } from "../node/index.ts";

import { createProblem, type HttpResponse, problemResponse, reasonPhrase } from "../protocol/index.ts";
import type { PeerIdentity } from "../server/index.ts";
import { BodyProgress, type Stalled } from "./body-progress.ts";

import type { ExchangeControl, ExchangeHandler, UpstreamRequest } from "./exchange.ts";
import { failureResponse, type Health, isLostConnection, maxRepeats, TooManyChunksError } from "./failure.ts";
import { clientFields, type Hop, pairs, rawText, upstreamFields } from "./fields.ts";
import { outwardFields } from "./outward-fields.ts";
import { isEndless } from "./placed-exchange.ts";
import { hasBody, isSmall, RequestBody, readSmall } from "./request-body.ts";
import type { Upstream } from "./upstream.ts";
import { type WriteListener, WriteWatch } from "./write-watch.ts";

/** What forwarding needs. */
export interface ForwardingParts {
  readonly upstream: Upstream;
  readonly hop: Hop;
  readonly health: Health;
  readonly staleness: WriteListener;
  /** Milliseconds within which bodies have to go on. */
  readonly bodyTimeoutMs: number;
}

/** How many 1xx of one exchange are passed on. */
const mostInformational = 16;

const aborted = new Error("The client closed the connection.");
const stalled = new Error("A body did not go on.");

const stallAnswers: Readonly<Record<Stalled, HttpResponse>> = {
  client: problemResponse(createProblem(408, "The request's body did not come in time.")),
  upstream: problemResponse(createProblem(504, "The upstream did not take the request in time.")),
};

function ignore(): void {}

/** The peer that sent a request. */
export function peerOf({ socket }: Pick<IncomingMessage, "socket">): {
  remoteAddress: string | undefined;
  isEncrypted: boolean;
} {
  return { remoteAddress: socket.remoteAddress, isEncrypted: "encrypted" in socket };
}

/** What tells one peer from another: what the upstream is told of it [R-DER-1]. */
export function identityOf(peer: unknown): PeerIdentity {
  const { remoteAddress, isEncrypted } = peer as ReturnType<typeof peerOf>;
  return { address: JSON.stringify([remoteAddress, isEncrypted]) };
}

/** One request on its way to the upstream, and the answer on its way back. */
export class Forwarding implements ExchangeHandler {
  readonly #parts: ForwardingParts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #watch: WriteWatch | undefined;
  readonly #sent: UpstreamRequest;
  readonly #progress: BodyProgress;
  #control: ExchangeControl | undefined;
  #isOver = false;
  #repeats: number;
  #hasWritten = false;
  #isPaused = false;
  #informed = 0;

  /** @param canRepeat - whether the request may be sent again where its connection was lost */
  constructor(parts: ForwardingParts, request: IncomingMessage, response: ServerResponse, canRepeat = true) {
    const { method = "GET", url: target = "/" } = request;
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
    this.#repeats = canRepeat && !hasBody(request) && !isUnsafeMethod(method) ? maxRepeats : 0;
    this.#watch = isUnsafeMethod(method) ? new WriteWatch(target, request.rawHeaders, parts.staleness) : undefined;
    this.#sent = { method, target, fields: upstreamFields(request.rawHeaders, peerOf(request), parts.hop) };
    request.on("error", ignore);
    response.on("error", ignore);
    response.on("close", () => this.#closed());
    this.#progress = new BodyProgress(request, parts.bodyTimeoutMs, (who) => this.#stalled(who));
  }

  /** Passes the request on. Never throws. */
  start(): void {
    const { upstream, hop } = this.#parts;
    const { headers, method, url } = this.#request;
    if (headers.via?.includes(hop.via)) {
      this.#refuse(508, "The proxy's upstream leads back to the proxy.");
    } else if (headers.expect !== undefined || headers.trailer !== undefined || (method === "OPTIONS" && url === "*")) {
      upstream.exchangeCarefully(this.#sent, this.#request, this);
    } else if (!hasBody(this.#request)) {
      upstream.exchange(this.#sent, this);
    } else if (isSmall(this.#request)) {
      readSmall(this.#request, (body) => {
        if (!this.#isOver) upstream.exchange(this.#sent, this, body);
      });
    } else {
      upstream.exchange(this.#sent, this, new RequestBody(this.#request));
    }
  }

  /** Nobody is given the answer any more: another one has taken its place. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#progress.stop();
    this.#control?.abort(aborted);
  }

  onRequestStart(control: ExchangeControl): void {
    this.#control = control;
    if (this.#isOver) control.abort(aborted);
  }

  onResponseStart(control: ExchangeControl, status: number, _fields: unknown, reason = ""): void {
    if (status < 200) {
      this.#inform(status, reason, control);
      return;
    }
    const raw = rawText(control.rawHeaders);
    this.#parts.health.answered();
    const response = this.#response;
    response.sendDate = false;
    if (this.#request.headers.expect !== undefined && !this.#request.complete) response.shouldKeepAlive = false;
    const isFramed = this.#sent.method === "HEAD" || status === 204 || status === 304 || hasLength(raw);
    const passed = clientFields(raw, this.#request.httpVersionMinor > 0 && !isFramed);
    const fields = outwardFields(passed, this.#sent.fields, this.#parts.hop.basePath);
    response.writeHead(status, reason, fields);
    this.#progress.answered(isEndless(raw));
    this.#watch?.headed(status, fields);
    if (status === 204 || status === 304) {
      this.#end();
      return;
    }
    queueMicrotask(() => {
      if (response.writableEnded) return;
      this.#watch?.lasts();
      // A head alone, as of an event stream, is not held back until there is a body; with one it is a single write.
      if (!this.#hasWritten) response.flushHeaders();
    });
  }

  onResponseData(control: ExchangeControl, chunk: Buffer): void {
    this.#hasWritten = true;
    this.#progress.moved();
    if (this.#response.write(chunk) || this.#isPaused) return;
    this.#isPaused = true;
    control.pause();
    this.#response.once("drain", () => {
      this.#isPaused = false;
      this.#progress.moved();
      control.resume();
    });
  }

  onResponseEnd(control: ExchangeControl): void {
    if (this.#isOver) return;
    const trailers = rawText(control.rawTrailers);
    if (trailers.length > 0 && this.#response.chunkedEncoding) this.#response.addTrailers(pairs(trailers));
    this.#end();
  }

  /** The answer is whole. One without a body is with its head: undici takes its `Content-Length` for a lie, and hangs up. */
  #end(): void {
    this.#isOver = true;
    this.#response.end();
    this.#watch?.over();
  }

  onResponseError(_control: ExchangeControl, error: Error): void {
    if (this.#control) this.#watch?.over();
    if (this.#isOver) return;
    const response = this.#response;
    if (response.headersSent) {
      this.#isOver = true;
      // What is cut off must look cut off.
      response.destroy();
    } else if (this.#repeats > 0 && isLostConnection(error)) {
      // A kept-alive connection may be closed just when it is used (RFC 9112 §9.3.1), and so may the next.
      this.#repeats -= 1;
      this.#parts.upstream.repeat(this.#repeats, this.#sent, this);
    } else {
      this.#isOver = true;
      this.#parts.health.failed(error);
      if (error instanceof TooManyChunksError) response.shouldKeepAlive = false;
      sendAnswer(response, failureResponse(error));
    }
  }

  /** Passes a 1xx on, a few, while the client takes them; HTTP/1.0 has none (RFC 9110 §15.2) [R-SEC-5]. */
  #inform(status: number, reason: string, control: ExchangeControl): void {
    const response = this.#response;
    const { socket } = response;
    if (this.#request.httpVersionMinor === 0 || response.headersSent || !socket || socket.writableNeedDrain) return;
    if (this.#informed >= mostInformational) return;
    this.#informed += 1;
    const lines = pairs(clientFields(rawText(control.rawHeaders), false)).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`HTTP/1.1 ${status} ${reason || reasonPhrase(status)}\r\n${lines.join("")}\r\n`, "latin1");
  }

  #refuse(status: number, detail: string): void {
    this.#isOver = true;
    sendAnswer(this.#response, problemResponse(createProblem(status, detail)));
  }

  /** Ends the exchange whose body does not go on: told where it can be, else cut off. */
  #stalled(who: Stalled): void {
    // What the client does not take is not the upstream's fault.
    if (this.#isOver || this.#isPaused) return;
    this.#isOver = true;
    this.#progress.stop();
    if (this.#control) this.#watch?.over();
    this.#control?.abort(stalled);
    const response = this.#response;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.shouldKeepAlive = false;
    sendAnswer(response, stallAnswers[who]);
  }

  #closed(): void {
    this.#progress.stop();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#control?.abort(aborted);
    if (this.#control) this.#watch?.over();
  }
}

function hasLength(raw: readonly string[]): boolean {
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.length === 14 && raw[at]?.toLowerCase() === "content-length") return true;
  }
  return false;
}
