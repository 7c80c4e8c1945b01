import { quoteName } from "../../../../src/scaffold/sqlite/sql-text.ts";
import type { Chance } from "./chance.ts";
import type { RandomDatabase, RandomTable } from "./databases.ts";

const conflictClauses = ["", "", "OR REPLACE ", "OR REPLACE ", "OR IGNORE ", "OR ABORT ", "OR FAIL ", "OR ROLLBACK "];

function valuesOf(table: RandomTable, column: string): readonly string[] {
  return table.columns[column] ?? ["NULL"];
}

function someColumns(chance: Chance, table: RandomTable, probability: number): string[] {
  const columns = Object.keys(table.columns);
  const some = columns.filter(() => chance.is(probability));
  return some.length > 0 ? some : [chance.pick(columns)];
}

function assignments(chance: Chance, table: RandomTable): string {
  return someColumns(chance, table, 0.4)
    .map((column) => `${quoteName(column)} = ${chance.pick(valuesOf(table, column))}`)
    .join(", ");
}

function condition(chance: Chance, table: RandomTable): string {
  if (chance.is(0.1)) return "1";
  const column = chance.pick(Object.keys(table.columns));
  return `${quoteName(column)} ${chance.pick(["=", "IS", ">=", "<", "<>"])} ${chance.pick(valuesOf(table, column))}`;
}

function insert(chance: Chance, table: RandomTable): string {
  const columns = someColumns(chance, table, 0.85);
  const rows = Array.from({ length: chance.is(0.7) ? 1 : 1 + chance.below(4) }, () => {
    return `(${columns.map((column) => chance.pick(valuesOf(table, column))).join(", ")})`;
  });
  const into = `${quoteName(table.name)} (${columns.map(quoteName).join(", ")}) VALUES ${rows.join(", ")}`;
  if (chance.is(0.08)) return `INSERT INTO ${into} ON CONFLICT DO NOTHING`;
  if (chance.is(0.15)) return `INSERT INTO ${into} ON CONFLICT DO UPDATE SET ${assignments(chance, table)}`;
  return `INSERT ${chance.pick(conflictClauses)}INTO ${into}`;
}

/** A random statement that writes; it may break a constraint. */
function randomStatement(chance: Chance, database: RandomDatabase): string {
  const table = chance.pick(database.tables);
  const kind = chance.next();
  if (kind < 0.55) return insert(chance, table);
  if (kind < 0.65) return `DELETE FROM ${quoteName(table.name)} WHERE ${condition(chance, table)}`;
  const clause = chance.pick(conflictClauses);
  const allowed = database.withoutUpdateOrReplace && clause === "OR REPLACE " ? "" : clause;
  return `UPDATE ${allowed}${quoteName(table.name)} SET ${assignments(chance, table)} WHERE ${condition(chance, table)}`;
}

/** A run of random statements, with transactions and savepoints of which some are rolled back. */
export function randomBatch(chance: Chance, database: RandomDatabase): string[] {
  const some = (): string[] => Array.from({ length: 1 + chance.below(5) }, () => randomStatement(chance, database));
  const settings = [
    `PRAGMA recursive_triggers = ${chance.is(0.5) ? "ON" : "OFF"}`,
    `PRAGMA foreign_keys = ${chance.is(0.9) ? "ON" : "OFF"}`,
  ];
  const shape = chance.next();
  if (shape < 0.5) return [...settings, ...some()];
  if (shape < 0.7) return [...settings, "BEGIN", ...some(), "COMMIT"];
  if (shape < 0.8) return [...settings, "BEGIN", ...some(), "ROLLBACK"];
  const undo = chance.is(0.6) ? ["ROLLBACK TO one"] : [];
  const end = chance.is(0.9) ? "COMMIT" : "ROLLBACK";
  return [...settings, "BEGIN", ...some(), "SAVEPOINT one", ...some(), ...undo, ...some(), "RELEASE one", end];
}
