import {
  chooseDeltas,
  createProblem,
  type Field,
  fieldValue,
  matchesEntityTag,
  prefersStrict,
  problemResponse,
} from "../../protocol/index.ts";
import type { Start } from "../delivery/following.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Viewer } from "../viewer.ts";
import type { GivenRight } from "./doubts.ts";

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
  /** The viewer's; `Accept` without what only the hub is asked for. */
  readonly fields: readonly Field[];
  readonly peer?: unknown;
  /** Whether changes may be told by deltas. Default false. */
  readonly takesDeltas?: boolean;
}

/** What a subscriber with these fields asks for. */
export function openingRequest(target: string, viewer: Viewer): OpeningRequest {
  return { target, peer: viewer.peer, ...chooseDeltas(viewer.fields) };
}

/** The first message of a subscription. */
export interface OpeningMessage {
  readonly kind: "accepted";
  readonly status: 200 | 304;
  readonly fields: readonly Field[];
  readonly body: OriginResponse["body"];
}

/** An opening that ends with the origin's or the hub's answer. */
export interface RefusedOpening {
  readonly kind: "refused";
  readonly response: OriginResponse;
  /** The canonical URL of what may be followed, but not from the position that was asked for [R-RES-4]. */
  readonly lost?: string;
}

/** An opening that may begin, with its first message. */
export interface AcceptedOpening extends OpeningMessage {
  readonly start: Start;
  /** What the message is made of, which others may open with, too. */
  readonly source: object;
  /** The fields of the state, whether that is sent or not. */
  readonly described: readonly Field[];
  /** What it was authorised by. Default: what nobody doubts. */
  readonly right?: GivenRight;
}

/** What became of an opening: accepted, or refused with the origin's or the hub's answer. */
export type Opening = AcceptedOpening | RefusedOpening;

/** The wishes that a subscriber's fields state. */
export function openingWishes(fields: readonly Field[]): OpeningWishes {
  return {
    lastEventId: fieldValue(fields, "last-event-id"),
    ifNoneMatch: fieldValue(fields, "if-none-match"),
    isStrict: prefersStrict(fields),
  };
}

/** The wishes of a subscriber who can't be sent a state: to go on from a position, or from now. */
export function wishesWithoutState(fields: readonly Field[]): OpeningWishes {
  return { lastEventId: fieldValue(fields, "last-event-id") ?? "*", isStrict: true };
}

/** What a subscriber whose position is not known any more is sent first [R-RES-2, R-RES-4, R-SUB-7]. */
export function openingMessage(
  { lastEventId, isStrict, ifNoneMatch }: OpeningWishes,
  eventId: string | undefined,
  etag: string | undefined,
  state: Pick<OpeningMessage, "fields" | "body">,
): OpeningMessage | RefusedOpening {
  if (lastEventId !== undefined && lastEventId !== "*" && isStrict) {
    const detail = `What followed ${JSON.stringify(lastEventId.slice(0, 128))} is not known any more. Subscribe without Last-Event-ID.`;
    return { kind: "refused", response: problemResponse(createProblem(410, detail)) };
  }
  if (ifNoneMatch !== undefined && etag !== undefined && matchesEntityTag(ifNoneMatch, etag)) {
    const kept: Field[] = [["ETag", etag]];
    if (eventId !== undefined) kept.push(["Event-ID", eventId]);
    return { kind: "accepted", status: 304, fields: kept, body: "" };
  }
  return { kind: "accepted", status: 200, ...state };
}
