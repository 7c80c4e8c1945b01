import { isDelta, Replica } from "../../src/check/server/replica.ts";
import { fieldOf, type Message } from "../../src/check/wire/messages.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";

/** A message as the check's own reader gives it. */
export function messageFrom({ status, fields, body }: HttpResponse): Message {
  return { status, fields, body: Buffer.from(body), isText: true, method: "", target: "", text: "", flaws: [] };
}

/** What a client may get wrong about marks. */
export type MarkMistake = "keeps what no mark followed over a 200" | "moves its position by a 304 within a batch";

/** What a client by the book holds, but for one mistake: batches that are whole. */
export class Holding {
  readonly #replica: Replica;
  readonly #mistake: MarkMistake | undefined;
  #pending: Message[] = [];
  position: string | undefined;

  constructor(target: string, mistake?: MarkMistake) {
    this.#mistake = mistake;
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
    const position = fieldOf(message, "event-id");
    if (message.status === 200) {
      if (this.#mistake !== "keeps what no mark followed over a 200") this.#pending = [];
      this.#replica.apply(message);
      this.position = position;
      return true;
    }
    if (message.status === 304) {
      const isWithin = this.#pending.length > 0 && this.#mistake !== "moves its position by a 304 within a batch";
      if (!isWithin) this.position = position ?? this.position;
      return true;
    }
    if ([201, 202, 204].includes(message.status)) this.#pending.push(message);
    if (position === undefined) return true;
    const batch = this.#pending.splice(0);
    if (batch.some((one) => isDelta(one) && !this.#replica.fits(one))) return false;
    this.position = position;
    for (const one of batch) this.#replica.apply(one);
    return true;
  }
}
