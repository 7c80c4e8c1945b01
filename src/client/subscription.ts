import type { HttpResponse } from "../protocol/index.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Feed } from "./feed.ts";
import { localProblem } from "./problem.ts";
import type { Status } from "./status.ts";

/**
 * Called for the list and for each change alike.
 *
 * @param request - what was asked for: the method is `SUBSCRIBE`, the URL that of the subscription
 * @param response - a 200 for the whole, a 201, 202 or 204 for a record, named by `Content-Location`
 * @param body - the body: parsed where it is JSON, else as text; `undefined` on a 204
 */
export type MessageCallback = (request: Request, response: Response, body: unknown) => unknown;

/** Options of one subscription. */
export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
  /** Told of each change of the status. */
  readonly onStatus?: (status: Status) => unknown;
}

/**
 * A URL that is followed: the answers, one after another, as an async iterable. The iterable ends where the
 * subscription is closed, and throws a `ProblemError` where the server refuses or ends it.
 */
export interface Subscription extends AsyncIterable<Response> {
  readonly status: Status;
  /** Ends it. Twice is fine. */
  close(): void;
}

/** Follows a feed as answers. What makes them is loaded while the first one is on its way. */
export function subscribeToFeed(
  { feed, url, callbacks }: { readonly feed: Feed; readonly url: string; readonly callbacks: Callbacks },
  callback: MessageCallback | undefined,
  { signal, onStatus }: SubscribeOptions,
): Subscription {
  const stop = new AbortController();
  const early: (readonly HttpResponse[])[] = [];
  const parts = { callbacks, feed, url, callback, onStatus, stop, early, told: feed.status };
  let failed: Status | undefined;
  const unlisten = feed.listen((batch) => void early.push(batch));
  const close = (): void => {
    unlisten();
    stop.abort();
  };
  if (signal?.aborted) close();
  signal?.addEventListener("abort", close, { signal: stop.signal });
  const answers = import("./answers.ts").then(({ Answers }) => new Answers(parts)).finally(unlisten);
  answers.catch((error: Error) => {
    const status: Status = { state: "failed", problem: localProblem(500, error.message) };
    failed = status;
    close();
    callbacks.call(() => onStatus?.(status));
  });
  return {
    get status() {
      return failed ?? feed.status;
    },
    close,
    [Symbol.asyncIterator]() {
      const iterator = answers.then((one) => one[Symbol.asyncIterator]());
      iterator.catch(() => {});
      return {
        next: async () => (await iterator).next(),
        return: async () => {
          close();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
