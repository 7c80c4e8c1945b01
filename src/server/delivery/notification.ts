import { type Field, mergePatchType } from "../../protocol/index.ts";
import type { Change, Representation } from "../ports/journal.ts";
import { Deltas } from "./deltas.ts";
import type { Message } from "./message.ts";

/** One change as a view's subscribers see it. */
export interface Notification {
  /** 201 entered, 202 changed, 204 left. */
  readonly status: 201 | 202 | 204;
  /** The change's place in the journal. */
  readonly position: number;
  /** The record's URL. */
  readonly url: string;
  /** The record as it is now; absent on 204. */
  readonly representation?: Representation;
  /** What happened to a record that was there before and is now: a delta may tell it. */
  readonly change?: Change;
  /** The record's place in the list once this is applied; in derived views. */
  readonly index?: number;
  /** The commit mark, on the last notification of a batch. */
  eventId?: string;
}

/**
 * The ways a notification is written: the proposal's, Level 1's, and Level 1's with the subscription's name; the latter two
 * also with deltas.
 */
export type Form = "level0" | "level1" | "labelled" | "level1 with deltas" | "labelled with deltas";

const emptyNotification: Representation = { contentType: "application/json", body: "" };

/**
 * A notification's message, with the fields of its form in the order that the protocol gives.
 *
 * @param deltas - for a form with deltas: those of the same turn. Default: one is made for this message alone
 */
export function notificationMessage(
  notification: Notification,
  form: Form,
  subscription: string,
  deltas?: Deltas,
): Message {
  const { representation = emptyNotification, change, status, url } = notification;
  const { contentType, body, etag } = representation;
  const isLabelled = form === "labelled" || form === "labelled with deltas";
  const takesDeltas = form === "level1 with deltas" || form === "labelled with deltas";
  const delta = takesDeltas && change ? (deltas ?? new Deltas()).of(change) : undefined;
  const fields: Field[] = [
    ["Content-Type", delta ? mergePatchType : contentType],
    ["Content-Location", url],
  ];
  if (form !== "level0") {
    if (notification.index !== undefined) fields.push(["Item-Index", String(notification.index)]);
    if (delta) fields.push(["Delta-Base", delta.base]);
    if (etag !== undefined) fields.push(["ETag", etag]);
    if (notification.eventId !== undefined) fields.push(["Event-ID", notification.eventId]);
    if (isLabelled) fields.push(["Subscription", subscription]);
  }
  return { status, fields, body: delta?.patch ?? body };
}
