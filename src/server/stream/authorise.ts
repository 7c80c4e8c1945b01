import {
  createProblem,
  type Field,
  fieldValue,
  matchesEntityTag,
  prefersStrict,
  problemResponse,
} from "../../protocol/index.ts";
import { smallBytes } from "../byte-budget.ts";
import type { DerivedView } from "../derived/derived-view.ts";
import type { Admission } from "../derived/derived-views.ts";
import type { OriginResponse } from "../ports/origin.ts";
import { endToEndFields, type Viewer } from "../viewer.ts";
import type { ConnectionCore, DerivedStart, DirectStart, HubCore, Subscription } from "./subscription.ts";

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
  readonly peer?: unknown;
}

/** An opening that may begin, with its first message. */
export interface AcceptedOpening {
  readonly kind: "accepted";
  readonly start: DirectStart | DerivedStart;
  readonly status: 200 | 304;
  readonly fields: readonly Field[];
  readonly body: OriginResponse["body"];
  /** What the message is made of, which others may open with, too. */
  readonly source: object;
}

/** What became of an opening: accepted, or refused with the origin's or the hub's answer. */
export type Opening = AcceptedOpening | { readonly kind: "refused"; readonly response: OriginResponse };

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
  const passed = endToEndFields(fields).filter(([name]) => name.toLowerCase() !== "event-id");
  return eventId === undefined ? passed : [...passed, ["Event-ID", eventId]];
}

