import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
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
import { RowReader } from "./rows.ts";
import { addSegment } from "./segments.ts";
import { hasTables } from "./tables.ts";
import { inWrite } from "./write-transaction.ts";

/** What an open file needs to know. */
export interface FileOptions {
  readonly path: string;
  readonly format: RecordFormat;
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
  readonly #options: FileOptions;
  readonly #inode: string | undefined;
  #schema: Schema;
  #segment: string;
  #migration: Migration | undefined;

  /**
   * Opens the file, arms it and begins a segment.
   *
   * @throws RocketError `journal-readonly`, `journal-migrating` and those of `openConnection`; an error that `isBusy` tells
   */
  constructor(options: FileOptions) {
    this.#options = options;
    this.#inode = inodeOf(options.path);
    this.writer = openConnection(options.path);
    try {
      const { schema, segment } = inWrite(this.writer, () => {
        refuseInMigration(this.writer);
        return { schema: this.#arm(), segment: addSegment(this.writer, options.clock) };
      });
      this.#schema = schema;
      this.#segment = segment;
      this.reader = openConnection(options.path);
    } catch (error) {
      this.writer.close();
      if (!isReadOnly(error)) throw error;
      const message = `${JSON.stringify(options.path)} can't be written, so it has no journal.`;
      throw new RocketError("journal-readonly", message, { cause: error });
    }
    this.rows = new RowReader(this.reader, options.format, options.isWatched);
  }

  /** The schema that the triggers were last checked against. */
  get schema(): Schema {
    return this.#schema;
  }

  /** The name of the current segment. */
  get segment(): string {
    return this.#segment;
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

  close(): void {
    this.reader.close();
    this.writer.close();
  }

  #arm(): Schema {
    forgetMigration(this.writer);
    const { schema, failures } = new Armer(this.writer, this.#options.isWatched).run();
    for (const [name, cause] of failures) {
      this.#options.onUnwatched(
        new RocketError(
          "table-not-live",
          `Changes of table ${JSON.stringify(name)} can't be watched: ${cause instanceof Error ? cause.message : cause}`,
          { cause },
        ),
      );
    }
    return schema;
  }
}
