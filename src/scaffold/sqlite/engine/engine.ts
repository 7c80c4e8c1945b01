import type { Engine, Trouble, Written } from "../../engine/engine.ts";
import type { Snapshot, Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { SqliteJournal } from "../journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Reader } from "./reader.ts";
import type { Served, SqliteSchema, SqliteTable } from "./served.ts";
import { troubleOf } from "./trouble.ts";
import type { Writer } from "./writer.ts";

/** What a SQLite engine is made of. */
export interface SqliteEngineParts {
  readonly reader: Reader;
  readonly ledger: Ledger;
  readonly served: Served;
  /** Absent where the file can't be written. */
  readonly live?: { readonly journal: SqliteJournal; readonly writer: Writer };
  /** How often another file has taken the database's place. */
  readonly replacements: () => number;
}

/** A SQLite file as the REST service needs it. Its steps wait for nothing. */
export class SqliteEngine implements Engine {
  readonly reader: Reader;
  readonly ledger: Ledger;
  readonly replacements: () => number;
  readonly #served: Served;
  readonly #live: SqliteEngineParts["live"];

  constructor({ reader, ledger, served, live, replacements }: SqliteEngineParts) {
    this.reader = reader;
    this.ledger = ledger;
    this.replacements = replacements;
    this.#served = served;
    this.#live = live;
  }

  get schema(): SqliteSchema {
    return this.#served.schema(this.ledger.schema);
  }

  get journal(): SqliteJournal | undefined {
    return this.#live?.journal;
  }

  get canWrite(): boolean {
    return this.#live !== undefined;
  }

  /** Every viewer is shown the same. */
  schemaFor(): SqliteSchema {
    return this.schema;
  }

  read<Result>(steps: (snapshot: Snapshot) => Steps<Result>): Promise<Result> {
    return this.reader.read(steps);
  }

  write<Result>(steps: (transaction: Transaction) => Steps<Result>): Promise<Written<Result>> {
    if (!this.#live) return Promise.reject(unavailable("The database can't be written."));
    return this.#live.writer.write(steps);
  }

  async count(table: SqliteTable, limit: number): Promise<number | undefined> {
    // To count what a view shows may take long.
    return table.isView ? undefined : this.reader.count(table, limit);
  }

  troubleOf(error: unknown): Trouble | undefined {
    return troubleOf(error);
  }

  close(): Promise<void> {
    return this.#end().finally(() => this.#live?.journal.close());
  }

  abandon(): Promise<void> {
    return this.#end().finally(() => this.#live?.journal.abandon());
  }

  async #end(): Promise<void> {
    await this.#live?.writer.close();
    this.reader.close();
  }
}
