import { RocketError } from "../../protocol/index.ts";
import { openPool, type Session } from "../postgres/driver.ts";
import { quoteName } from "../postgres/sql-text.ts";
import { createStatements } from "./create-sql.ts";
import { differences, type FoundColumn, type FoundTable } from "./differences.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import type { ModelTable } from "./tables.ts";

const columnsSql = `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, r.relname, k.confdeltype::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
  LEFT JOIN pg_class r ON r.oid = k.confrelid
  WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT starts_with(c.relname, '_rocket_') ORDER BY c.oid, a.attnum`;

const rules: Readonly<Record<string, string>> = {
  a: "NO ACTION",
  r: "RESTRICT",
  c: "CASCADE",
  n: "SET NULL",
  d: "SET DEFAULT",
};

async function readTables(session: Session, schema: string): Promise<FoundTable[]> {
  const tables = new Map<string, FoundColumn[]>();
  for (const [table, name, type, isOptional, other, rule] of await session.query(columnsSql, [quoteName(schema)])) {
    const columns = tables.get(table ?? "") ?? [];
    const references = other == null ? undefined : { table: other, onDelete: rules[rule ?? ""] ?? "" };
    columns.push({ name: name ?? "", type: type ?? "", isOptional: isOptional === "t", references });
    tables.set(table ?? "", columns);
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

/** @throws RocketError `model-invalid` where PostgreSQL can't read a regular expression */
async function requirePatterns(session: Session, tables: readonly ModelTable[]): Promise<void> {
  for (const { name: table, columns } of tables) {
    for (const { name, pattern } of columns) {
      if (pattern === undefined) continue;
      await session.query("SELECT '' ~ $1", [`^(?:${pattern})$`]).catch((cause: unknown) => {
        throw new RocketError("model-invalid", `PostgreSQL can't read the regular expression of ${table}.${name}.`, {
          cause,
        });
      });
    }
  }
}

/**
 * Makes tables in a schema that has none.
 *
 * @param database - the URL of one of PostgreSQL
 * @returns `undefined` where they were made; else in what those that are there differ
 * @throws RocketError `driver-missing`, `model-invalid`; what the connection throws
 */
export async function preparePostgres(
  database: string,
  tables: readonly ModelTable[],
  schema: string,
): Promise<string[] | undefined> {
  const pool = await openPool({ connect: database, max: 1, onError: () => undefined });
  try {
    return await pool.transaction("BEGIN; SELECT pg_advisory_xact_lock(5291173, 1)", async (session) => {
      const found = await readTables(session, schema);
      if (found.length > 0) return differences(tables, found, postgresDialect);
      await requirePatterns(session, tables);
      await session.script(`SET LOCAL search_path TO ${quoteName(schema)}, pg_catalog`);
      for (const statement of createStatements(tables, postgresDialect, true)) await session.script(statement);
      return undefined;
    });
  } finally {
    await pool.close();
  }
}
