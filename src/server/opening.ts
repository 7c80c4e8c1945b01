import {
  createProblem,
  type Field,
  fieldValue,
  matchesEntityTag,
  prefersStrict,
  problemResponse,
} from "../protocol/index.ts";
import type { HubCore, Subscription } from "./core.ts";
import type { DirectView, OriginResponse } from "./origin.ts";

/** What a subscriber asks for beside the URL. */
export interface OpeningWishes {
  /** Resume after this position; `*` for no snapshot. */
  readonly lastEventId?: string | undefined;
  /** Entity tags that the subscriber holds. */
  readonly ifNoneMatch?: string | undefined;
  /** Lost history is an error (`Prefer: handling=strict`). */
  readonly isStrict?: boolean;
}

/** What a subscription's GET asks, and as whom. */
export interface OpeningRequest {
  readonly target: string;
  readonly fields: readonly Field[];
}

/** What became of an opening: accepted with its opening message, or refused with the origin's or the hub's answer. */
export type Opening =
  | {
      readonly kind: "accepted";
      readonly view: DirectView;
      readonly status: 200 | 304;
      readonly fields: readonly Field[];
      readonly body: OriginResponse["body"];
      readonly cursor: number;
      readonly epoch: number;
      /** The answer behind it, which others may open with, too. */
      readonly response: OriginResponse;
    }
  | { readonly kind: "refused"; readonly response: OriginResponse };

const notPassed = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "request-id",
  "set-cookie",
  "subscription",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The wishes that a subscriber's fields state. */
export function openingWishes(fields: readonly Field[]): OpeningWishes {
  return {
    lastEventId: fieldValue(fields, "last-event-id"),
    ifNoneMatch: fieldValue(fields, "if-none-match"),
    isStrict: prefersStrict(fields),
  };
}

