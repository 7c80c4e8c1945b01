import type pg from "pg";
import { Batch, type Given, type Row, Skipped, type Statement, type Text } from "./batch.ts";
import type { PreparedNames } from "./prepared-names.ts";

/** Whether a connection may keep a statement prepared for the next time. */
export type Keeping = "keep" | undefined;

/** Rows of a query, and what gives further ones, up to so many, until the end of the transaction. */
export interface Portion {
  readonly rows: Row[];
  readonly more?: (count: number) => Promise<Portion>;
}

/** Thrown where something is asked in a transaction that has ended with its first message. */
export class EndedEarly extends Error {
  constructor() {
    super("The transaction has ended with its first message.");
    this.name = "EndedEarly";
  }
}

/** What goes alone in its message. */
interface Alone {
  readonly run: () => Promise<Row[]>;
  readonly isBeginning: boolean;
  readonly resolve: (rows: Row[]) => void;
  readonly reject: (error: unknown) => void;
}

/** How statements are run that a batch can't have. */
export interface PipeOptions {
  readonly client: pg.ClientBase;
  /** Absent where a pool stands before the server. */
  readonly names: PreparedNames | undefined;
  readonly runScript: (sql: string) => Promise<Row[]>;
  readonly runQuery: (sql: string, parameters: readonly unknown[]) => Promise<Row[]>;
}

function isAlone(one: Statement | Alone): one is Alone {
  return "run" in one;
}

function isText(value: unknown): value is Text {
  return typeof value === "string" || value === null;
}

/**
 * Runs statements on one connection, in the order in which they are given. Those that are given at once go in one message;
 * so do those that are given while the one before is being carried out.
 */
export class Pipe {
  readonly #options: PipeOptions;
  #waiting: (Statement | Alone)[] = [];
  #portals = 0;
  #isBusy = false;
  #isScheduled = false;
  /** Why the transaction was not begun: from then on nothing is carried out. */
  #failure: unknown;
  /** What is to end the transaction in its first message; absent where that was sent, or is not to. */
  #earlyEnd: string | undefined;
  /** Once it was sent in that message: whether it was carried out. */
  #endedEarly: Promise<boolean> | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /**
   * Begins a transaction, by a script or by statements: gives the rows of the last one that has any. Where it fails, nothing
   * that was given meanwhile, or comes later, is carried out.
   *
   * @param end - what ends it in the message that begins it, unless `keepOpen` is called before that is sent. What is asked
   * later is refused with {@link EndedEarly} then
   */
  async begin(begin: string | readonly string[], end?: string): Promise<Row[]> {
    if (typeof begin === "string") return this.#alone(() => this.#options.runScript(begin), true);
    this.#earlyEnd = end;
    const all = begin.map((text) =>
      this.#add({ text, values: [], isKept: true, portal: "", count: 0, isBeginning: true }),
    );
    return (await Promise.all(all)).findLast(({ rows }) => rows.length > 0)?.rows ?? [];
  }

  /** Does not end the transaction with its first message. */
  keepOpen(): void {
    this.#earlyEnd = undefined;
  }

  /** Ends the transaction, where it has not ended with its first message. */
  async end(sql: string): Promise<void> {
    if (!(await this.#endedEarly)) await this.query(sql, [], "keep");
  }

  /** Whether the transaction has ended with its first message, once that was answered. */
  async hasEndedEarly(): Promise<boolean> {
    return (await this.#endedEarly) ?? false;
  }

  query(sql: string, parameters: readonly unknown[] = [], keeping?: Keeping): Promise<Row[]> {
    const values = parameters.map((value) => (typeof value === "number" ? String(value) : value));
    if (!values.every(isText)) return this.#alone(() => this.#options.runQuery(sql, parameters));
    return this.#add({ text: sql, values, isKept: keeping === "keep", portal: "", count: 0 }).then(({ rows }) => rows);
  }

  script(sql: string): Promise<Row[]> {
    return this.#alone(() => this.#options.runScript(sql));
  }

  portion(sql: string, parameters: readonly Text[], count: number, keeping?: Keeping): Promise<Portion> {
    this.#portals += 1;
    const portal = `rocket_${this.#portals}`;
    return this.#portionOf({ text: sql, values: parameters, isKept: keeping === "keep", portal, count });
  }

  async #portionOf(statement: Omit<Statement, "resolve" | "reject">): Promise<Portion> {
    const { rows, hasMore } = await this.#add(statement);
    if (!hasMore) return { rows };
    return { rows, more: (count) => this.#portionOf({ ...statement, text: undefined, values: [], count }) };
  }

  #add(statement: Omit<Statement, "resolve" | "reject">): Promise<Given> {
    return new Promise((resolve, reject) => this.#enqueue({ ...statement, resolve, reject }));
  }

  #alone(run: () => Promise<Row[]>, isBeginning = false): Promise<Row[]> {
    return new Promise((resolve, reject) => this.#enqueue({ run, isBeginning, resolve, reject }));
  }

  #enqueue(one: Statement | Alone): void {
    if (this.#endedEarly) {
      one.reject(new EndedEarly());
      return;
    }
    this.#waiting.push(one);
    if (this.#isBusy || this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#failure !== undefined) this.#skipAll();
    const [first] = this.#waiting;
    if (!first || this.#isBusy) return;
    this.#isBusy = true;
    this.#endEarly();
    if (isAlone(first)) {
      this.#waiting.shift();
      const failed = (error: unknown): void => {
        first.reject(error);
        this.#onDone(first.isBeginning ? error : undefined);
      };
      first.run().then((rows) => {
        first.resolve(rows);
        this.#onDone();
      }, failed);
      return;
    }
    const end = this.#waiting.findIndex(isAlone);
    const statements = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end) as Statement[];
    this.#options.client.query(new Batch(statements, this.#options.names, (failure) => this.#onDone(failure)));
  }

  /** Where the first message has room for what ends the transaction. */
  #endEarly(): void {
    const text = this.#earlyEnd;
    this.#earlyEnd = undefined;
    if (text === undefined || this.#waiting.some(isAlone)) return;
    const ending = this.#add({ text, values: [], isKept: true, portal: "", count: 0 });
    this.#endedEarly = ending.then(
      () => true,
      () => {
        this.#endedEarly = undefined;
        return false;
      },
    );
  }

  #onDone(failure?: unknown): void {
    this.#failure ??= failure;
    this.#isBusy = false;
    this.#send();
  }

  #skipAll(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Skipped(this.#failure));
  }
}
