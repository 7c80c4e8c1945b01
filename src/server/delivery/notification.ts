import type { Field } from "../../protocol/index.ts";
import type { Representation } from "../ports/journal.ts";
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
  /** The record's place in the list once this is applied; in derived views. */
  readonly index?: number;
  /** The commit mark, on the last notification of a batch. */
  eventId?: string;
}

/** The ways a notification is written: the proposal's, Level 1's, and Level 1's with the subscription's name. */
export type Form = "level0" | "level1" | "labelled";

const emptyNotification: Representation = { contentType: "application/json", body: "" };

/** A notification's message, with the fields of its form in the order that the protocol gives. */
export function notificationMessage(notification: Notification, form: Form, subscription: string): Message {
  const { contentType, body, etag } = notification.representation ?? emptyNotification;
  const fields: Field[] = [
    ["Content-Type", contentType],
    ["Content-Location", notification.url],
  ];
  if (form !== "level0") {
    if (notification.index !== undefined) fields.push(["Item-Index", String(notification.index)]);
    if (etag !== undefined) fields.push(["ETag", etag]);
    if (notification.eventId !== undefined) fields.push(["Event-ID", notification.eventId]);
    if (form === "labelled") fields.push(["Subscription", subscription]);
  }
  return { status: notification.status, fields, body };
}
