import { type Field, fieldValue, type HttpResponse, varyBy } from "../../protocol/index.ts";
import { type AnswerChoice, chooseAnswer } from "../http/answer-choice.ts";
import { awaitChange } from "../http/await-change.ts";
import { type AnswerHead, isNoStream, isUnchanged, keptFields, unchangedFields } from "../http/beside.ts";
import { type LongPoll, preferenceApplied, readLongPoll } from "../http/long-poll.ts";
import {
  recordPlace,
  refuseOneMore,
  refuseStream,
  type StreamAsked,
  streamFields,
  streamHandshake,
  streamStart,
} from "../http/stream-head.ts";
import { createStreamTransport } from "../http/stream-transport.ts";
import { type ErrorHandler, errorReporter } from "../option-checks.ts";
import { type Clock, systemClock } from "../ports/clock.ts";
import type { Connection } from "../stream/connection.ts";
import type { Hub } from "../stream/hub.ts";
import { isWellKnown } from "../stream/well-known.ts";
import { BodyWriter } from "./body-writer.ts";
import { refuseForeign } from "./fetch-handshake.ts";
import { fieldsOfRequest, isForeign, targetOfRequest } from "./fetch-request.ts";

/** An application that speaks `fetch`: what Hono, Deno, Bun and Workers call a fetch handler. */
export type FetchHandler = (request: Request) => Promise<Response> | Response;

/** What is followed by streams beside an application, and by whom. */
export interface FetchStreamOptions {
  /**
   * Web origins, beside the server's own, whose pages may `SUBSCRIBE`: `https://app.example.com`. Who may read other streams
   * is said by the application's own CORS fields. Default none.
   */
  readonly allowOrigins?: readonly string[];
  /** Whether what is at a target (path and query) can be followed; at others the application is alone. Default: at each. */
  readonly follows?: (target: string) => boolean;
  /** Told of what goes wrong within a stream; what it throws is dropped. Default: nothing is told. */
  readonly onError?: ErrorHandler;
  /** Time and chance, for tests. Default: the platform's. */
  readonly clock?: Clock;
}

type Headed = Pick<HttpResponse, "body" | "fields" | "status">;

function headersOf(fields: readonly Field[]): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

function responseOf({ status, fields, body }: Headed, extra: readonly Field[] = []): Response {
  const headers = headersOf([...fields, ...extra]);
  // The platform's types disagree on the bytes that go in; at run time they are the same.
  return new Response(body.length === 0 ? null : (body as string), { status, headers });
}

function headOf({ status, headers }: Response): AnswerHead {
  return { status, fields: [...headers] };
}

