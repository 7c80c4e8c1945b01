import type { OriginRequest } from "../../server/index.ts";
import type { RecordFilter } from "../engine/query.ts";
import type { RecordFormat } from "./formats.ts";
import type { PageLimits } from "./live.ts";
import type { CollectionQuery } from "./query.ts";
import type { Selected } from "./selection.ts";
import type { Target } from "./target.ts";

/** A write to a collection or record, its body parsed. */
export interface WriteRequest {
  readonly request: OriginRequest;
  readonly target: Target;
  /** The body's JSON: an object, or a list for a POST; empty for a DELETE. */
  readonly json: object;
  /** Whether PUT may create. */
  readonly canCreate: boolean;
  /** What the URL says of each new record; absent where that is nothing. */
  readonly within?: RecordFilter;
  /** Where a collection's answer ends: conditions on it compare that. */
  readonly limits: PageLimits;
  /** How it is answered. */
  readonly format: RecordFormat;
  /** Which records of a collection it is for; absent where that is not asked. */
  readonly query?: CollectionQuery;
  /** What is shown of the records, where something is; absent: all of it. */
  readonly selected?: Selected | undefined;
  /** Which members of the body count, by name; absent: all. */
  readonly columns?: ReadonlySet<string> | undefined;
}
