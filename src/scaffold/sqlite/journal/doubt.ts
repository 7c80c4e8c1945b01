import type { Connection } from "../connection.ts";
import type { Schema } from "../schema.ts";
import { type Arm, describe, liveArms } from "./arm-plan.ts";
import { isRocketTrigger } from "./names.ts";

/** Something of the schema that stands on a table, in the order of its making. */
interface Part {
  readonly order: number;
  readonly table: string;
  readonly isOurs: boolean;
  /** Whether writes take another course where it comes after Rocket's triggers: newer triggers fire before them. */
  readonly isTelling: boolean;
}

function readParts(connection: Connection): Part[] {
  return connection
    .prepare("SELECT rowid, type, name, lower(tbl_name), sql FROM sqlite_schema WHERE type IN ('trigger', 'index')")
    .all()
    .map(([order, type, name, table, sql]) => ({
      order: Number(order),
      table: String(table),
      isOurs: type === "trigger" && isRocketTrigger(String(name)),
      isTelling: type === "trigger" || /^\s*CREATE\s+UNIQUE\b/i.test(String(sql)),
    }));
}

function isOvertaken(parts: readonly Part[]): boolean {
  const ours = parts.filter(({ isOurs }) => isOurs).map(({ order }) => order);
  const oldest = Math.min(...ours);
  return parts.some(({ isOurs, isTelling, order }) => !isOurs && isTelling && order > oldest);
}

/**
 * The arms of which the journal may not have what happened, at a schema that the triggers were not checked against yet: the
 * table is another one or gone, something newer fires first or displaces rows, or VACUUM gave its rows new rowids.
 */
export function doubtfulArms(connection: Connection, schema: Schema): Set<number> {
  const tables = new Map(schema.tables.map((table) => [table.name, table]));
  const parts = readParts(connection);
  const isDoubtful = ({ name, description }: Arm): boolean => {
    const table = tables.get(name);
    if (!table || table.identity.kind === "rowid" || describe(table) !== description) return true;
    return isOvertaken(parts.filter((part) => part.table === name.toLowerCase()));
  };
  return new Set(
    liveArms(connection)
      .filter(isDoubtful)
      .map(({ id }) => id),
  );
}
