import { isPostgresUrl } from "../scaffold/index.ts";
import { isOlder } from "./version.ts";

const safeSqlite = "3.51.3";

/** A collection as it is listed: of some, not all records are counted. */
interface Counted {
  readonly path: string;
  readonly count?: number;
  readonly hasMore?: true;
}

/** The collections with their counts, a line each. */
export function listCollections(collections: readonly Counted[]): string {
  if (collections.length === 0) return "  (no tables yet)";
  const counts = collections.map(
    ({ count, hasMore }) => (hasMore ? "over " : "") + (count?.toLocaleString("en") ?? ""),
  );
  const pathWidth = Math.max(...collections.map(({ path }) => path.length));
  const countWidth = Math.max(...counts.map((count) => count.length));
  return collections
    .map(({ path }, at) => `  ${path.padEnd(pathWidth)}  ${(counts[at] ?? "").padStart(countWidth)}`.trimEnd())
    .join("\n");
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** A database's name without the password that may stand in it. */
export function shownDatabase(database: string): string {
  return isPostgresUrl(database) ? database.replace(/^([a-z]+:\/\/[^:@/?#]*):[^@/?#]*@/, "$1@") : database;
}

/** A shell's command that runs SQL in a database. */
export function sqlCommand(database: string): string {
  return `${isPostgresUrl(database) ? "psql" : "sqlite3"} ${quoted(shownDatabase(database))}${isPostgresUrl(database) ? " -c" : ""}`;
}

/** What a page calls a database: its file's name, or PostgreSQL's own. */
export function databaseName(database: string): string {
  const [path = ""] = isPostgresUrl(database) ? shownDatabase(database).split("?") : [database];
  return path.split(/[\\/]/).at(-1) || "database";
}

/** What to do with a database that has no tables yet. */
export function describeFirstSteps(database: string, url: string, command = "rocket"): string {
  const key = isPostgresUrl(database) ? "id serial PRIMARY KEY" : "id INTEGER PRIMARY KEY";
  return [
    "A table that is made while this runs is served at once, and live. In another terminal:",
    `  ${sqlCommand(database)} "CREATE TABLE notes (${key}, text TEXT NOT NULL)"`,
    `  ${command} tail ${url}/notes`,
    "And in a third:",
    `  ${sqlCommand(database)} "INSERT INTO notes (text) VALUES ('Hello')"`,
    `  curl ${url}/notes`,
  ].join("\n");
}

/** Where people sign in, and who may. */
export function describeSignIn(
  database: string,
  url: string,
  { signUp, anonymous }: { readonly signUp: boolean; readonly anonymous: boolean },
  command = "rocket",
): string {
  const path = quoted(shownDatabase(database));
  return signUp
    ? `Whoever comes may make an account: POST ${url}/auth/sign-up. Without a session, ${anonymous ? "GETs are answered, as --anonymous read says" : "requests are a 401"}.`
    : `People sign in at ${url}/auth/sign-in. To let somebody in: ${command} users add ${path} EMAIL`;
}

/** What was added to the database, and how to remove it. */
export function describeAdditions(database: string, command = "rocket"): string {
  const path = quoted(shownDatabase(database));
  if (isPostgresUrl(database)) {
    return [
      "To see each write, whoever makes it, Rocket has added a journal to the database: the schema rocket, and triggers",
      `named "!rocket …". To remove them: ${command} serve ${path} --detach`,
    ].join("\n");
  }
  return [
    "To see each write, whoever makes it, Rocket has added a journal to the database: tables named",
    `_rocket_… and triggers named "rocket: …". To remove them: ${command} serve ${path} --detach`,
  ].join("\n");
}

/** A warning about a SQLite that can lose writes; `undefined` where there is none to give. */
export function sqliteWarning(version: string | undefined): string | undefined {
  if (version === undefined || !isOlder(version, safeSqlite)) return undefined;
  return `Warning: this is SQLite ${version}. Before ${safeSqlite} a database in WAL mode can be corrupted when several programs write to it (the WAL-reset bug): use a newer Node or better-sqlite3.`;
}
