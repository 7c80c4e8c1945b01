import { isDelta, Replica } from "../../src/check/server/replica.ts";
import { fieldOf, type Message } from "../../src/check/wire/messages.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";

/** A message as the check's own reader gives it. */
export function messageFrom({ status, fields, body }: HttpResponse): Message {
  return { status, fields, body: Buffer.from(body), isText: true, method: "", target: "", text: "", flaws: [] };
}

/** What a client by the book holds: batches that are whole. */
export class Holding {
  readonly #replica: Replica;
  #pending: Message[] = [];
  position: string | undefined;

  constructor(target: string) {
    this.#replica = new Replica(target);
  }

  get rows(): readonly unknown[] {
    return this.#replica.rows;
  }

  /** Forgets what no mark followed. */
  break(): void {
    this.#pending = [];
  }

  /** Whether it says of which record it is, where it must. */
  isNamed(message: Message): boolean {
    const isOfRecord = [201, 202, 204].includes(message.status);
    return !isOfRecord || !this.#replica.isList || fieldOf(message, "content-location") !== undefined;
  }

  /** Takes a message; false where a delta does not fit. */
  take(message: Message): boolean {
    if (message.status === 200) this.#pending = [];
    if ([200, 201, 202, 204].includes(message.status)) this.#pending.push(message);
    const position = fieldOf(message, "event-id");
    if (position === undefined) return true;
    const batch = this.#pending.splice(0);
    if (batch.some((one) => isDelta(one) && !this.#replica.fits(one))) return false;
    this.position = position;
    for (const one of batch) this.#replica.apply(one);
    return true;
  }
}
