import type pg from "pg";
import type { PreparedNames } from "./prepared-names.ts";
import { isFeatureLack } from "./sql-state.ts";

/** A value as PostgreSQL writes it; null is null. */
export type Text = string | null;
/** A row's values, in the order of the query's columns. */
export type Row = readonly Text[];

/** What one statement gave, of which there may be more. */
export interface Given {
  readonly rows: Row[];
  readonly hasMore: boolean;
}

/** One statement of a batch, with one result. */
export interface Statement {
  /** `undefined`: more of what its portal gives. */
  readonly text: string | undefined;
  readonly values: readonly Text[];
  /** Whether the connection keeps it prepared. */
  readonly isKept: boolean;
  /** What its rows are kept under where not all are asked for at once; empty where they are. */
  readonly portal: string;
  /** How many rows are asked for; 0: all. */
  readonly count: number;
  /** Whether it begins a transaction: where it fails, nothing that is asked in it may be carried out outside of one. */
  readonly isBeginning?: boolean;
  readonly resolve: (given: Given) => void;
  readonly reject: (error: unknown) => void;
}

/** Thrown where a statement was not carried out, as one before it in its batch failed. */
export class Skipped extends Error {
  /** @param cause - why the other failed */
  constructor(cause: unknown) {
    super("A statement before it failed.", { cause });
    this.name = "Skipped";
  }
}

/**
 * Statements in one message, which is answered in one: the server carries them out in their order, up to the first that
 * fails. It is what the package pg calls a Submittable: its methods are called by the client that it is given to.
 */
export class Batch implements pg.Submittable {
  readonly #statements: readonly Statement[];
  /** Absent where a statement can't be kept prepared. */
  readonly #names: PreparedNames | undefined;
  readonly #onDone: (failure?: Error) => void;
  #place = 0;
  #rows: Row[] = [];
  /** What pg sets, to end its own timer. */
  callback: (error: Error | null) => void = () => undefined;

  /** @param onDone - called once all of it was answered, with why its transaction was not begun */
  constructor(statements: readonly Statement[], names: PreparedNames | undefined, onDone: (failure?: Error) => void) {
    this.#statements = statements;
    this.#names = names;
    this.#onDone = onDone;
  }

  submit(connection: pg.Connection): void {
    connection.stream.cork();
    for (const name of this.#names?.takeUnwanted() ?? []) connection.close({ type: "S", name }, true);
    for (const statement of this.#statements) this.#send(connection, statement);
    connection.sync();
    connection.stream.uncork();
  }

  #send(connection: pg.Connection, { text, values, isKept, portal, count }: Statement): void {
    if (text !== undefined) {
      const { name, isNew } = (isKept && this.#names?.nameOf(text)) || { name: "", isNew: true };
      if (isNew) connection.parse({ name, text, types: [] }, true);
      connection.bind({ portal, statement: name, values: [...values] }, true);
    }
    connection.execute(portal === "" ? null : { portal, rows: String(count) }, true);
  }

  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.#rows.push(fields);
  }

  handleCommandComplete(): void {
    this.#finish(false);
  }

  handleEmptyQuery(): void {
    this.#finish(false);
  }

  handlePortalSuspended(): void {
    this.#finish(true);
  }

  handleError(error: Error): void {
    const [failed, ...others] = this.#statements.slice(this.#place);
    this.#place = this.#statements.length;
    // A prepared statement that would give other columns than before is refused on every connection.
    if (isFeatureLack(error)) this.#names?.doubtAll();
    // Whether the others were prepared is not known.
    for (const { text } of [failed, ...others].filter((one) => one !== undefined)) {
      if (text !== undefined) this.#names?.forget(text);
    }
    failed?.reject(error);
    for (const { reject } of others) reject(new Skipped(error));
    this.#end(failed?.isBeginning ? error : undefined);
  }

  handleReadyForQuery(): void {
    this.#end();
  }

  #finish(hasMore: boolean): void {
    const rows = this.#rows;
    this.#rows = [];
    this.#statements[this.#place]?.resolve({ rows, hasMore });
    this.#place += 1;
  }

  #end(failure?: Error): void {
    this.callback(null);
    this.#onDone(failure);
  }
}
