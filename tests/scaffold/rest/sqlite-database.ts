import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { inject } from "vitest";
import { createScaffold, type Scaffold, type ScaffoldOptions } from "../../../src/scaffold/index.ts";
import type { TestDatabase } from "./service.ts";

/** On a busy machine reads take long that are short. */
const lasting = { readTimeoutMs: 60_000 };

/** A SQLite file. */
export async function openSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(inject("sharedFolder"), "rest-"));
  const path = join(folder, "test.db");
  const other = new Database(path);
  other.pragma("journal_mode = WAL");
  const scaffolds: Scaffold[] = [];
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
      scaffolds.push(scaffold);
      return scaffold;
    },
    async end() {
      for (const scaffold of scaffolds.reverse()) await scaffold.close();
      other.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
