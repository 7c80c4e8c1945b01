import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createProblem,
  type Field,
  fieldValue,
  type HttpResponse,
  problemResponse,
  varyBy,
} from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";
import {
  type AnswerChoice,
  type AnswerHead,
  chooseAnswer,
  isNoStream,
  isUnchanged,
  keptFields,
  type LongPoll,
  preferenceApplied,
  unchangedFields,
} from "../server/inner.ts";
import type { Incoming } from "./access.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { requestFields } from "./fields.ts";
import { holdAnswer } from "./held-answer.ts";
import { type LongPollParts, LongPolls, longPollOf, type PollOutcome } from "./long-polls.ts";
import { setField } from "./node-methods.ts";
import { settleTarget } from "./request-target.ts";
import { sendAnswer } from "./send-answer.ts";
import { StreamHandler, type StreamParts, type StreamRequest } from "./stream-handler.ts";

/** What streams beside an application's own need. */
export interface StreamsBesideParts extends LongPollParts, StreamParts {
  /** Whether what is at a target can be followed. */
  readonly isFollowed: (target: string) => boolean;
  /** Refuses those who may not come in: a SUBSCRIBE, which the application does not see, and where that does not say itself which pages may read its answer [R-STR-19]. */
  readonly admit: (request: Incoming) => HttpResponse | undefined;
  /** Calls what is Rocket's own, in a context that is nobody's request. */
  readonly run: (action: () => void) => void;
}

/** How a request goes its way. */
export interface RequestWay {
  /** Gives the request to the application, now. */
  readonly proceed: () => void;
  /** Told that the application's answer is dropped, whatever still comes of it. */
  readonly dropped?: () => void;
}

type Copy = StreamRequest & Incoming;

const streamAsked = /event-stream|application\/http/i;

/** Whether a request is worth a closer look: all that others cost. */
export function asksBeside({ method, headers }: IncomingMessage): boolean {
  if (headers.prefer === undefined && headers.accept === undefined) return false;
  if (method !== "GET" && method !== "HEAD" && method !== "SUBSCRIBE") return false;
  return headers.prefer !== undefined || streamAsked.test(headers.accept ?? "");
}

/** A request as it came: routers change it. `undefined` where its target is none that a GET can be made of. */
function copyOf(request: IncomingMessage): Copy | undefined {
  const { method, url, socket, httpVersion, httpVersionMajor } = request;
  const copy = {
    method,
    url,
    socket,
    httpVersion,
    httpVersionMajor,
    headers: { ...request.headers },
    rawHeaders: [...request.rawHeaders],
  };
  // Over HTTP/2, the target always is a path, and the host stands before it.
  return request.httpVersionMajor < 2 && settleTarget(copy) ? undefined : copy;
}

function saysWhoMayRead({ fields }: AnswerHead): boolean {
  return fieldValue(fields, "access-control-allow-origin") !== undefined;
}

function choiceOf(request: Copy): AnswerChoice | undefined {
  return chooseAnswer(request.method ?? "GET", requestFields(request));
}

/**
 * Streams and long polls at the URLs of an application. It is asked first, with the request as it came: its own streams and
 * refusals are its answers, untouched. Where it has no stream, Rocket's answers the same request [R-STR-23].
 */
export class StreamsBeside {
  readonly #parts: StreamsBesideParts;
  readonly #streams: StreamHandler;
  readonly #polls: LongPolls;
  #isClosing = false;

  constructor(parts: StreamsBesideParts) {
    this.#parts = parts;
    this.#streams = new StreamHandler(parts);
    this.#polls = new LongPolls(parts);
  }

  /** The server closes: what still waits is answered, and kept for nothing more. */
  close(): void {
    this.#isClosing = true;
  }

  /** As {@link StreamHandler.ended}. */
  ended(graceMs: number): Promise<void> {
    return this.#streams.ended(graceMs);
  }

