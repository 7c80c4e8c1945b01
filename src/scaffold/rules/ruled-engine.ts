import type { Journal } from "../../server/index.ts";
import type { Engine, Trouble, Written } from "../engine/engine.ts";
import type { Snapshot, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { ServedSchema, ServedTable } from "../engine/table.ts";
import type { Viewer } from "../engine/viewer.ts";
import type { RuleBook } from "./rule-book.ts";
import type { RuledTransaction } from "./ruled-transaction.ts";

/** An engine whose reads and writes obey rules: whoever has it gets at nothing else. */
export class RuledEngine implements Engine {
  readonly #inner: Engine;
  readonly #book: RuleBook;

  constructor(inner: Engine, book: RuleBook) {
    this.#inner = inner;
    this.#book = book;
  }

  /** With what is closed, and why: this is for the operator. */
  get schema(): ServedSchema {
    return this.#book.schemaOf(this.#inner.schema).all;
  }

  get journal(): Journal | undefined {
    return this.#inner.journal;
  }

  get canWrite(): boolean {
    return this.#inner.canWrite;
  }

  schemaFor(viewer: Viewer): ServedSchema | Promise<ServedSchema> {
    const found = this.#inner.schemaFor(viewer);
    if (found instanceof Promise) return found.then((schema) => this.#book.schemaOf(schema).shown);
    return this.#book.schemaOf(found).shown;
  }

  read<Result>(steps: (snapshot: Snapshot) => Steps<Result>, viewer: Viewer): Promise<Result> {
    return this.#inner.read((snapshot) => steps(this.#book.guard(snapshot, viewer)), viewer);
  }

  async write<Result>(steps: (transaction: Transaction) => Steps<Result>, viewer: Viewer): Promise<Written<Result>> {
    let last: RuledTransaction | undefined;
    try {
      return await this.#inner.write((transaction) => {
        last = this.#book.guardWrite(transaction, viewer);
        return steps(last);
      }, viewer);
    } catch (error) {
      // What fails at the commit comes here by itself.
      throw last ? last.told(error) : error;
    }
  }

  count(table: ServedTable, limit: number): Promise<number | undefined> {
    const { tables } = this.#book.schemaOf(this.#inner.schema);
    return this.#inner.count(tables.get(table.name)?.real ?? table, limit);
  }

  troubleOf(error: unknown): Trouble | undefined {
    return this.#inner.troubleOf(error);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  abandon(): Promise<void> {
    return this.#inner.abandon();
  }
}