function isSuccess(response: OriginResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** An origin's fields as a message carries them: end-to-end ones, and none that the hub alone says [R-SUB-6, R-BAND-10]. */
function passedFields(fields: readonly Field[], eventId?: string): Field[] {
  const passed = fields.filter(([name]) => !notPassed.has(name.toLowerCase()));
  if (eventId === undefined) return passed;
  return [...passed.filter(([name]) => name.toLowerCase() !== "event-id"), ["Event-ID", eventId]];
}

/** A refusal as a problem or a redirect: what the origin said where that is one, else a problem of its status. */
function refusalOf(response: OriginResponse): OriginResponse {
  const { status, fields, body } = response;
  const kept = passedFields(fields);
  if (isSuccess(response)) {
    const detail =
      response.notLive ??
      "This resource has no journal behind it, so there is nothing to subscribe to. GET it instead.";
    return problemResponse(createProblem(422, detail));
  }
  if (fieldValue(fields, "content-type")?.startsWith("application/problem+json")) return { status, fields: kept, body };
  if (status >= 300 && status < 400 && status !== 304) {
    const location = kept.filter(([name]) => name.toLowerCase() === "location");
    return { status, fields: location, body: "" };
  }
  const carried = kept.filter(([name]) => /^(retry-after|www-authenticate|allow)$/i.test(name));
  const known = status >= 400 && status < 600 ? status : 502;
  return problemResponse(createProblem(known, `A GET of this URL is answered with ${status}.`), carried);
}

const isBusy = problemResponse(createProblem(503, "The journal can't be read just now."), [["Retry-After", "1"]]);

type Ask = (method: string) => Promise<OriginResponse>;

/** Runs the GET (or, where no state is sent, the HEAD) that authorises a subscription and gives its start. Never rejects. */
export async function openView(
  hub: HubCore,
  { target, fields }: OpeningRequest,
  wishes: OpeningWishes,
  isShared = false,
): Promise<Opening> {
  const ask: Ask = (method) => (isShared ? hub.askShared(method, target, fields) : hub.ask(method, target, fields));
  try {
    return await openWith(hub, ask, wishes);
  } catch (error) {
    hub.reportError(error, "open");
    return { kind: "refused", response: isBusy };
  }
}

async function openWith(hub: HubCore, ask: Ask, wishes: OpeningWishes): Promise<Opening> {
  const { epoch, journal } = hub;
  const { lastEventId } = wishes;
  const isResume = lastEventId !== undefined && lastEventId !== "*";
  const located = isResume ? await journal?.locate(lastEventId) : undefined;
  const needsState = located === undefined && lastEventId !== "*";
  const response = await ask(needsState ? "GET" : "HEAD");
  const { view } = response;
  if (!isSuccess(response) || !view || !journal) return { kind: "refused", response: refusalOf(response) };
  if (!needsState) {
    const cursor = located ?? view.position;
    const eventId = located === undefined ? view.eventId : (lastEventId ?? "");
    const fields: Field[] = [["Event-ID", eventId]];
    return { kind: "accepted", view, status: 304, fields, body: "", cursor, epoch, response };
  }
  if (isResume && wishes.isStrict) {
    const detail = `What followed ${JSON.stringify(lastEventId.slice(0, 128))} is not known any more. Subscribe without Last-Event-ID.`;
    return { kind: "refused", response: problemResponse(createProblem(410, detail)) };
  }
  const etag = fieldValue(response.fields, "etag");
  const cursor = view.position;
  if (wishes.ifNoneMatch !== undefined && etag !== undefined && matchesEntityTag(wishes.ifNoneMatch, etag)) {
    const kept: Field[] = [
      ["ETag", etag],
      ["Event-ID", view.eventId],
    ];
    return { kind: "accepted", view, status: 304, fields: kept, body: "", cursor, epoch, response };
  }
  const passed = passedFields(response.fields, view.eventId);
  return { kind: "accepted", view, status: 200, fields: passed, body: response.body, cursor, epoch, response };
}

/**
 * Sends the opening message and starts what follows it [R-SUB-1].
 *
 * @param isShared - others begin with the very same message
 */
export function beginSubscription(
  subscription: Subscription,
  opening: Opening & { kind: "accepted" },
  extraFields: readonly Field[] = [],
  isShared = false,
): void {
  const { connection } = subscription;
  connection.hub.join(subscription, opening.view);
  subscription.cursor = opening.cursor;
  subscription.goal = opening.view.position;
  subscription.epoch = opening.epoch;
  subscription.state = "behind";
  subscription.owesBookmark = true;
  connection.sendMessage({
    status: opening.status,
    fields: [...opening.fields, ...subscription.labels, ...extraFields],
    body: opening.body,
    frames: isShared ? connection.hub.shared.of(opening.response, subscription.form) : undefined,
  });
  connection.catchUp(subscription);
}

/** Opens a subscription in its turn and begins it, or ends it with the refusal. */
export function openSubscription(subscription: Subscription, wishes: OpeningWishes, isShared = false): void {
  const { connection } = subscription;
  void connection.inTurn(async () => {
    // The state is read when it can be sent: no snapshot waits for a peer that does not read [R-SUB-12].
    await connection.room();
    if (subscription.state !== "opening") return;
    const opening = await openView(connection.hub, subscription, wishes, isShared);
    if (subscription.state !== "opening") return;
    if (opening.kind === "refused") connection.endRefused(subscription, opening.response);
    else if (connection.level === 0) connection.close(1012, "What happened is not known. GET again and reconnect.");
    else beginSubscription(subscription, opening, [], isShared);
  });
}

/**
 * Starts a subscription over where the journal can't tell what happened: a fresh 200 [R-RES-6], at Level 0 a close
 * with 1012 [R-L0-6], and a refusal where there is nothing to see any more [R-L0-7, R-SUB-10].
 */
export function reopenSubscription(subscription: Subscription): void {
  if (subscription.state === "ended" || subscription.state === "opening") return;
  subscription.leave();
  subscription.state = "opening";
  openSubscription(subscription, subscription.connection.level === 0 ? { lastEventId: "*" } : {}, true);
}
