import { isUnsafeMethod } from "../node/index.ts";
import type { Field } from "../protocol/index.ts";
import {
  ByteCollector,
  documentRequestFields,
  type Origin,
  type OriginRequest,
  type OriginResponse,
  refuseByHead,
  refuseInBandByHead,
  tooLarge,
  tooLargeInBand,
} from "../server/index.ts";
import { refuseConnectionAuth } from "./connection-auth.ts";
import { readAnswer } from "./document.ts";
import type { ExchangeControl, ExchangeHandler, UpstreamRequest } from "./exchange.ts";
import { failureResponse, type Health, isLostConnection, maxRepeats } from "./failure.ts";
import { clientFields, type Hop, type Peer, pairs, rawText, upstreamFields } from "./fields.ts";
import { outwardFields } from "./outward-fields.ts";
import type { Upstream } from "./upstream.ts";
import { type WriteListener, WriteWatch } from "./write-watch.ts";

/** What the hub's requests need. */
export interface ProxyOriginParts {
  readonly upstream: Upstream;
  readonly hop: Hop;
  readonly health: Health;
  readonly maxDocumentBytes: number;
  readonly staleness: WriteListener;
}

type Resolve = (response: OriginResponse | Promise<OriginResponse>) => void;

const enough = new Error("The answer is of no more use.");

/** One request in a viewer's name, and the whole of its answer, in bounded size. */
class Question implements ExchangeHandler {
  readonly #parts: ProxyOriginParts;
  readonly #sent: UpstreamRequest;
  readonly #body: Buffer | null;
  readonly #resolve: Resolve;
  readonly #watch: WriteWatch | undefined;
  readonly #isInBand: boolean;
  #control: ExchangeControl | undefined;
  #repeats: number;
  #isOver = false;
  #status = 0;
  #fields: readonly Field[] = [];
  #answer: ByteCollector | undefined;

  constructor(parts: ProxyOriginParts, request: OriginRequest, resolve: Resolve) {
    const { method, target, fields, body, peer, isInBand = false, signal } = request;
    this.#parts = parts;
    this.#answer = new ByteCollector(parts.maxDocumentBytes);
    this.#resolve = resolve;
    this.#isInBand = isInBand;
    const isUnsafe = isUnsafeMethod(method);
    this.#repeats = isUnsafe ? 0 : maxRepeats;
    this.#watch = isUnsafe ? new WriteWatch(target, fields.flat(), parts.staleness) : undefined;
    const asking = isUnsafe || isInBand ? fields : documentRequestFields(fields);
    const raw = upstreamFields(asking.flat(), (peer ?? {}) as Peer, parts.hop);
    this.#sent = { method, target, fields: raw };
    this.#body = body.length > 0 ? Buffer.from(body) : null;
    signal?.addEventListener("abort", () => this.#end(failureResponse(enough)), { once: true });
  }

  start(): void {
    this.#parts.upstream.exchange(this.#sent, this, this.#body);
  }

  onRequestStart(control: ExchangeControl): void {
    this.#control = control;
    if (this.#isOver) control.abort(enough);
  }

  onResponseStart(control: ExchangeControl, status: number): void {
    if (status < 200) return;
    const { health, maxDocumentBytes } = this.#parts;
    health.answered();
    this.#status = status;
    const raw = outwardFields(
      clientFields(rawText(control.rawHeaders), false),
      this.#sent.fields,
      this.#parts.hop.basePath,
    );
    this.#fields = pairs(raw);
    this.#watch?.headed(status, raw);
    const refuse = this.#isInBand ? refuseInBandByHead : refuseByHead;
    const refusal = status < 300 || this.#isInBand ? refuse(this.#fields, maxDocumentBytes) : undefined;
    if (refusal) this.#end(refusal);
    // Its `Content-Length` may speak of a body that does not come.
    else if (status === 204 || status === 304) this.onResponseEnd();
  }

  onResponseData(_control: ExchangeControl, chunk: Buffer): void {
    const { maxDocumentBytes } = this.#parts;
    const refuse = this.#isInBand ? tooLargeInBand : tooLarge;
    if (this.#answer?.add(chunk) === false) this.#end(refuse(maxDocumentBytes));
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch?.over();
    const { buffer, byteOffset, byteLength } = this.#answer?.take() ?? new Uint8Array();
    const body = Buffer.from(buffer, byteOffset, byteLength);
    this.#answer = undefined;
    this.#resolve(readAnswer(this.#status, this.#fields, body, this.#parts.maxDocumentBytes));
  }

  onResponseError(_control: ExchangeControl, error: Error): void {
    this.#watch?.over();
    if (this.#isOver) return;
    if (this.#repeats > 0 && this.#status === 0 && isLostConnection(error)) {
      this.#repeats -= 1;
      this.#parts.upstream.repeat(this.#repeats, this.#sent, this, this.#body);
      return;
    }
    this.#isOver = true;
    this.#parts.health.failed(error);
    this.#resolve(failureResponse(error));
  }

  /** Answers without the rest of the upstream's answer. */
  #end(response: OriginResponse): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer = undefined;
    this.#resolve(response);
    this.#control?.abort(enough);
  }
}

/** The upstream as an origin: what the hub asks in viewers' names. It never rejects. */
export function createProxyOrigin(parts: ProxyOriginParts): Origin {
  return async (request) => {
    const refusal = refuseConnectionAuth(request.fields.flat());
    return refusal ?? new Promise((resolve) => new Question(parts, request, resolve).start());
  };
}
