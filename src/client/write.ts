import type { Problem } from "../protocol/index.ts";
import type { WriteState } from "./write-state.ts";

/** What a write does. */
export type WriteKind = "create" | "update" | "destroy";

/** A write that was refused, as it was made. */
export interface RefusedWrite {
  readonly kind: WriteKind;
  /** Where it went: for a `create`, the list's URL. `undefined` where the row has none. */
  readonly url: string | undefined;
  /** The record's members, or those to change; empty for a `destroy`. */
  readonly values: Readonly<Record<string, unknown>>;
  /** When it was made, in milliseconds since 1970; `undefined` where a client kept it that did not note that. */
  readonly madeAt: number | undefined;
}

/** A write as it is kept over a reload. */
export interface StoredWrite {
  /** Also its `Idempotency-Key`. */
  readonly id: string;
  readonly kind: WriteKind;
  /** The view that it was made in: a created record is shown there. */
  readonly view: string;
  /** The URL that it goes to; for a record that is not created yet, its temporary one. */
  url: string;
  /** The record's members, or those to change. */
  readonly values: Readonly<Record<string, unknown>>;
  /** `If-Match`. */
  etag?: string | undefined;
  /** The record as the writer saw it, where no validator of it is known: nothing is written over another one. */
  base?: object | undefined;
  /** Who made it; empty where nobody was named. */
  readonly user: string;
  /** When it was made. */
  readonly madeAt?: number | undefined;
  /** The batch that it is carried out with, or not at all: also that one's `Idempotency-Key`. */
  readonly batch?: string | undefined;
}

/** The two versions of a record that a guarded write met. */
export interface Conflict<Row = unknown> {
  readonly url: string;
  /** What the write wanted to change. */
  readonly mine: Partial<Row>;
  /** The record as the server has it now; `undefined` where it is gone. */
  readonly theirs: Row | undefined;
}

/**
 * A write that was refused since the record had changed (412). It has both versions.
 *
 * @typeParam Row - the record's type
 */
export class ConflictError<Row = unknown> extends Error {
  /** Tells it from other errors, also in a bundle that renames classes. */
  readonly code = "conflict";
  /** What the server said (RFC 9457). */
  readonly problem: Problem;
  readonly conflict: Conflict<Row>;

  /** @param conflict - both versions */
  constructor(problem: Problem, conflict: Conflict<Row>) {
    super(`${conflict.url} was changed by somebody else.`);
    this.name = "ConflictError";
    this.problem = problem;
    this.conflict = conflict;
  }
}

/** A write that is on its way, or done and not yet seen in the stream. */
export interface Write extends StoredWrite {
  state: WriteState;
  /** The write, not answered then, whose result the writer saw. */
  after: string | undefined;
  /** How often the server had another version. */
  rounds: number;
  /** The record as the server answered it. */
  row: unknown;
  /** The position at or after which the streams show it. */
  eventId: string | undefined;
  /** When it was answered. */
  answeredAt: number;
  readonly resolve: (row: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Decides on a conflict: other values to write over the server's version, or nothing to give up. */
  readonly onConflict: ((conflict: Conflict) => unknown) | undefined;
}
