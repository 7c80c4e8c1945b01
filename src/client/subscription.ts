import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { Feed } from "./feed.ts";
import { bodyText, ProblemError } from "./problem.ts";
import type { Status } from "./status.ts";

/**
 * Called for the list and for each change alike.
 *
 * @param request - what was asked for: the method is `SUBSCRIBE`, the URL that of the subscription
 * @param response - a 200 for the whole, a 201, 202 or 204 for a record, named by `Content-Location`
 * @param body - the body: parsed where it is JSON, else as text; `undefined` on a 204
 */
export type MessageCallback = (request: Request, response: Response, body: unknown) => void;

/** Options of one subscription. */
export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
  /** Told of each change of the status. */
  readonly onStatus?: (status: Status) => void;
}

/**
 * A URL that is followed: the answers, one after another, as an async iterable. The iterable ends where the
 * subscription is closed, and throws a {@link ProblemError} where the server refuses or ends it.
 */
export interface Subscription extends AsyncIterable<Response> {
  readonly status: Status;
  /** Ends it. Twice is fine. */
  close(): void;
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

class FeedSubscription implements Subscription {
  readonly #feed: Feed;
  readonly #callback: MessageCallback | undefined;
  readonly #onStatus: ((status: Status) => void) | undefined;
  readonly #request: Request;
  readonly #unlisten: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.close();
  #status: Status;
  #queue: HttpResponse[] | undefined;
  #wake: () => void = () => {};
  #hasBegun = false;
  #isClosed = false;

  constructor(feed: Feed, url: string, callback: MessageCallback | undefined, options: SubscribeOptions) {
    this.#feed = feed;
    this.#callback = callback;
    this.#onStatus = options.onStatus;
    this.#request = new Request(url, { method: "SUBSCRIBE" });
    this.#status = feed.status;
    this.#queue = callback ? undefined : [];
    this.#unlisten = feed.listen({ messages: (batch) => this.#take(batch), changed: () => this.#changed() });
    // Whoever joins a feed that is there already begins with the whole.
    queueMicrotask(() => this.#begin());
    const { signal } = options;
    this.#signal = signal;
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  get status(): Status {
    return this.#feed.status;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#unlisten();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Response> {
    this.#queue ??= [];
    try {
      for (;;) {
        const message = this.#queue.shift();
        if (message) yield responseOf(message);
        else if (this.#isClosed) return;
        else if (this.status.problem) throw new ProblemError(this.status.problem);
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.close();
    }
  }

  #begin(): void {
    if (this.#hasBegun || this.#isClosed) return;
    const whole = this.#feed.whole();
    if (whole) this.#take([whole]);
    else this.#changed();
  }

  #take(batch: readonly HttpResponse[]): void {
    if (!this.#hasBegun && batch[0]?.status !== 200) {
      this.#begin();
      return;
    }
    this.#hasBegun = true;
    for (const message of batch) this.#callback?.(this.#request, responseOf(message), bodyOf(message));
    if (!this.#queue) return;
    this.#queue.push(...batch);
    if (this.#queue.length > maxQueued) {
      const whole = this.#feed.whole();
      if (whole) this.#queue = [whole];
    }
    this.#wake();
  }

  #changed(): void {
    const { status } = this.#feed;
    if (status === this.#status) return;
    this.#status = status;
    this.#onStatus?.(status);
    this.#wake();
  }
}

/** Follows a feed as answers. */
export function subscribeToFeed(
  feed: Feed,
  url: string,
  callback: MessageCallback | undefined,
  options: SubscribeOptions,
): Subscription {
  return new FeedSubscription(feed, url, callback, options);
}