/** A refusal as a problem or a redirect: what the origin said where that is one, else a problem of its status. */
export function refusalOf(response: OriginResponse): OriginResponse {
  const { status, fields, body } = response;
  const kept = passedFields(fields);
  if (isSuccess(response) && !isDocument(response)) {
    return problemResponse(
      createProblem(415, `A GET of this URL is answered with ${status}, which is no document to follow.`),
    );
  }
  if (isSuccess(response)) {
    const detail =
      response.notLive ??
      "No journal follows this resource, and this server (its option derived) does not ask for it again. GET it instead.";
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

const lostHistory = "What happened is not known. GET again and reconnect.";

const isFull = problemResponse(
  createProblem(503, "The server holds as much for its peers as it may. Try again later."),
  [["Retry-After", "5"]],
);

const isBusy = problemResponse(createProblem(503, "The journal can't be read just now."), [["Retry-After", "1"]]);

type Ask = (method: string) => Promise<OriginResponse>;

/**
 * Runs the GET (or, where no state is sent, the HEAD) that authorises a subscription and gives its start. Never rejects.
 *
 * @param since - the moment from which on an answer to somebody who asked the same will do, too
 */
export async function openView(
  hub: HubCore,
  request: OpeningRequest,
  wishes: OpeningWishes,
  since?: number,
): Promise<Opening> {
  const opening = await openAny(hub, request, wishes, since);
  const hasRoom = !hub.held.isFull || opening.kind === "refused" || opening.body.length <= smallBytes;
  // Who follows already is not sent away for it.
  return hasRoom || since !== undefined ? opening : { kind: "refused", response: isFull };
}

async function openAny(
  hub: HubCore,
  request: OpeningRequest,
  wishes: OpeningWishes,
  since: number | undefined,
): Promise<Opening> {
  const { target, fields, peer } = request;
  const viewer: Viewer = { fields, peer };
  const ask: Ask = (method) => {
    const alone = (): Promise<OriginResponse> => hub.ask(method, target, fields, viewer);
    if (since === undefined || !hub.journal) return alone();
    // What no journal follows may be for one request alone.
    return hub.askShared(method, target, viewer, since).then((response) => {
      return response.view || !isSuccess(response) ? response : alone();
    });
  };
  const arming = hub.derived?.arm(target);
  try {
    const opening = await openDirect(hub, ask, wishes);
    const { derived } = hub;
    if (opening.kind === "refused" && !isLater(opening.response.status)) derived?.refused(target, viewer);
    if (opening.kind !== "other") return opening;
    const response = opening.isHead ? await ask("GET") : opening.response;
    const canDerive = isDocument(response) && response.notLive === undefined;
    if (!derived || !arming || !canDerive) return { kind: "refused", response: refusalOf(response) };
    const admission = await derived.admit(response.url ?? target, viewer, response, arming);
    return "status" in admission ? { kind: "refused", response: admission } : openDerived(admission, wishes);
  } catch (error) {
    hub.reportError(error, "open");
    return { kind: "refused", response: isBusy };
  } finally {
    if (arming) hub.derived?.disarm(arming);
  }
}

/** Whether a status says nothing of what the viewer may see: the same may be answered later. */
function isLater(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function isDocument({ status }: OriginResponse): boolean {
  return status === 200 || status === 203;
}

interface OtherAnswer {
  readonly kind: "other";
  readonly response: OriginResponse;
  readonly isHead: boolean;
}

async function openDirect(hub: HubCore, ask: Ask, wishes: OpeningWishes): Promise<Opening | OtherAnswer> {
  const { epoch, journal } = hub;
  const { lastEventId } = wishes;
  const isResume = lastEventId !== undefined && lastEventId !== "*";
  const located = isResume ? await journal?.locate(lastEventId) : undefined;
  const needsState = !journal || (located === undefined && lastEventId !== "*");
  const response = await ask(needsState ? "GET" : "HEAD");
  const { view } = response;
  if (!isSuccess(response)) return { kind: "refused", response: refusalOf(response) };
  if (!view || !journal) return { kind: "other", response, isHead: !needsState };
  const start = (cursor: number): DirectStart => ({ kind: "direct", view, cursor, epoch });
  if (!needsState) {
    const eventId = located === undefined ? view.eventId : (lastEventId ?? "");
    const fields: Field[] = [["Event-ID", eventId]];
    return {
      kind: "accepted",
      start: start(located ?? view.position),
      status: 304,
      fields,
      body: "",
      source: response,
    };
  }
  const etag = fieldValue(response.fields, "etag");
  const message = openingMessage(wishes, view.eventId, etag, response, passedFields(response.fields, view.eventId));
  return message.kind === "refused" ? message : { ...message, start: start(view.position), source: response };
}

type OpeningMessage =
  | { readonly kind: "refused"; readonly response: OriginResponse }
  | Pick<AcceptedOpening, "kind" | "status" | "fields" | "body">;

/** What a subscriber whose position is not known any more is sent first [R-RES-2, R-RES-4, R-SUB-7]. */
function openingMessage(
  { lastEventId, isStrict, ifNoneMatch }: OpeningWishes,
  eventId: string,
  etag: string | undefined,
  { body }: Pick<OriginResponse, "body">,
  fields: readonly Field[],
): OpeningMessage {
  if (lastEventId !== undefined && lastEventId !== "*" && isStrict) {
    const detail = `What followed ${JSON.stringify(lastEventId.slice(0, 128))} is not known any more. Subscribe without Last-Event-ID.`;
    return { kind: "refused", response: problemResponse(createProblem(410, detail)) };
  }
  if (ifNoneMatch !== undefined && etag !== undefined && matchesEntityTag(ifNoneMatch, etag)) {
    const kept: Field[] = [
      ["ETag", etag],
      ["Event-ID", eventId],
    ];
    return { kind: "accepted", status: 304, fields: kept, body: "" };
  }
  return { kind: "accepted", status: 200, fields, body };
}

/** The opening of a derived view: its position is its document's, so a resume is exact or begins anew [R-DER-8]. */
function openDerived(admission: Admission<Subscription>, wishes: OpeningWishes): Opening {
  const { view } = admission;
  const { eventId, etag, document, fields } = view.standing;
  const start: DerivedStart = { kind: "derived", ...admission };
  const source = view.standing;
  const position: Field = ["Event-ID", eventId];
  if (wishes.lastEventId === eventId || wishes.lastEventId === "*") {
    return { kind: "accepted", start, status: 304, fields: [position], body: "", source };
  }
  const message = openingMessage(wishes, eventId, etag, document, [...fields, position]);
  return message.kind === "refused" ? message : { ...message, start, source };
}

/**
 * Sends the opening message and starts what follows it [R-SUB-1].
 *
 * @param isShared - others begin with the very same message
 */
export function beginSubscription(
  subscription: Subscription,
  opening: AcceptedOpening,
  extraFields: readonly Field[] = [],
  isShared = false,
): void {
  const { connection } = subscription;
  const { start, status, fields, body, source } = opening;
  connection.hub.join(subscription, start);
  if (start.kind === "direct") {
    subscription.cursor = start.cursor;
    subscription.goal = start.view.position;
    subscription.epoch = start.epoch;
  } else {
    subscription.standing = fieldValue(fields, "event-id") ?? "";
  }
  subscription.state = "behind";
  subscription.owesBookmark = true;
  const frames = isShared && status === 200 ? connection.hub.shared.of(source, subscription.form) : undefined;
  connection.sendMessage({ status, fields: [...fields, ...subscription.labels, ...extraFields], body, frames });
  connection.catchUp(subscription);
}

/** Gives a subscription of a derived view the document as it is now [R-DER-5]; at Level 0 it has to GET it itself. */
export function showDocument(subscription: Subscription, view: DerivedView<Subscription>): void {
  const { connection } = subscription;
  if (connection.level === 0) {
    connection.close(1012, lostHistory);
    return;
  }
  subscription.standing = view.eventId;
  subscription.owesBookmark = true;
  connection.sendMessage({
    status: 200,
    fields: [...view.standing.fields, ["Event-ID", view.eventId], ...subscription.labels],
    body: view.document.body,
    frames: connection.hub.shared.of(view.standing, subscription.form),
  });
}

/**
 * Runs an opening in its connection's turn, when there is room for what it brings: the state is read when it can be
 * sent, and no snapshot waits for a peer that does not read. What is unsent never is more than the bound and one
 * document [R-SUB-12].
 *
 * @param begin - called at once with what became of it, unless the connection is closed by then
 */
export async function openInTurn(
  connection: ConnectionCore,
  open: () => Promise<Opening>,
  begin: (opening: Opening) => void,
): Promise<void> {
  const isOver = async (): Promise<boolean> => {
    const opening = await open();
    if (connection.isClosed) return true;
    const needsRoom = opening.kind === "accepted" && opening.status === 200;
    // Others were opened meanwhile. Nothing may come between this look and the message, or both would take the room.
    if (needsRoom && connection.isCongested) return false;
    begin(opening);
    return true;
  };
  while ((await connection.hub.turns.run(connection, isOver)) === false);
}

/** Opens a subscription in its turn and begins it, or ends it with the refusal. */
export function openSubscription(subscription: Subscription, wishes: OpeningWishes, isShared = false): void {
  const { connection } = subscription;
  const since = isShared ? connection.hub.moment() : undefined;
  const begin = (opening: Opening): void => {
    if (subscription.state !== "opening") return;
    if (opening.kind === "refused") connection.endRefused(subscription, opening.response);
    else if (connection.level === 0 && !isStandingThere(subscription, opening)) connection.close(1012, lostHistory);
    else beginSubscription(subscription, opening, [], isShared);
  };
  void connection.inTurn(subscription.target, () => {
    // A SUBSCRIBE that had its turn before may have brought other credentials.
    const request = { target: subscription.target, fields: subscription.fields, peer: connection.peer };
    return openInTurn(connection, () => openView(connection.hub, request, wishes, since), begin);
  });
}

/** True where an opening goes on from what the subscription was given last. */
function isStandingThere({ derived, standing }: Subscription, { status, fields }: AcceptedOpening): boolean {
  return derived !== undefined && status === 304 && fieldValue(fields, "event-id") === standing;
}

/**
 * Starts a subscription over where the journal can't tell what happened: a fresh 200 [R-RES-6], at Level 0 a close
 * with 1012 [R-L0-6], and a refusal where there is nothing to see any more [R-L0-7, R-SUB-10].
 */
export function reopenSubscription(subscription: Subscription): void {
  if (subscription.state === "ended" || subscription.state === "opening") return;
  subscription.leave();
  subscription.state = "opening";
  const { derived, standing, connection } = subscription;
  if (derived) openSubscription(subscription, { lastEventId: standing }, true);
  else openSubscription(subscription, connection.level === 0 ? { lastEventId: "*" } : {}, true);
}
