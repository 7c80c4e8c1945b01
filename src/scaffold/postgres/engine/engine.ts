import type { Engine, Trouble, Written } from "../../engine/engine.ts";
import type { Snapshot, Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import { hasKey } from "../../engine/table.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool } from "../driver.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { readingSession } from "../own-transaction.ts";
import { failedOf, isAway, troubleOf } from "./failure.ts";
import type { Reader } from "./reader.ts";
import type { SchemaSource } from "./schema-source.ts";
import type { PostgresSchema, PostgresTable } from "./served.ts";
import { countRecords } from "./sql.ts";
import type { Writer } from "./writer.ts";

/** What a PostgreSQL engine is made of. */
export interface PostgresEngineParts {
  readonly pools: readonly Pool[];
  readonly source: SchemaSource;
  readonly reader: Reader;
  /** Absent where the role may have no journal. */
  readonly live?: { readonly journal: PostgresJournal; readonly writer: Writer };
}

/** A PostgreSQL database as the REST service needs it. */
export class PostgresEngine implements Engine {
  readonly #parts: PostgresEngineParts;
  #closing: Promise<void> | undefined;

  constructor(parts: PostgresEngineParts) {
    this.#parts = parts;
  }

  get schema(): PostgresSchema {
    return this.#parts.source.schema;
  }

  get journal(): PostgresJournal | undefined {
    return this.#parts.live?.journal;
  }

  get canWrite(): boolean {
    return this.#parts.live !== undefined;
  }

  schemaFor({ role }: Viewer): PostgresSchema | Promise<PostgresSchema> {
    const { source } = this.#parts;
    return source.schemaFor(role) ?? source.refresh(role).then(() => source.schemaFor(role) ?? source.schema);
  }

  read<Result>(steps: (snapshot: Snapshot) => Steps<Result>, viewer: Viewer): Promise<Result> {
    return this.#parts.reader.read(steps, viewer);
  }

  write<Result>(steps: (transaction: Transaction) => Steps<Result>, viewer: Viewer): Promise<Written<Result>> {
    const { live } = this.#parts;
    return live ? live.writer.write(steps, viewer) : Promise.reject(unavailable("The database can't be written."));
  }

  async count(table: PostgresTable, limit: number): Promise<number | undefined> {
    // To count what a view shows may take long.
    if (!hasKey(table) || table.isView) return undefined;
    const { text } = countRecords(table, undefined, limit);
    try {
      const [pool] = this.#parts.pools;
      const [row] = pool ? await readingSession(pool).query(text) : [];
      return Number(row?.[0] ?? 0);
    } catch (error) {
      // Others may not read it, or its policies fail: nobody else is kept from being served by that.
      if (failedOf(error) && !isAway(error)) return undefined;
      throw error;
    }
  }

  troubleOf(error: unknown): Trouble | undefined {
    return troubleOf(error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** What was added stays: other processes may have come to use it. */
  abandon(): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    const { pools, reader, live } = this.#parts;
    reader.close();
    await live?.writer.close();
    await live?.journal.close();
    await Promise.all(pools.map((pool) => pool.close()));
  }
}