  /** Looks at a request before the application does. True where that gets it later by `way.proceed`, or not at all. */
  see(request: IncomingMessage, response: ServerResponse, way: RequestWay): boolean {
    const copy = copyOf(request);
    if (!copy || !this.#parts.isFollowed(copy.url ?? "/")) return false;
    const choice = choiceOf(copy);
    if (choice?.kind === "patch-stream") return this.#subscribe(request, response, choice);
    if (choice) this.#hold(copy, response, choice, way.dropped);
    else return this.#poll(copy, response, way);
    return false;
  }

  #hold(request: Copy, response: ServerResponse, choice: AnswerChoice, dropped?: () => void): void {
    const onTaken = (head: AnswerHead, writer: AnswerWriter): void => {
      dropped?.();
      const extra = keptFields(head);
      const refusal = saysWhoMayRead(head) ? undefined : this.#parts.admit(request);
      if (refusal) sendAnswer(response, refusal, varyBy(extra, "Accept"), writer);
      else this.#answer(request, response, choice, extra, writer);
    };
    holdAnswer(response, { takes: isNoStream, onTaken });
  }

  #subscribe(request: IncomingMessage, response: ServerResponse, choice: AnswerChoice): true {
    const refusal = this.#parts.admit(request);
    if (refusal) sendAnswer(response, refusal);
    else this.#answer(request, response, choice, []);
    return true;
  }

  #answer(
    request: StreamRequest,
    response: ServerResponse,
    choice: AnswerChoice,
    extra: readonly Field[],
    writer?: AnswerWriter,
  ): void {
    const { run, reportError } = this.#parts;
    const finish = (answer: OriginResponse | "taken"): void => {
      if (answer === "taken" || writer?.isOver) return;
      sendAnswer(response, answer, varyBy(extra, "Accept"), writer);
    };
    run(() => {
      this.#streams
        .answer(request, response, choice, extra, writer)
        .then(finish, (error: unknown) => {
          reportError(error, "stream");
          finish(problemResponse(createProblem(500, "The request could not be answered.")));
        })
        .catch((error: unknown) => reportError(error, "stream"));
    });
  }

  #poll(request: Copy, response: ServerResponse, { proceed, dropped }: RequestWay): boolean {
    const poll = longPollOf(request);
    if (!poll) return false;
    const resource = new AsyncResource("RocketLongPoll");
    const goOn = (outcome: PollOutcome): void => {
      if (new AnswerWriter(response).isOver) return;
      if (this.#isClosing) response.shouldKeepAlive = false;
      if (outcome !== "changed" && "refusal" in outcome) {
        sendAnswer(response, outcome.refusal);
        return;
      }
      setField(response, ...preferenceApplied(poll));
      if (outcome !== "changed") this.#sayUnchanged(response, outcome.unchanged, poll, dropped);
      resource.runInAsyncScope(proceed);
    };
    this.#parts.run(() => {
      this.#polls
        .wait(request, response, poll)
        .then(goOn)
        .catch((error: unknown) => this.#parts.reportError(error, "stream"));
    });
    return true;
  }

  /** The application says whether its client may know that nothing changed, and with which fields. */
  #sayUnchanged(
    response: ServerResponse,
    known: readonly Field[],
    poll: LongPoll,
    dropped: (() => void) | undefined,
  ): void {
    const position = known.filter(([name]) => name === "Event-ID");
    const takes = (head: AnswerHead): boolean => {
      if (head.status === 304) for (const [name, value] of position) setField(response, name, value);
      return isUnchanged(head, poll.fields, known);
    };
    const onTaken = (head: AnswerHead, writer: AnswerWriter): void => {
      dropped?.();
      const fields = [...unchangedFields(head), ...position];
      sendAnswer(response, { status: 304, fields: [...fields, preferenceApplied(poll)], body: "" }, [], writer);
    };
    holdAnswer(response, { takes, onTaken });
  }
}
