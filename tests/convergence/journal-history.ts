import { createScaffold } from "../../src/scaffold/index.ts";
import type { Change } from "../../src/server/index.ts";
import type { CommittedChange, Row, Transaction } from "./history.ts";

const unknownTime = Number.POSITIVE_INFINITY;

function committed({ position, collection, url, before, after }: Change): CommittedChange {
  return {
    position,
    collection,
    url,
    ...(before ? { before: { ...before } as unknown as Row } : {}),
    ...(after ? { after: { ...after } as unknown as Row } : {}),
  };
}

function edgeOf({ collection, after }: Change): string | undefined {
  return collection === "/brackets" && after ? String(after.edge) : undefined;
}

/** The records that there are, to know what a reset took away. */
class Records {
  readonly #rows: Map<string, CommittedChange> = new Map();

  take(change: CommittedChange): CommittedChange {
    if (change.after) this.#rows.set(change.url, change);
    else this.#rows.delete(change.url);
    return change;
  }

  /** The collection was emptied: all that it had is deleted, and nobody is told of each. */
  empty(collection: string, position: number): CommittedChange[] {
    const gone = [...this.#rows.values()].filter((row) => row.collection === collection);
    return gone.map(({ url, after }) =>
      this.take({ position, collection, url, ...(after ? { before: after } : {}), isHidden: true }),
    );
  }
}

/** The changes of one transaction of plain SQL. A reset within it is a table that it emptied. */
function transactionOf(changes: readonly Change[], last: number, records: Records): Transaction {
  const resets = changes.filter(({ kind }) => kind === "reset").map(({ collection }) => collection);
  return {
    at: unknownTime,
    first: changes[0]?.position ?? last,
    last,
    changes: changes.flatMap((change) =>
      change.kind === "reset" ? records.empty(change.collection, change.position) : records.take(committed(change)),
    ),
    resets,
  };
}

/** The transactions that the changes of a journal are: those between brackets, and each other change for itself. */
function* group(changes: readonly Change[]): Generator<Transaction> {
  const records = new Records();
  let open: Change[] | undefined;
  for (const change of changes) {
    const edge = edgeOf(change);
    const { position } = change;
    if (edge === "begin") open = [change];
    else if (edge === "end" && open) {
      yield { ...transactionOf(open.slice(1), position, records), first: open[0]?.position ?? position };
      open = undefined;
    } else if (open) open.push(change);
    else if (change.kind === "reset") {
      yield { at: unknownTime, first: position, last: position, changes: [], resets: [change.collection] };
    } else yield transactionOf([change], position, records);
  }
  if (open) throw new Error(`The transaction that begins at ${open[0]?.position} has no end.`);
}

/** Reads what was committed to a database from its journal, once nobody writes any more. When that was is not in it. */
export async function readTransactions(path: string): Promise<Transaction[]> {
  const scaffold = await createScaffold({ path });
  try {
    const page = await scaffold.journal?.read(0, 10_000_000);
    if (!page || page.more) throw new Error("The journal was not read to its end.");
    return [...group(page.changes)];
  } finally {
    await scaffold.close();
  }
}
