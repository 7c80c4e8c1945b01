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
import { type Armed, Armer } from "./arm.ts";
import { planArms } from "./arm-plan.ts";
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

/** How many tables get new triggers in one write transaction of a running server: what others have to wait for. */
const armedAtOnce = 8;

interface Paused {
  readonly version: number;
  readonly migration: Migration;
}

/** The migration that runs, and at which state of the schema; `undefined` where none does. */
function readPaused(connection: Connection): Paused | undefined {
  const migration = readMigration(connection);
  const [row] = connection.prepare("PRAGMA schema_version").all();
  return migration && { version: Number(row?.[0]), migration };
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
  #armedVersion: number;
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
        forgetMigration(writer);
        const schema = this.#take(new Armer(writer, isWatched).run());
        const segment = addSegment(writer, clock);
        return { isNew, schema, segment, start: new RowReader(writer, format, isWatched).head() };
      });
      this.#isNew = armed.isNew;
      this.#schema = armed.schema;
      this.#armedVersion = armed.schema.version;
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

  /** The schema as last read. */
  get schema(): Schema {
    return this.#schema;
  }

  /** The `schema_version` that the triggers were last checked against. */
  get armedVersion(): number {
    return this.#armedVersion;
  }

  /** Whether a migration was running when the schema was looked at last. */
  get isPaused(): boolean {
    return this.#migration !== undefined;
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

  /** @throws RocketError `journal-detached` where somebody has removed the journal */
  requireTables(): void {
    if (hasTables(this.reader)) return;
    throw new RocketError("journal-detached", "The journal's tables were removed from the database.");
  }

  /**
   * Reads a new schema, and leaves the triggers as they are.
   *
   * @throws an error that `isBusy` tells
   */
  readSchema(): void {
    this.#schema = readSchema(this.reader);
    this.rows.forget();
  }

  /**
   * Checks the triggers against a new schema and mends them, a few tables at a time: they are not all done while
   * `armedVersion` is not the schema's. While a migration runs, they are left as they are.
   *
   * @throws an error that `isBusy` tells
   */
  rearm(): void {
    const { reader } = this;
    // A migration may hold the write lock for long: that it runs is found out without.
    const paused = inRead(reader, () => readPaused(reader));
    if (!paused) {
      this.#mend();
      return;
    }
    const { migration, version } = paused;
    if (!this.#migration) {
      const message = `${migrationRuns(migration)}: changes are told when it has ended.`;
      this.#options.onUnwatched(new RocketError("journal-migrating", message));
    }
    this.#migration = migration;
    this.#armedVersion = version;
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

  #mend(): void {
    const { reader, writer } = this;
    // All thinking comes before the lock.
    const armer = new Armer(writer, this.#options.isWatched, this.#unwatched);
    const plan = planArms(reader, this.#options.isWatched);
    const armed = inWrite(writer, () => {
      if (readMigration(writer)) return undefined;
      forgetMigration(writer);
      return armer.carryOut(plan, armedAtOnce);
    });
    if (!armed) return;
    this.#migration = undefined;
    this.#schema = this.#take(armed);
    if (armed.isComplete) this.#armedVersion = armed.schema.version;
    this.rows.forget();
  }

  /** Notes what can't be watched, and says what is new of it. */
  #take({ schema, failures }: Armed): Schema {
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
