import Database from "better-sqlite3";
import { inject, onTestFinished } from "vitest";
import { createScaffold, type ScaffoldOptions } from "../../../src/scaffold/index.ts";
import { temporaryFile } from "../sqlite/service.ts";
import type { TestDatabase } from "./service.ts";

/** On a busy machine reads take long that are short. */
const lasting = { readTimeoutMs: 60_000 };

/** A SQLite file. */
export async function openSqlite(): Promise<TestDatabase> {
  const path = temporaryFile();
  const other = new Database(path);
  other.pragma("journal_mode = WAL");
  onTestFinished(() => void other.close());
  return {
    path,
    async run(sql) {
      other.exec(sql);
    },
    async rows(sql) {
      return other.prepare<[], unknown[]>(sql).raw().all();
    },
    async serve(options, onError) {
      const mainReadMs = inject("mainReadMs");
      const more = mainReadMs === undefined ? {} : { mainReadMs };
      const scaffold = await createScaffold({ ...lasting, path, onError, ...more, ...options } as ScaffoldOptions);
      onTestFinished(() => scaffold.close());
      return scaffold;
    },
  };
}
