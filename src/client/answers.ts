import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Feed } from "./feed.ts";
import { bodyText, ProblemError } from "./problem.ts";
import type { Status } from "./status.ts";
import { writeWhole } from "./whole.ts";

/** What answers are made of. */
export interface AnswersParts {
  readonly callbacks: Callbacks;
  readonly feed: Feed;
  readonly url: string;
  readonly callback: ((request: Request, response: Response, body: unknown) => unknown) | undefined;
  readonly onStatus: ((status: Status) => unknown) | undefined;
  /** Ends it. */
  readonly stop: AbortController;
  /** The batches that came before, some of them empty. */
  readonly early: (readonly HttpResponse[])[];
  /** The status that is known. */
  readonly told: Status;
}

/** An iterable that nobody reads holds so many answers; then they are replaced by the whole. */
const maxQueued = 1_000;

function responseOf({ status, reason, fields, body }: HttpResponse): Response {
  const headers = new Headers();
  for (const [name, value] of fields) if (!/^content-length$/i.test(name)) headers.append(name, value);
  const content = status === 204 ? null : (body as string | Uint8Array<ArrayBuffer>);
  return new Response(content, { status, statusText: reason, headers });
}

function bodyOf(message: HttpResponse): unknown {
  if (message.status === 204) return undefined;
  const text = bodyText(message);
  if (!/json/i.test(fieldValue(message.fields, "content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a feed is told, as answers: to a callback, and one after another to whoever iterates. */
export class Answers implements AsyncIterable<Response> {
  readonly #parts: AnswersParts;
  readonly #request: Request;
  #told: Status;
  #queue: HttpResponse[] | undefined;
  #waiting: (() => void)[] = [];
  #hasBegun = false;

  constructor(parts: AnswersParts) {
    const { feed, early, stop, url } = parts;
    this.#parts = parts;
    this.#request = new Request(url, { method: "SUBSCRIBE" });
    this.#told = parts.told;
    this.#queue = parts.callback ? undefined : [];
    if (stop.signal.aborted) return;
    const unlisten = feed.listen((batch) => {
      if (batch.length > 0) this.#take(batch);
      else if (!this.#hasBegun) this.#begin();
      this.#changed();
    });
    stop.signal.addEventListener("abort", () => {
      unlisten();
      this.#wake();
    });
    const batches = early.splice(0).filter((batch) => batch.length > 0);
    // Whoever joins a feed that is there already begins with the whole.
    if (batches[0]?.[0]?.status !== 200) this.#begin();
    else for (const batch of batches) this.#take(batch);
    this.#changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Response> {
    const { feed, stop } = this.#parts;
    if (!this.#queue) {
      // Beside a callback: it begins with the whole as well.
      const whole = this.#hasBegun && writeWhole(feed);
      this.#queue = whole ? [whole] : [];
    }
    try {
      for (;;) {
        const message = this.#queue.shift();
        if (message) yield responseOf(message);
        else if (stop.signal.aborted) return;
        else if (feed.status.problem) throw new ProblemError(feed.status.problem);
        else {
          await new Promise<void>((resolve) => {
            this.#waiting.push(resolve);
          });
        }
      }
    } finally {
      stop.abort();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Calls the application back, unless the subscription was closed meanwhile. */
  #call(callback: () => unknown): void {
    const { callbacks, stop } = this.#parts;
    callbacks.call(() => (stop.signal.aborted ? undefined : callback()));
  }

  #begin(): void {
    const { feed } = this.#parts;
    // What the connection begins with may be a little older than what a GET returned beside it.
    const whole = feed.state === "early" ? undefined : writeWhole(feed);
    if (whole) this.#take([whole]);
  }

  #take(batch: readonly HttpResponse[]): void {
    const { callback, feed } = this.#parts;
    if (!this.#hasBegun && batch[0]?.status !== 200) {
      this.#begin();
      return;
    }
    this.#hasBegun = true;
    if (callback)
      for (const message of batch) this.#call(() => callback(this.#request, responseOf(message), bodyOf(message)));
    if (!this.#queue) return;
    this.#queue.push(...batch);
    const whole = this.#queue.length > maxQueued && writeWhole(feed);
    if (whole) this.#queue = [whole];
    this.#wake();
  }

  #changed(): void {
    const { feed, onStatus } = this.#parts;
    const { status } = feed;
    if (status === this.#told) return;
    this.#told = status;
    if (onStatus) this.#call(() => onStatus(status));
    this.#wake();
  }
}
