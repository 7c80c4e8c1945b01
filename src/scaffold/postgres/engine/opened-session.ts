import type { Ahead, Bookmark } from "../../../server/index.ts";
import type { Keeping, Portion, Row, Text, TransactionSession } from "../driver.ts";

/** Where a transaction stands. */
export interface Place {
  readonly bookmark: Bookmark | undefined;
  readonly ahead: Ahead | undefined;
}

/** Thrown where somebody asks where a transaction stands before that is known. */
export class NotOpened extends Error {}

/** A session whose statements are sent at once, and whose answers are given once it is known where its transaction stands. */
export class OpenedSession implements TransactionSession {
  readonly #session: TransactionSession;
  /** Resolves once it is known where the transaction stands; rejects where that is nowhere. */
  readonly known: Promise<unknown>;
  #place: Place | undefined;

  constructor(session: TransactionSession, opening: Promise<Place>) {
    this.#session = session;
    this.known = opening.then((place) => {
      this.#place = place;
    });
    this.known.catch(() => undefined);
  }

  /** @throws NotOpened */
  get place(): Place {
    if (!this.#place) throw new NotOpened();
    return this.#place;
  }

  query(sql: string, parameters?: readonly unknown[], keeping?: Keeping): Promise<Row[]> {
    return this.#held(this.#session.query(sql, parameters, keeping));
  }

  script(sql: string): Promise<Row[]> {
    return this.#held(this.#session.script(sql));
  }

  portion(sql: string, parameters: readonly Text[], count: number, keeping?: Keeping): Promise<Portion> {
    return this.#held(this.#session.portion(sql, parameters, count, keeping));
  }

  async #held<Given>(running: Promise<Given>): Promise<Given> {
    running.catch(() => undefined);
    if (!this.#place) await this.known;
    return running;
  }
}
