import { quoteName } from "../../../../src/scaffold/sqlite/sql-text.ts";
import type { Random } from "../../../../src/testing/index.ts";
import type { RandomDatabase, RandomTable } from "./databases.ts";

const conflictClauses = ["", "", "OR REPLACE ", "OR REPLACE ", "OR IGNORE ", "OR ABORT ", "OR FAIL ", "OR ROLLBACK "];

function valuesOf(table: RandomTable, column: string): readonly string[] {
  return table.columns[column] ?? ["NULL"];
}

function someColumns(random: Random, table: RandomTable, probability: number): string[] {
  const columns = Object.keys(table.columns);
  const some = columns.filter(() => random.chance(probability));
  return some.length > 0 ? some : [random.pick(columns)];
}

function assignments(random: Random, table: RandomTable): string {
  return someColumns(random, table, 0.4)
    .map((column) => `${quoteName(column)} = ${random.pick(valuesOf(table, column))}`)
    .join(", ");
}

function condition(random: Random, table: RandomTable): string {
  if (random.chance(0.1)) return "1";
  const column = random.pick(Object.keys(table.columns));
  return `${quoteName(column)} ${random.pick(["=", "IS", ">=", "<", "<>"])} ${random.pick(valuesOf(table, column))}`;
}

function insert(random: Random, table: RandomTable): string {
  const columns = someColumns(random, table, 0.85);
  const rows = Array.from({ length: random.chance(0.7) ? 1 : 1 + random.below(4) }, () => {
    return `(${columns.map((column) => random.pick(valuesOf(table, column))).join(", ")})`;
  });
  const into = `${quoteName(table.name)} (${columns.map(quoteName).join(", ")}) VALUES ${rows.join(", ")}`;
  if (random.chance(0.08)) return `INSERT INTO ${into} ON CONFLICT DO NOTHING`;
  if (random.chance(0.15)) return `INSERT INTO ${into} ON CONFLICT DO UPDATE SET ${assignments(random, table)}`;
  return `INSERT ${random.pick(conflictClauses)}INTO ${into}`;
}

/** A random statement that writes; it may break a constraint. */
function randomStatement(random: Random, database: RandomDatabase): string {
  const table = random.pick(database.tables);
  const kind = random.next();
  if (kind < 0.55) return insert(random, table);
  if (kind < 0.65) return `DELETE FROM ${quoteName(table.name)} WHERE ${condition(random, table)}`;
  const clause = random.pick(conflictClauses);
  const allowed = database.withoutUpdateOrReplace && clause === "OR REPLACE " ? "" : clause;
  return `UPDATE ${allowed}${quoteName(table.name)} SET ${assignments(random, table)} WHERE ${condition(random, table)}`;
}

/** A run of random statements, with transactions and savepoints of which some are rolled back. */
export function randomBatch(random: Random, database: RandomDatabase): string[] {
  const some = (): string[] => Array.from({ length: 1 + random.below(5) }, () => randomStatement(random, database));
  const settings = [
    `PRAGMA recursive_triggers = ${random.chance(0.5) ? "ON" : "OFF"}`,
    `PRAGMA foreign_keys = ${random.chance(0.9) ? "ON" : "OFF"}`,
  ];
  const shape = random.next();
  if (shape < 0.5) return [...settings, ...some()];
  if (shape < 0.7) return [...settings, "BEGIN", ...some(), "COMMIT"];
  if (shape < 0.8) return [...settings, "BEGIN", ...some(), "ROLLBACK"];
  const undo = random.chance(0.6) ? ["ROLLBACK TO one"] : [];
  const end = random.chance(0.9) ? "COMMIT" : "ROLLBACK";
  return [...settings, "BEGIN", ...some(), "SAVEPOINT one", ...some(), ...undo, ...some(), "RELEASE one", end];
}
