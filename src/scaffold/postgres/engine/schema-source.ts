import type { Pool, Session } from "../driver.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { introspect } from "./introspect.ts";
import type { PostgresSchema, Served } from "./served.ts";

/** Where a database without a journal is looked at anew. */
const lookMs = 1_000;

/** What a schema source stands on. */
export interface SchemaSourceOptions {
  readonly pool: Pool;
  readonly served: Served;
  readonly schemas: readonly string[];
  /** `undefined` where there is none that could tell of changes. */
  readonly journal: () => PostgresJournal | undefined;
  readonly now: () => number;
  /** Told of each schema that comes later. Must not throw. */
  readonly onSchema: (schema: PostgresSchema) => void;
}

interface Known {
  readonly schema: PostgresSchema;
  /** The count of the schema's changes that it was read at. */
  readonly version: string;
  readonly readAt: number;
}

const versionSql = "SELECT schema_changes FROM rocket.state";

/** What there is to serve, and whether that is so still. */
export class SchemaSource {
  readonly #options: SchemaSourceOptions;
  #known: Known | undefined;
  #reading: Promise<void> | undefined;
  #isDoubted = false;

  constructor(options: SchemaSourceOptions) {
    this.#options = options;
  }

  /** As last seen. @throws Error before the first `refresh` */
  get schema(): PostgresSchema {
    if (!this.#known) throw new Error("The schema was not read yet.");
    return this.#known.schema;
  }

  /** Why tables can't be watched, by their names. */
  get unwatched(): ReadonlyMap<string, string> {
    const { journal, served } = this.#options;
    return served.unwatched(journal()?.unwatched ?? new Map());
  }

  /** Whether a session's transaction sees what is known, as far as the journal is up to date. */
  async isCurrent(session: Session): Promise<boolean> {
    const { journal, now } = this.#options;
    const known = this.#known;
    if (!known) return false;
    if (!journal()) return now() - known.readAt < lookMs;
    const [row] = await session.query(versionSql);
    return row?.[0] === known.version;
  }

  /** Has the journal brought up to date, and reads the schema again where that says that it was changed. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Says that something was not as the schema has it: it is read again in any case. */
  doubt(): void {
    this.#isDoubted = true;
  }

  async #read(): Promise<void> {
    const { pool, served, schemas, journal, now, onSchema } = this.#options;
    await journal()?.poll();
    const readAt = now();
    const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    const before = this.#known;
    const read = await pool.transaction(begin, async (session) => {
      const [row] = journal() ? await session.query(versionSql) : [];
      const version = row?.[0] ?? "";
      if (journal() && version === before?.version && !this.#isDoubted) return undefined;
      return { found: await introspect(session, schemas), version };
    });
    if (!read) return;
    this.#isDoubted = false;
    const schema = served.schema(read.found);
    this.#known = { schema, version: read.version, readAt };
    if (before) onSchema(schema);
  }
}
