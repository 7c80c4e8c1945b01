import { EndedEarly, type Keeping, type Portion, type ReadingSession, type Row, type Text } from "../driver.ts";

/** How many uses long a statement is remembered after which more was asked. */
const memory = 8;
/** How many statements are remembered. */
const maxTexts = 1_000;

/**
 * Knows after which statements more is asked in the same transaction, as far as that was so of late. With any other the
 * transaction may end, in one message.
 */
export class LastAsked {
  /** How many more uses each is remembered. */
  readonly #goesOn: Map<string, number> = new Map();

  /** Whether a statement is likely the last one of its transaction. */
  isLikely(text: string): boolean {
    return !this.#goesOn.has(text);
  }

  /** Says whether it was. */
  note(text: string, wasLast: boolean): void {
    const left = wasLast ? (this.#goesOn.get(text) ?? 0) - 1 : memory;
    this.#goesOn.delete(text);
    if (left > 0) this.#goesOn.set(text, left);
    const [oldest] = this.#goesOn.keys();
    if (oldest !== undefined && this.#goesOn.size > maxTexts) this.#goesOn.delete(oldest);
  }
}

/** What one read asks in a transaction, which is kept open where more is likely to be asked than is asked at once. */
export class OneRead implements ReadingSession {
  readonly #session: ReadingSession;
  readonly #lastAsked: LastAsked;
  #isBegun = false;
  /** The last statement of those that were asked at once. */
  #last: string | undefined;
  #hasGoneOn = false;

  /** @param begun - resolves once the transaction is begun: what was asked until then was asked at once */
  constructor(session: ReadingSession, lastAsked: LastAsked, begun: Promise<unknown>) {
    this.#session = session;
    this.#lastAsked = lastAsked;
    const begin = (): void => {
      this.#isBegun = true;
    };
    begun.then(begin, begin);
  }

  keepOpen(): void {
    this.#session.keepOpen();
  }

  query(sql: string, parameters?: readonly unknown[], keeping?: Keeping): Promise<Row[]> {
    this.#note(sql);
    return this.#session.query(sql, parameters, keeping);
  }

  script(sql: string): Promise<Row[]> {
    this.#note(sql);
    return this.#session.script(sql);
  }

  portion(sql: string, parameters: readonly Text[], count: number, keeping?: Keeping): Promise<Portion> {
    this.#note(sql);
    return this.#session.portion(sql, parameters, count, keeping).then(({ rows, more }) => {
      if (!more) return { rows };
      const goOn: typeof more = (further) => {
        this.#hasGoneOn = true;
        return more(further);
      };
      return { rows, more: goOn };
    });
  }

  /**
   * Nothing more is asked.
   *
   * @param error - why, where it has failed
   */
  leave(error?: unknown): void {
    const wasLast = !this.#hasGoneOn && !(error instanceof EndedEarly);
    if (this.#last !== undefined) this.#lastAsked.note(this.#last, wasLast);
  }

  #note(sql: string): void {
    if (this.#isBegun) {
      this.#hasGoneOn = true;
      return;
    }
    this.#last = sql;
    if (!this.#lastAsked.isLikely(sql)) this.keepOpen();
  }
}
