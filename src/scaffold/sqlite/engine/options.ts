import type { Clock } from "../../../server/index.ts";
import type { Names } from "../../engine/names.ts";
import type { IsServed } from "../../rest/catalog.ts";
import type { Additions } from "../additions.ts";
import type { SqliteJournalOptions } from "../journal.ts";
import type { SqliteSchema } from "./served.ts";

/** How a SQLite file is opened as an engine; every default filled in. */
export interface SqliteEngineOptions {
  readonly path: string;
  /** Whether a file is made where there is none, or an empty one. */
  readonly create: boolean;
  readonly additions: Additions;
  readonly retention: SqliteJournalOptions["retention"] | undefined;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
  /** Which tables are watched, and what stands before their names in URLs. */
  readonly isServed: IsServed;
  /** What models call what the database has; `undefined` where there are none. */
  readonly names: Names | undefined;
  /** Told of each schema that comes later. Must not throw. */
  readonly onSchema: (schema: SqliteSchema) => void;
}
