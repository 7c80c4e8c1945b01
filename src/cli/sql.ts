import { administratorSql, isPostgresUrl } from "../scaffold/index.ts";
import { explain } from "./failure.ts";
import { processOutput } from "./output.ts";

/** What `rocket sql` prints SQL for. */
export interface SqlOptions {
  /** `postgres://user@host/database`. */
  readonly database: string;
  /** The schemas whose tables are to be watched. Default `public`. */
  readonly schemas?: readonly string[];
}

/** Runs `rocket sql`: prints what an administrator runs. Gives the exit code. */
export async function runSql({ database, schemas }: SqlOptions): Promise<number> {
  if (!isPostgresUrl(database)) {
    processOutput.note("rocket: This is for PostgreSQL: postgres://user@host/database.");
    return 2;
  }
  try {
    processOutput.write(await administratorSql(database, schemas ? { schemas } : {}));
    return 0;
  } catch (error) {
    processOutput.note(`rocket: The SQL can't be made: ${explain(error)}`);
    return 1;
  }
}