/** Drops an answer of the application's. */
function drop(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/** Streams and long polls at the URLs of an application that speaks `fetch`. */
class FetchStreams {
  readonly #hub: Hub;
  readonly #answer: FetchHandler;
  readonly #allowOrigins: readonly string[];
  readonly #follows: (target: string) => boolean;
  readonly #reportError: (error: unknown, stage: string) => void;
  readonly #clock: Clock;

  constructor(hub: Hub, answer: FetchHandler, options: FetchStreamOptions) {
    this.#hub = hub;
    this.#answer = answer;
    this.#allowOrigins = options.allowOrigins ?? [];
    this.#follows = options.follows ?? (() => true);
    this.#reportError = errorReporter(options.onError);
    this.#clock = options.clock ?? systemClock;
  }

  async handle(request: Request, peer: unknown): Promise<Response> {
    const { method, headers } = request;
    if (!headers.has("accept") && !headers.has("prefer")) return this.#answer(request);
    const fields = fieldsOfRequest(request);
    const choice = chooseAnswer(method, fields);
    const poll = choice ? undefined : readLongPoll(method, fields);
    if (!choice && !poll) return this.#answer(request);
    const target = targetOfRequest(request);
    if (isWellKnown(target) || !this.#follows(target)) return this.#answer(request);
    const asked: StreamAsked = { method, target, fields, peer };
    if (poll) return this.#wait(request, asked, poll);
    return choice ? this.#stream(request, asked, choice) : this.#answer(request);
  }

  async #stream(request: Request, asked: StreamAsked, choice: AnswerChoice): Promise<Response> {
    if (choice.kind === "patch-stream") {
      return isForeign(request, this.#allowOrigins) ? refuseForeign() : this.#open(asked, choice, []);
    }
    const answer = await this.#answer(request);
    const head = headOf(answer);
    if (!isNoStream(head)) return answer;
    drop(answer);
    return this.#open(asked, choice, keptFields(head));
  }

  async #open(asked: StreamAsked, choice: AnswerChoice, extra: readonly Field[]): Promise<Response> {
    const { limits } = this.#hub;
    const varied = varyBy(extra, "Accept");
    if (this.#hub.isFull) return responseOf(refuseOneMore(), varied);
    const handshake = streamHandshake(asked, choice);
    const opening = await this.#hub.authorise(handshake);
    const refusal = refuseStream(opening, choice);
    if (refusal) return responseOf(refusal, varied);
    // Others may have come while this one was being authorised.
    if (opening.kind === "refused" || this.#hub.isFull) return responseOf(refuseOneMore(), varied);
    const fields = [...streamFields(choice.kind), ...extra];
    if (asked.method === "HEAD") return responseOf({ status: 200, fields, body: "" });
    let connection: Connection | undefined;
    const writer = new BodyWriter({
      clock: this.#clock,
      stallTimeoutMs: limits.stallTimeoutMs,
      onDrained: () => this.#guard(() => connection?.drained()),
      onGone: () => this.#guard(() => connection?.closed()),
    });
    for (const piece of streamStart(choice.kind, this.#clock.random())) writer.write(piece);
    const way = { record: recordPlace(opening), maxHeld: limits.maxUnsentBytes };
    connection = this.#hub.connect(createStreamTransport(writer, choice.kind, way), handshake, opening);
    return new Response(writer.body, { status: 200, headers: headersOf(fields) });
  }

  async #wait(request: Request, asked: StreamAsked, poll: LongPoll): Promise<Response> {
    const hub = this.#hub;
    if (hub.isFull) return responseOf(refuseOneMore());
    const { target, peer } = asked;
    const handshake = { level: 1, target, fields: poll.fields, peer } as const;
    const { signal } = request;
    const options = { waitMs: poll.waitSeconds * 1_000, clock: this.#clock, signal };
    const outcome = await awaitChange(hub, handshake, options);
    const applied = preferenceApplied(poll);
    if (signal.aborted) return responseOf({ status: 304, fields: [applied], body: "" });
    const answer = await this.#answer(request);
    const position: Field[] = outcome === "changed" ? [] : outcome.filter(([name]) => name === "Event-ID");
    if (outcome === "changed" || !isUnchanged(headOf(answer), poll.fields, outcome)) {
      const known = answer.status === 304 ? position : [];
      return withFields(answer, [applied, ...known]);
    }
    // The application says whether its client may know that nothing changed, and with which fields.
    drop(answer);
    const fields = [...unchangedFields(headOf(answer)), ...position, applied];
    return responseOf({ status: 304, fields, body: "" });
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#reportError(error, "connection");
    }
  }
}

/** An answer with further fields: what it has may not be changed where it came from elsewhere. */
function withFields(response: Response, fields: readonly Field[]): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of fields) if (fieldValue([...headers], name) === undefined) headers.append(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/**
 * Makes a fetch handler that has streams over plain HTTP, and GETs that wait, at the URLs of an application: event streams,
 * HTTP streams, patch streams and long polls (PROTOCOL.md, section 11). The application is asked first, with the request as
 * it came: its own streams and its refusals are its answers, untouched [R-STR-23]. The hub should have `hasStreams` set, so
 * that clients are told [R-STR-18]. Who follows has gone once the platform cancels the body of a stream, or aborts the `signal` of a GET that waits.
 *
 * @param answer - the application, or what asks it. What it throws is thrown
 * @returns the handler; its second argument is what the origin and the hub's `identity` are told of the peer
 */
export function withStreams(
  hub: Hub,
  answer: FetchHandler,
  options: FetchStreamOptions = {},
): (request: Request, peer?: unknown) => Promise<Response> {
  if (typeof answer !== "function") {
    throw new TypeError(`answer must be a function (request) => Promise<Response>, not ${typeof answer}.`);
  }
  const streams = new FetchStreams(hub, answer, options);
  return (request, peer) => streams.handle(request, peer);
}
