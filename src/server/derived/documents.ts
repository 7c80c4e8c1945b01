import type { OriginResponse } from "../ports/origin.ts";
import { digestDocument, type Sha256 } from "./digest.ts";
import { type Document, type DocumentPlace, readingDocument, rereadingDocument } from "./document.ts";
import { finishInTurns } from "./slices.ts";
import { documentOf, type KeptDocument } from "./standing.ts";

/** What a row costs beside its text, about: its URL and its place. */
const rowBytes = 100;
/** One viewer's documents may have at most this part of what all may. */
const viewerPart = 3;

interface Kept extends KeptDocument {
  readonly key: string;
  readonly bytes: number;
  /** How many views hold it, and how many of each viewer's. */
  holds: number;
  readonly holdsOf: Map<string, number>;
}

/** A view's hold on its document. */
export interface Hold extends KeptDocument {
  /** Gives it up. Once. */
  release(): void;
}

/** What became of a document that was to be taken in. */
export type Taken = Hold | 429 | 503;

function sizeOf({ body, list }: Document): number {
  return body.length + (list ? list.rows.length * rowBytes : 0);
}

/** The documents of all derived views: equal ones are kept once, and all of them in bounded memory [R-SEC-5]. */
export class Documents {
  readonly #maxBytes: number;
  readonly #hash: Sha256;
  readonly #defer: (callback: () => void) => void;
  readonly #kept: Map<string, Kept> = new Map();
  readonly #bytesOf: Map<string, number> = new Map();
  #bytes = 0;

  /**
   * @param maxBytes - what all documents may have together, in bytes
   * @param defer - calls back in another turn of the event loop
   */
  constructor(maxBytes: number, hash: Sha256, defer: (callback: () => void) => void) {
    this.#maxBytes = maxBytes;
    this.#hash = hash;
    this.#defer = defer;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The position of an answer's document [R-POS-8]. */
  positionOf(response: OriginResponse): string {
    return `d-${digestDocument(this.#hash, documentOf(response))}`;
  }

  /**
   * Takes an answer's document in; a large one is read in slices, a slice in each turn.
   *
   * @param owner - the viewer whose it is, `""` where several share it
   * @param before - what it most likely resembles
   * @param replaced - what is given up for it, once it is read
   * @returns 429 where the viewer has too much, and 503 where all have
   */
  take(
    owner: string,
    place: DocumentPlace,
    response: OriginResponse,
    before?: KeptDocument,
    replaced?: Hold,
  ): Taken | Promise<Taken> {
    const eventId = this.positionOf(response);
    const { target, authority, rule } = place;
    const key = JSON.stringify([eventId, target.split("?")[0], authority, rule ?? null]);
    const { body } = response;
    if (this.#kept.has(key)) return this.#claim(key, owner, undefined, replaced);
    // What it replaces may be all that its viewer has.
    const own = replaced ? Math.max(0, body.length - (this.#bytesOf.get(owner) ?? 0)) : body.length;
    const refusal = this.#refuse(owner, own, body.length);
    if (refusal) return refusal;
    // Counts already while it is read.
    this.#bytes += body.length;
    const { contentType, next, items } = documentOf(response);
    const answered = { ...place, items };
    const work = before
      ? rereadingDocument(before.document, contentType, body, answered)
      : readingDocument(contentType, body, answered);
    const read = finishInTurns(work, this.#defer);
    const claim = (document: Document): Taken => {
      this.#bytes -= body.length;
      return this.#claim(key, owner, { document: { ...document, next }, eventId }, replaced);
    };
    return read instanceof Promise ? read.then(claim) : claim(read);
  }

  #claim(key: string, owner: string, read: KeptDocument | undefined, replaced: Hold | undefined): Taken {
    // Before the release, which may forget it.
    let kept = this.#kept.get(key);
    if (kept) kept.holds += 1;
    replaced?.release();
    if (kept) kept.holds -= 1;
    else if (read) kept = { ...read, key, bytes: sizeOf(read.document), holds: 0, holdsOf: new Map() };
    else throw new TypeError("A document that is not kept has to be read.");
    const { bytes, holds, holdsOf } = kept;
    return this.#refuse(owner, holdsOf.has(owner) ? 0 : bytes, holds > 0 ? 0 : bytes) ?? this.#hold(kept, owner);
  }

  /** @param own - what it adds for its viewer. @param added - what it adds in all */
  #refuse(owner: string, own: number, added: number): 429 | 503 | undefined {
    if (owner !== "" && own > 0 && (this.#bytesOf.get(owner) ?? 0) + own > this.#maxBytes / viewerPart) return 429;
    return added > 0 && this.#bytes + added > this.#maxBytes ? 503 : undefined;
  }

  #hold(kept: Kept, owner: string): Hold {
    const holdsOf = kept.holdsOf.get(owner) ?? 0;
    if (kept.holds === 0) {
      this.#kept.set(kept.key, kept);
      this.#bytes += kept.bytes;
    }
    if (holdsOf === 0) this.#bytesOf.set(owner, (this.#bytesOf.get(owner) ?? 0) + kept.bytes);
    kept.holds += 1;
    kept.holdsOf.set(owner, holdsOf + 1);
    const { document, eventId } = kept;
    return { document, eventId, release: () => this.#release(kept, owner) };
  }

  #release(kept: Kept, owner: string): void {
    const holdsOf = (kept.holdsOf.get(owner) ?? 1) - 1;
    kept.holds -= 1;
    if (holdsOf > 0) kept.holdsOf.set(owner, holdsOf);
    else {
      kept.holdsOf.delete(owner);
      const left = (this.#bytesOf.get(owner) ?? 0) - kept.bytes;
      if (left > 0) this.#bytesOf.set(owner, left);
      else this.#bytesOf.delete(owner);
    }
    if (kept.holds > 0) return;
    this.#kept.delete(kept.key);
    this.#bytes -= kept.bytes;
  }
}
