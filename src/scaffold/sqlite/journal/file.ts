import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
import type { Additions } from "../additions.ts";
import type { Connection } from "../connection.ts";
import { openConnection } from "../driver.ts";
import { readSchema } from "../introspect.ts";
import { fileAt } from "../open-failure.ts";
import { inRead } from "../read-transaction.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Schema } from "../schema.ts";
import { isReadOnly } from "../sqlite-error.ts";
import { Armer } from "./arm.ts";
import {
  forgetMigration,
  isRunning,
  type Migration,
  migrationRuns,
  readMigration,
  refuseInMigration,
} from "./migration.ts";
import { type RowMark, RowReader } from "./rows.ts";
import { addSegment, countSegments } from "./segments.ts";
import { hasTables, removeAll } from "./tables.ts";
import { inWrite } from "./write-transaction.ts";

/** What an open file needs to know. */
export interface FileOptions {
  readonly path: string;
  readonly format: RecordFormat;
  readonly additions: Additions | undefined;
  readonly clock: Clock;
  readonly isWatched: (name: string) => boolean;
  /** Told of what can't be watched: tables, and changes while a migration runs. */
  readonly onUnwatched: (error: RocketError) => void;
}

function inodeOf(path: string): string | undefined {
  const file = fileAt(path);
  return file && `${file.dev}:${file.ino}`;
}

/** The schema while a migration runs; `undefined` where none does. */
function readPaused(connection: Connection): { readonly schema: Schema; readonly migration: Migration } | undefined {
  const migration = readMigration(connection);
  return migration && { schema: readSchema(connection), migration };
}

/** One database file, armed, with a connection that reads the journal and one that arms and trims. */
export class JournalFile {
  readonly reader: Connection;
  readonly writer: Connection;
  readonly rows: RowReader;
  /** The journal's last row when the file was armed. */
  readonly start: RowMark;
  readonly #options: FileOptions;
  readonly #inode: string | undefined;
  #schema: Schema;
  #unwatched: ReadonlyMap<string, string> = new Map();
  #segment: string;
  #migration: Migration | undefined;
  /** Whether there was nothing of Rocket's in the database before. */
  readonly #isNew: boolean;

  /**
   * Opens the file, arms it and begins a segment.
   *
   * @throws RocketError `journal-readonly`, `journal-migrating` and those of `openConnection`; an error that `isBusy` tells
   */
  constructor(options: FileOptions) {
    this.#options = options;
    this.#inode = inodeOf(options.path);
    const { path, format, clock, isWatched, additions } = options;
    this.writer = openConnection(path, { additions });
    let reader: Connection | undefined;
    try {
      reader = openConnection(path, { additions });
      const { writer } = this;
      // Last of all: nothing that can fail comes after it, so a start that fails has added nothing.
      const armed = inWrite(writer, () => {
        refuseInMigration(writer);
        const isNew = !hasTables(writer);
        const schema = this.#arm();
        const segment = addSegment(writer, clock);
        return { isNew, schema, segment, start: new RowReader(writer, format, isWatched).head() };
      });
      this.#isNew = armed.isNew;
      this.#schema = armed.schema;
      this.#segment = armed.segment;
      this.start = armed.start;
    } catch (error) {
      reader?.close();
      this.writer.close();
      if (!isReadOnly(error)) throw error;
      const message = `${JSON.stringify(path)} can't be written, so it has no journal.`;
      throw new RocketError("journal-readonly", message, { cause: error });
    }
    this.reader = reader;
    this.rows = new RowReader(reader, format, isWatched);
  }

  /** The schema that the triggers were last checked against. */
  get schema(): Schema {
    return this.#schema;
  }

  /** The name of the current segment. */
  get segment(): string {
    return this.#segment;
  }

  /** The tables whose changes can't be watched, and why. */
  get unwatched(): ReadonlyMap<string, string> {
    return this.#unwatched;
  }

  /** Whether another file has taken this one's place. */
  get isReplaced(): boolean {
    const inode = inodeOf(this.#options.path);
    return inode !== undefined && inode !== this.#inode;
  }

  /** Whether a migration that was waited for has been killed. */
  get isAbandoned(): boolean {
    return this.#migration !== undefined && !isRunning(this.#migration);
  }

  /**
   * Checks the triggers against a new schema and mends them. While a migration runs, they are left as they are.
   *
   * @throws RocketError `journal-detached`; an error that `isBusy` tells
   */
  rearm(): void {
    if (!hasTables(this.reader)) {
      throw new RocketError("journal-detached", "The journal's tables were removed from the database.");
    }
    const { reader, writer } = this;
    // A migration may hold the write lock for long: that it runs is found out without.
    const { schema, migration } =
      inRead(reader, () => readPaused(reader)) ??
      inWrite(writer, () => readPaused(writer) ?? { schema: this.#arm(), migration: undefined });
    if (migration && !this.#migration) {
      const message = `${migrationRuns(migration)}: changes are told when it has ended.`;
      this.#options.onUnwatched(new RocketError("journal-migrating", message));
    }
    this.#migration = migration;
    this.#schema = schema;
    this.rows.forget();
  }

  /** Begins another segment: what came before it can't be resumed from. */
  beginSegment(): void {
    this.#segment = inWrite(this.writer, () => addSegment(this.writer, this.#options.clock));
  }

  /** Takes out what the opening added, where nothing of Rocket's was there before and nobody else uses it by now. */
  undo(): void {
    if (!this.#isNew) return;
    const { writer } = this;
    inWrite(writer, () => {
      if (hasTables(writer) && countSegments(writer) === 1) removeAll(writer);
    });
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }

  #arm(): Schema {
    forgetMigration(this.writer);
    const { schema, failures } = new Armer(this.writer, this.#options.isWatched).run();
    const told = this.#unwatched;
    const unwatched = new Map<string, string>();
    for (const [name, cause] of failures) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      unwatched.set(name, reason);
      if (told.get(name) === reason) continue;
      const message = `Changes of table ${JSON.stringify(name)} can't be watched, so it can't be followed: ${reason}`;
      this.#options.onUnwatched(new RocketError("table-not-live", message, { cause }));
    }
    this.#unwatched = unwatched;
    return schema;
  }
}
