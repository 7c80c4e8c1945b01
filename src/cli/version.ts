import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** This package's version. */
export function packageVersion(): string {
  return (require("../../package.json") as { readonly version: string }).version;
}

/** The version of the SQLite that this process uses; `undefined` where there is none. */
export function sqliteVersion(): string | undefined {
  const builtIn = process.versions.sqlite;
  if (builtIn !== undefined) return builtIn;
  try {
    const Database = require("better-sqlite3") as new (
      path: string,
    ) => { prepare(sql: string): { pluck(): { get(): unknown } }; close(): void };
    const database = new Database(":memory:");
    const version = database.prepare("SELECT sqlite_version()").pluck().get();
    database.close();
    return String(version);
  } catch {
    return undefined;
  }
}

/** Whether dotted version `one` is older than `other`. */
export function isOlder(one: string, other: string): boolean {
  const [left, right] = [one.split("."), other.split(".")];
  for (const [at, part] of right.entries()) {
    const difference = Number(left[at] ?? 0) - Number(part);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
