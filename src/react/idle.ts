import type { Collection, CollectionSnapshot, LiveRecord, RecordSnapshot } from "../client/index.ts";

const status = { state: "connecting" } as const;
const noRows: CollectionSnapshot<never> = { rows: [], hasMore: false, status };
const noRow: RecordSnapshot<never> = { row: undefined, status };

function fail(): never {
  throw new TypeError("The component follows nothing: its path is null or undefined.");
}

async function refuse(): Promise<never> {
  return fail();
}

const idle = { url: "", subscribe: () => () => {}, ready: refuse, update: refuse, destroy: refuse } as const;

/** What a component has that follows no collection yet. */
export const idleCollection: Collection<never, never> = {
  ...idle,
  getSnapshot: () => noRows,
  create: refuse,
  urlOf: fail,
  keyOf: fail,
  isPending: () => false,
};

/** What a component has that follows no record yet. */
export const idleRecord: LiveRecord<never> = { ...idle, getSnapshot: () => noRow, isPending: false };
