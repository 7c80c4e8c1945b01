import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
import type { Additions } from "../additions.ts";
import { type BusyOptions, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { openConnection } from "../driver.ts";
import { readSchema } from "../introspect.ts";
import { inodeOf } from "../open-failure.ts";
import { inRead } from "../read-transaction.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Schema } from "../schema.ts";
import { isBusy, isReadOnly } from "../sqlite-error.ts";
import { type Armed, Armer } from "./arm.ts";
import { type ArmPlan, planArms } from "./arm-plan.ts";
import {
  forgetMigration,
  isRunning,
  type Migration,
  migrationRuns,
  readMigration,
  refuseInMigration,
} from "./migration.ts";
import { removeInSlices } from "./removal.ts";
import { type RowMark, RowReader } from "./rows.ts";
import { addSegment, countSegments } from "./segments.ts";
import { beginSlice } from "./slices.ts";
import { hasTables } from "./tables.ts";
import type { IsWatched } from "./watched.ts";
import { inWrite, openForUpkeep } from "./write-transaction.ts";

/** Two connections to one file. */
export interface OpenFile {
  readonly reader: Connection;
  readonly writer: Connection;
}

/** Opens a file twice. @throws what `openConnection` throws */
function openFile(path: string, additions: Additions | undefined): OpenFile {
  const writer = openForUpkeep(path, additions);
  try {
    return { writer, reader: openConnection(path, { additions }) };
  } catch (error) {
    writer.close();
    throw error;
  }
}

/**
 * Opens a file twice, and waits for each by itself: where others have it locked nearly all the time, there are no two
 * moments in a row.
 *
 * @throws RocketError `database-busy`; what `openConnection` throws
 */
export async function openFileInTime(
  path: string,
  additions: Additions | undefined,
  options: BusyOptions,
): Promise<OpenFile> {
  const writer = await retryWhenBusy(() => openForUpkeep(path, additions), options);
  try {
    return { writer, reader: await retryWhenBusy(() => openConnection(path, { additions }), options) };
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** What an open file needs to know. */
export interface FileOptions {
  readonly path: string;
  readonly format: RecordFormat;
  readonly additions: Additions | undefined;
  readonly clock: Clock;
  readonly isWatched: IsWatched;
  /** Connections to it that are open already, and stay open where its opening fails: an opening may be tried again. */
  readonly opened?: OpenFile;
  /** Told of what can't be watched: tables, and changes while a migration runs. */
  readonly onUnwatched: (error: RocketError) => void;
}

function isFollowed(connection: Connection): boolean {
  return hasTables(connection) && countSegments(connection) > 0;
}

/** Plans before the lock is taken, unless another program has it just then. */
function planUnlessBusy(connection: Connection, isWatched: IsWatched): ArmPlan | undefined {
  try {
    return planArms(connection, isWatched);
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Carries out a plan as a whole, or a new one where the schema is another, inside the caller's write transaction. */
function armWhole(connection: Connection, isWatched: IsWatched, plan: ArmPlan | undefined): Armed {
  const armed =
    (plan && new Armer(connection, isWatched, plan).carryOut()) ??
    new Armer(connection, isWatched, planArms(connection, isWatched)).carryOut();
  if (!armed) throw new Error("The schema changed inside a write transaction.");
  return armed;
}

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
  /** Mends triggers, where some are left to be mended. */
  #armer: Armer | undefined;
  /** Whether nobody had ever used the journal before. */
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
    const opened = options.opened ?? openFile(path, additions);
    const { writer } = opened;
    this.writer = writer;
    this.reader = opened.reader;
    try {
      const plan = planUnlessBusy(writer, isWatched);
      // Last of all: nothing that can fail comes after it, so a start that fails has begun no segment.
      const armed = inWrite(writer, () => {
        refuseInMigration(writer);
        const isNew = !isFollowed(writer);
        forgetMigration(writer);
        const schema = this.#take(armWhole(writer, isWatched, plan));
        const segment = addSegment(writer, clock);
        return { isNew, schema, segment, start: new RowReader(writer, format, isWatched, () => schema.version).head() };
      });
      this.#isNew = armed.isNew;
      this.#schema = armed.schema;
      this.#armedVersion = armed.schema.version;
      this.#segment = armed.segment;
      this.start = armed.start;
    } catch (error) {
      if (!options.opened) this.close();
      if (!isReadOnly(error)) throw error;
      const message = `${JSON.stringify(path)} can't be written, so it has no journal.`;
      throw new RocketError("journal-readonly", message, { cause: error });
    }
    this.rows = new RowReader(this.reader, format, isWatched, () => this.#armedVersion);
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

  /** What is told where the file was removed or renamed. */
  get trouble(): RocketError | undefined {
    const { path } = this.#options;
    if (inodeOf(path) !== undefined) return undefined;
    const message = `${JSON.stringify(path)} was removed or renamed. What it held is still read; the service writes nothing.`;
    return new RocketError("database-missing", message);
  }

  /** Whether a migration that was waited for has been killed. */
  get isAbandoned(): boolean {
    return this.#migration !== undefined && !isRunning(this.#migration);
  }

  /** @throws RocketError `journal-detached` where somebody has removed the journal */
  requireTables(): void {
    this.#requireTables(this.reader);
  }

  #requireTables(connection: Connection): void {
    if (hasTables(connection)) return;
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

  /**
   * Takes out what the opening added, where nobody had used the journal before and nobody else does by now.
   *
   * @throws RocketError `database-busy`
   */
  async undo(): Promise<void> {
    const { writer } = this;
    const { clock } = this.#options;
    if (!this.#isNew) return;
    await removeInSlices(writer, { clock }, () => hasTables(writer) && countSegments(writer) === 1);
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }

  #mend(): void {
    const { reader, writer } = this;
    const { isWatched, clock } = this.#options;
    // All thinking comes before the lock.
    const armer = this.#armer ?? new Armer(writer, isWatched, planArms(reader, isWatched), this.#unwatched);
    this.#armer = undefined;
    const armed = inWrite(writer, () => {
      this.#requireTables(writer);
      if (readMigration(writer)) return undefined;
      forgetMigration(writer);
      return armer.carryOut(beginSlice(clock));
    });
    if (!armed) return;
    if (!armed.isComplete) this.#armer = armer;
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
