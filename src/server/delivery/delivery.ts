import type { Framing } from "../ports/transport.ts";
import type { Deltas } from "./deltas.ts";
import { encodeMessage } from "./message.ts";
import { type Form, type Notification, notificationMessage } from "./notification.ts";

/** What is written at once while a connection catches up. */
export const chunkBytes: number = 64 * 1024;

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

/** Framed messages that are written together. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Once they are written, everything up to here was given. */
  readonly position: number;
}

/** A delivery in one form. */
export interface EncodedDelivery {
  /** In order; pieces of about {@link chunkBytes} that no message straddles. */
  readonly chunks: readonly Chunk[];
  readonly bytes: number;
}

/** What a view produced in one turn: encoded and framed once per form, shared by all its subscribers. */
export class Delivery {
  readonly notifications: readonly Notification[];
  /** It is all that there is for the view after this position… */
  readonly from: number;
  /** …up to this one. */
  readonly to: number;
  readonly #subscription: string;
  readonly #deltas: Deltas | undefined;
  readonly #ready: Map<Framing, Partial<Record<Form, EncodedDelivery>>> = new Map();

  /**
   * @param subscription - the view's canonical URL
   * @param deltas - those of the same turn, for forms that have some
   */
  constructor(
    subscription: string,
    notifications: readonly Notification[],
    from: number,
    to: number,
    deltas?: Deltas | undefined,
  ) {
    this.#subscription = subscription;
    this.#deltas = deltas;
    this.notifications = notifications;
    this.from = from;
    this.to = to;
  }

  encoded(form: Form, framing: Framing): EncodedDelivery {
    let forms = this.#ready.get(framing);
    if (!forms) {
      forms = {};
      this.#ready.set(framing, forms);
    }
    forms[form] ??= this.#encode(form, framing);
    return forms[form];
  }

  /** The chunk that follows `position`; `undefined` unless one begins just there. */
  chunkAfter(position: number, form: Form, framing: Framing): Chunk | undefined {
    if (position < this.from || position >= this.to) return undefined;
    const { chunks } = this.encoded(form, framing);
    const at = position === this.from ? 0 : chunks.findIndex((chunk) => chunk.position === position) + 1;
    return position === this.from || at > 0 ? chunks[at] : undefined;
  }

  #encode(form: Form, framing: Framing): EncodedDelivery {
    const chunks: Chunk[] = [];
    let frames: Uint8Array[] = [];
    let bytes = 0;
    let total = 0;
    let last = this.from;
    for (const notification of this.notifications) {
      const message = notificationMessage(notification, form, this.#subscription, this.#deltas);
      const framed = encodeMessage(message, framing);
      if (bytes > 0 && bytes + framed.length > chunkBytes) {
        chunks.push({ bytes: joinBytes(frames), position: last });
        frames = [];
        bytes = 0;
      }
      frames.push(framed);
      bytes += framed.length;
      total += framed.length;
      last = notification.position;
    }
    if (frames.length > 0) chunks.push({ bytes: joinBytes(frames), position: this.to });
    return { chunks, bytes: total };
  }
}
