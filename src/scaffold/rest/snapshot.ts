import type { Bookmark } from "../../server/index.ts";
import type { Connection } from "../sqlite/driver.ts";
import type { Schema } from "../sqlite/schema.ts";
import type { Catalog } from "./catalog.ts";

/** The database as one transaction sees it. */
export interface Snapshot {
  readonly connection: Connection;
  /** The collections at the schema that the transaction sees. */
  readonly catalog: Catalog;
  /** Where the journal stands in the transaction; `undefined` where there is no journal. */
  readonly bookmark: Bookmark | undefined;
  /** The tables whose changes the journal misses, and why. */
  readonly unwatched: ReadonlyMap<string, string>;
}

/** What knows where the database stands: its journal or, without one, its schema alone. */
export interface Ledger {
  /** The schema as last seen. */
  readonly schema: Schema;
  /** The tables whose changes the journal misses, and why. */
  readonly unwatched: ReadonlyMap<string, string>;
  /** The journal's segment; `undefined` where there is no journal. */
  readonly segment: string | undefined;
  /** Where the connection's transaction stands. */
  standIn(connection: Connection): { readonly schemaVersion: number; readonly bookmark?: Bookmark };
  /** Whether writes at that `schema_version` are journalled as they should be. */
  isReady(schemaVersion: number): boolean;
  /** Brings `schema` up to date, and the journal with it. */
  poll(): Promise<void>;
  /** Makes ready for writes. */
  prepare(): Promise<void>;
}
