import { createScaffold } from "../../src/scaffold/index.ts";
import type { Change } from "../../src/server/index.ts";
import type { CommittedChange, Row, Transaction } from "./history.ts";

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

/** The transactions that the changes of a journal are: those between brackets, and each other change for itself. */
function* group(changes: readonly Change[]): Generator<Transaction> {
  let open: Change[] | undefined;
  for (const change of changes) {
    const edge = edgeOf(change);
    const { position } = change;
    if (edge === "begin") open = [change];
    else if (edge === "end" && open) {
      const first = open[0]?.position ?? position;
      yield { at: 0, first, last: position, changes: open.slice(1).map(committed), resets: [] };
      open = undefined;
    } else if (open) open.push(change);
    else if (change.kind === "reset") {
      yield { at: 0, first: position, last: position, changes: [], resets: [change.collection] };
    } else yield { at: 0, first: position, last: position, changes: [committed(change)], resets: [] };
  }
  if (open) throw new Error(`The transaction that begins at ${open[0]?.position} has no end.`);
}

/** Reads what was committed to a database from its journal, once nobody writes any more. */
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
