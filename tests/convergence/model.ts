import type { CommittedChange, History, Row, Transaction, ViewDescription } from "./history.ts";

/** What a change is to a view, worked out from the rows alone. */
export interface Expected {
  readonly change: CommittedChange;
  readonly transaction: Transaction;
  readonly status: 201 | 202 | 204;
}

/** True where a GET of the view would show the row. */
export function isInView(view: ViewDescription, url: string, row: Row | undefined): boolean {
  if (!row || !url.startsWith(`${view.collection}/`)) return false;
  if (view.record !== undefined && view.record !== url) return false;
  return view.equals.every(([column, value]) => row[column] === value);
}

function statusFor(view: ViewDescription, { url, before, after }: CommittedChange): Expected["status"] | undefined {
  const wasIn = isInView(view, url, before);
  if (isInView(view, url, after)) return wasIn ? 202 : 201;
  return wasIn ? 204 : undefined;
}

/** A text that is the same for rows with the same members, in whatever order. */
export function rowText(row: Row | undefined): string {
  return row ? JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))) : "nothing";
}

/** What the history's writes mean, without the system's own code. */
export class Model {
  readonly history: History;
  readonly byVersion: Map<number, CommittedChange> = new Map();
  readonly transactionOf: Map<CommittedChange, Transaction> = new Map();
  readonly #ends: Set<number> = new Set([0]);
  /** The create that follows a delete of the same record, by the delete. */
  readonly #again: Map<CommittedChange, CommittedChange> = new Map();
  readonly #expected: Map<string, readonly Expected[]> = new Map();

  constructor(history: History) {
    this.history = history;
    const deletes = new Map<string, CommittedChange>();
    for (const transaction of history.transactions) {
      this.#ends.add(transaction.last);
      for (const change of transaction.changes) {
        this.transactionOf.set(change, transaction);
        const deleted = deletes.get(change.url);
        if (deleted) this.#again.set(deleted, change);
        deletes.delete(change.url);
        if (!change.after) deletes.set(change.url, change);
        if (change.after) this.byVersion.set(change.after.version, change);
      }
    }
  }

  get head(): number {
    return this.history.transactions.at(-1)?.last ?? 0;
  }

  /** True where a transaction ends at `position`. */
  isEnd(position: number): boolean {
    return this.#ends.has(position);
  }

  /** The create that follows a delete of the same record: both may be told as one change, there [R-SUB-5]. */
  again(change: CommittedChange): CommittedChange | undefined {
    return this.#again.get(change);
  }

  /** All that may be told to those who follow the view between two positions. */
  expected(view: ViewDescription, after: number, upTo: number): readonly Expected[] {
    return this.#all(view).filter(({ change }) => change.position > after && change.position <= upTo);
  }

  /** What of it was never told, where `seen` was: a record's own 204 is its end, unless it was netted. */
  missing(
    view: ViewDescription,
    { after, upTo }: { readonly after: number; readonly upTo: number },
    seen: ReadonlySet<CommittedChange>,
  ): Expected | undefined {
    for (const expected of this.expected(view, after, upTo)) {
      const { change, status, transaction } = expected;
      const again = this.again(change);
      if (seen.has(change)) {
        const isBackAtOnce = again !== undefined && this.transactionOf.get(again) === transaction;
        if (view.record !== undefined && status === 204 && !isBackAtOnce) return undefined;
      } else if (!again || !seen.has(again)) return expected;
    }
    return undefined;
  }

  /** The first time that `url` leaves the view between two positions. */
  leave(view: ViewDescription, url: string, after: number, upTo: number): Expected | undefined {
    return this.#all(view).find(
      ({ change, status }) =>
        status === 204 && change.url === url && change.position > after && change.position <= upTo,
    );
  }

  /** The first reset of the view's collection between two positions. */
  reset(view: ViewDescription, after: number, upTo: number): Transaction | undefined {
    return this.history.transactions.find(
      ({ last, resets }) => last > after && last <= upTo && resets.includes(view.collection),
    );
  }

  /** What a GET of the view showed at `position`. */
  stateAt(view: ViewDescription, position: number): Map<string, Row> {
    const state = new Map<string, Row>();
    this.apply(view, state, 0, position);
    return state;
  }

  /** Brings `state` from one position to another; gives the URLs of what was touched. */
  apply(view: ViewDescription, state: Map<string, Row>, after: number, upTo: number): Set<string> {
    const touched = new Set<string>();
    for (const { first, last, changes } of this.history.transactions) {
      if (last <= after) continue;
      if (first > upTo) break;
      for (const change of changes) {
        if (change.position <= after || change.position > upTo) continue;
        if (change.collection !== view.collection) continue;
        touched.add(change.url);
        if (change.after && isInView(view, change.url, change.after)) state.set(change.url, change.after);
        else state.delete(change.url);
      }
    }
    return touched;
  }

  #all(view: ViewDescription): readonly Expected[] {
    let all = this.#expected.get(view.url);
    if (!all) {
      all = this.history.transactions.flatMap((transaction) =>
        transaction.changes.flatMap((change): Expected[] => {
          if (change.collection !== view.collection || change.isHidden) return [];
          const status = statusFor(view, change);
          return status ? [{ change, transaction, status }] : [];
        }),
      );
      this.#expected.set(view.url, all);
    }
    return all;
  }
}
