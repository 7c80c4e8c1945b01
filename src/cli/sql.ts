import { administratorSql, isModelPath, isPostgresUrl, modelSql } from "../scaffold/index.ts";
import { explain } from "./failure.ts";
import { processOutput } from "./output.ts";

/** What `rocket sql` prints SQL for. */
export interface SqlOptions {
  /** `postgres://user@host/database`, or the path of a Core Data model. */
  readonly database: string;
  /** The database of a model, which says whose SQL is asked for. Default: one of SQLite. */
  readonly modelDatabase?: string;
  /** The schemas whose tables are to be watched. Default `public`. */
  readonly schemas?: readonly string[];
}

/** Runs `rocket sql`: prints what an administrator runs, or what makes a model's tables. Gives the exit code. */
export async function runSql({ database, modelDatabase, schemas }: SqlOptions): Promise<number> {
  const isModel = isModelPath(database);
  if (!isModel && !isPostgresUrl(database)) {
    processOutput.note("rocket: This is for PostgreSQL, postgres://user@host/database, and for an .xcdatamodeld.");
    return 2;
  }
  if (!isModel && modelDatabase !== undefined) {
    processOutput.note("rocket: --database is for an .xcdatamodeld.");
    return 2;
  }
  try {
    if (isModel) {
      processOutput.write(modelSql(database, modelDatabase !== undefined && isPostgresUrl(modelDatabase)));
      return 0;
    }
    processOutput.write(await administratorSql(database, schemas ? { schemas } : {}));
    return 0;
  } catch (error) {
    processOutput.note(`rocket: The SQL can't be made: ${explain(error)}`);
    return 1;
  }
}
