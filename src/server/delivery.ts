import { encodeResponse, type Field } from "../protocol/index.ts";
import type { Representation } from "./journal.ts";
import type { Framing } from "./transport.ts";

/** One change as a view's subscribers see it. */
export interface Notification {
  /** 201 entered, 202 changed, 204 left. */
  readonly status: 201 | 202 | 204;
  /** The record's URL. */
  readonly url: string;
  /** The record as it is now; absent on 204. */
  readonly representation?: Representation;
  /** The commit mark, on the last notification of a batch. */
  eventId?: string;
}

/** The ways a notification is written: the proposal's, Level 1's, and Level 1's with the subscription's name. */
export type Form = "level0" | "level1" | "labelled";

/** What is written at once while a connection catches up. */
export const chunkBytes: number = 64 * 1024;

const reasons = { 201: "Created", 202: "Accepted", 204: "No Content" } as const;
const emptyNotification: Representation = { contentType: "application/json", body: "" };

/** A notification's message, with the fields of its form in the order that the protocol gives. */
function encodeNotification(notification: Notification, form: Form, subscription: string): string | Uint8Array {
  const { contentType, body, etag } = notification.representation ?? emptyNotification;
  const fields: Field[] = [
    ["Content-Type", contentType],
    ["Content-Location", notification.url],
  ];
  if (form !== "level0") {
    if (etag !== undefined) fields.push(["ETag", etag]);
    if (notification.eventId !== undefined) fields.push(["Event-ID", notification.eventId]);
    if (form === "labelled") fields.push(["Subscription", subscription]);
  }
  return encodeResponse({ status: notification.status, reason: reasons[notification.status], fields, body });
}

/** Joins byte arrays; one alone is given as it is. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  let total = 0;
  for (const part of parts) total += part.length;
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** What a view produced in one turn: encoded and framed once per form, shared by all its subscribers. */
export class Delivery {
  readonly notifications: readonly Notification[];
  readonly #subscription: string;
  readonly #ready: Map<Framing, Partial<Record<Form, readonly Uint8Array[]>>> = new Map();

  /** @param subscription - the view's canonical URL */
  constructor(subscription: string, notifications: readonly Notification[]) {
    this.#subscription = subscription;
    this.notifications = notifications;
  }

  /** The framed messages in order, in pieces of about {@link chunkBytes} that no message straddles. */
  chunks(form: Form, framing: Framing): readonly Uint8Array[] {
    let forms = this.#ready.get(framing);
    if (!forms) {
      forms = {};
      this.#ready.set(framing, forms);
    }
    forms[form] ??= this.#encode(form, framing);
    return forms[form];
  }

  #encode(form: Form, framing: Framing): readonly Uint8Array[] {
    const chunks: Uint8Array[] = [];
    let frames: Uint8Array[] = [];
    let bytes = 0;
    for (const notification of this.notifications) {
      const framed = framing.frame(encodeNotification(notification, form, this.#subscription));
      if (bytes > 0 && bytes + framed.length > chunkBytes) {
        chunks.push(joinBytes(frames));
        frames = [];
        bytes = 0;
      }
      frames.push(framed);
      bytes += framed.length;
    }
    if (frames.length > 0) chunks.push(joinBytes(frames));
    return chunks;
  }
}
