import { makeMergePatchText, mergePatchType, utf8Length } from "../../protocol/index.ts";
import type { Change } from "../ports/journal.ts";

/** What a change is told by, where that is less than the record. */
export interface Delta {
  readonly patch: string;
  /** The entity tag of the record that it is applied to. */
  readonly base: string;
}

/** The deltas of one turn's changes: each is made when somebody wants it, and once for all views and forms. */
export class Deltas {
  readonly #made: Map<Change, Delta | undefined> = new Map();

  /** The delta of an update; `undefined` where the record itself has to be sent [R-DELTA-2] [R-DELTA-6]. */
  of(change: Change): Delta | undefined {
    if (this.#made.has(change)) return this.#made.get(change);
    const delta = makeDelta(change);
    this.#made.set(change, delta);
    return delta;
  }
}

function makeDelta(change: Change): Delta | undefined {
  const before = change.representBefore?.();
  if (!before) return undefined;
  const { contentType, body, etag } = change.represent();
  const base = before.etag;
  const isTagged = isStrong(etag) && isStrong(base);
  const isJson = before.contentType === contentType && /[/+]json *(?:;|$)/i.test(contentType);
  if (!isTagged || !isJson || typeof body !== "string" || typeof before.body !== "string") return undefined;
  const patch = makeMergePatchText(before.body, body);
  // The fields that a delta has more than a record cost something, too.
  const more = `Delta-Base: ${base}\r\n`.length + mergePatchType.length - contentType.length;
  return patch !== undefined && utf8Length(patch) + more < utf8Length(body) ? { patch, base } : undefined;
}

function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') ?? false;
}
