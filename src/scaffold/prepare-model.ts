import { readCoreData } from "./models/core-data.ts";
import { boundNotes, createStatements } from "./models/create-sql.ts";
import { readContents } from "./models/find-contents.ts";
import { postgresDialect } from "./models/postgres-dialect.ts";
import { preparePostgres } from "./models/postgres-model.ts";
import { sqliteDialect } from "./models/sqlite-dialect.ts";
import { prepareSqlite } from "./models/sqlite-model.ts";
import { tablesOf } from "./models/tables.ts";
import { isPostgresUrl } from "./postgres-url.ts";

export { isModelPath } from "./models/find-contents.ts";

/** What {@link prepareModel} found and did. */
export interface PreparedModel {
  /** The tables that were made; empty where the database had some already: then nothing was altered. */
  readonly made: readonly string[];
  /** In what a database that had tables already differs from the model, in sentences. */
  readonly differences: readonly string[];
  /** What of the model no table keeps, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The SQL that makes the tables that a Core Data model asks for. Nothing is changed.
 *
 * @param model - as {@link prepareModel} has it
 * @param isPostgres - whether it is for PostgreSQL; else for SQLite
 * @throws RocketError `model-invalid`
 */
export function modelSql(model: string, isPostgres: boolean): string {
  const { tables } = tablesOf(readCoreData(readContents(model)));
  const statements = createStatements(tables, isPostgres ? postgresDialect : sqliteDialect, isPostgres);
  return statements.map((statement) => `${statement};\n`).join("");
}

/**
 * Makes the tables that a Core Data model asks for, where a database has none; else looks in what it differs, and alters
 * nothing.
 *
 * @param model - the path of an `.xcdatamodeld`, of which the current version counts, or of an `.xcdatamodel`
 * @param database - a SQLite file, which is made where there is none, or the URL of one of PostgreSQL
 * @param options - `schema`: that of PostgreSQL, default `public`
 * @throws RocketError `model-invalid`, `database-invalid`, `database-busy`, `driver-missing`
 */
export async function prepareModel(
  model: string,
  database: string,
  { schema = "public" }: { readonly schema?: string } = {},
): Promise<PreparedModel> {
  const { tables, notes } = tablesOf(readCoreData(readContents(model)));
  const isPostgres = isPostgresUrl(database);
  const found = await (isPostgres ? preparePostgres(database, tables, schema) : prepareSqlite(database, tables));
  return {
    made: found ? [] : tables.map(({ name }) => name),
    differences: found ?? [],
    notes: [...notes, ...boundNotes(tables, isPostgres ? postgresDialect : sqliteDialect)],
  };
}
