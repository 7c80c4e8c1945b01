import type { OriginRequest, OriginResponse } from "../../../server/index.ts";
import type { Names } from "../../engine/names.ts";
import type { LiveSettings } from "../../rest/live.ts";
import type { ResolvedRules } from "../../rules/rules.ts";
import type { Schema } from "../schema.ts";

/** What a thread is given when it starts. */
export interface ThreadSettings {
  /** The database's file, as an absolute path. */
  readonly path: string;
  /** Whether the file can only be read. */
  readonly isReadOnly: boolean;
  readonly extensions: readonly string[];
  /** The URL of a module whose exported functions are functions of SQL. */
  readonly functionsModule: string | undefined;
  readonly tables: readonly string[] | undefined;
  readonly basePath: string;
  /** What models call what the database has; absent where there are none. */
  readonly names: Names | undefined;
  readonly live: LiveSettings;
  /** Who may see what; absent where there are no rules. */
  readonly rules: ResolvedRules | undefined;
  /** Has the number of the task that is to end. */
  readonly stop: Int32Array;
}

/** What the main thread knows of the database, and reads rest on. */
export interface DatabaseState {
  readonly schema: Schema;
  readonly unwatched: ReadonlyMap<string, string>;
  /** The journal's segment; `undefined` where there is no journal. */
  readonly segment: string | undefined;
  /** Grows each time that another file has taken the database's place. */
  readonly file: number;
}

/** Whom a read is for, as threads can hand it on. */
export interface TaskViewer {
  /** As JSON, each number as it was; absent where there are none. */
  readonly claims: string | undefined;
  readonly key: string;
}

/** A GET or HEAD for a thread. */
export interface ReadTask {
  /** Above 0, and never given again to the same thread. */
  readonly id: number;
  readonly request: Pick<OriginRequest, "method" | "target" | "fields"> & { readonly viewer: TaskViewer };
  /** Where it is another than that of the task before. */
  readonly state?: DatabaseState;
}

/** An error that is no refusal, as far as threads can hand it on. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly errcode: unknown;
}

/** What came of a read. */
export type ReadOutcome =
  | { readonly kind: "answer"; readonly response: OriginResponse }
  | { readonly kind: "failure"; readonly failure: Failure }
  /** The viewer may not read that. */
  | { readonly kind: "denied" }
  /** It was ended from outside. */
  | { readonly kind: "stopped" }
  /** The database was locked, or has another schema: it can be tried again. */
  | { readonly kind: "busy" | "schema" }
  /** The file is not at its path just now: only who has it open can read it. */
  | { readonly kind: "unopened" };

/** A thread's answer to a {@link ReadTask}. */
export interface ReadReply {
  readonly id: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  readonly outcome: ReadOutcome;
}

/** What a thread says by itself. */
export const ready = "ready";
/** What a thread is told when it is not needed any more. */
export const leave = "leave";
