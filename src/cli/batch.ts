import { fieldValue, type HttpResponse, notificationKind } from "../protocol/index.ts";

const maxHeld = 10_000;

/**
 * Holds the messages of a transaction until its last one, which carries the Event-ID: a connection that breaks within
 * a transaction gets all of it again after the resume, so nothing of it may have been shown [R-POS-5].
 */
export class Batch {
  #held: HttpResponse[] = [];
  #hasMarks = false;

  /** Takes a message and gives those that are complete with it, in order. */
  add(message: HttpResponse): HttpResponse[] {
    const kind = notificationKind(message.status);
    if (kind === "snapshot" || kind === "problem") this.#held = [];
    this.#held.push(message);
    const isMarked = fieldValue(message.fields, "Event-ID") !== undefined;
    if (isMarked) this.#hasMarks = true;
    // A server without positions can't be resumed, and a huge transaction is not worth the memory.
    const isComplete = isMarked || !this.#hasMarks || kind === "problem" || this.#held.length >= maxHeld;
    return isComplete ? this.#held.splice(0) : [];
  }
}
