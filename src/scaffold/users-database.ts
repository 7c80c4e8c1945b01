import { RocketError } from "../protocol/index.ts";
import { openPool } from "./postgres/index.ts";
import { isDenied } from "./postgres/sql-state.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { unavailable } from "./rest/refusal.ts";
import { retryWhenBusy } from "./sqlite/busy.ts";
import { type Connection, openConnection } from "./sqlite/driver.ts";
import { inodeOf } from "./sqlite/open-failure.ts";
import type { UserDatabase } from "./users/user-database.ts";

/** The schema of PostgreSQL that has users. */
export const usersSchema = "rocket_users";

const sqliteTables = { users: "_rocket_users", sessions: "_rocket_sessions", keys: "_rocket_keys" };
const postgresTables = {
  users: `${usersSchema}.users`,
  sessions: `${usersSchema}.sessions`,
  keys: `${usersSchema}.keys`,
};

function openSqliteUsers(path: string): UserDatabase {
  let connection: Connection | undefined;
  let inode: string | undefined;
  const current = (): Connection => {
    const now = path === ":memory:" ? path : inodeOf(path);
    if (connection && now === inode) return connection;
    if (connection && now === undefined) throw unavailable("The database's file was removed or renamed.");
    connection?.close();
    connection = openConnection(path);
    inode = now;
    return connection;
  };
  return {
    tables: sqliteTables,
    placeSql: "",
    script: (sql) => retryWhenBusy(() => current().exec(sql)),
    query: (sql, parameters = []) =>
      retryWhenBusy(() => {
        const rows = current()
          .prepare(sql)
          .all(...parameters);
        return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
      }),
    close: async () => connection?.close(),
  };
}

/** `?` for each parameter, as PostgreSQL numbers them. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replaceAll("?", () => {
    count += 1;
    return `$${count}`;
  });
}

async function openPostgresUsers(connect: string, onError: (error: unknown) => void): Promise<UserDatabase> {
  const pool = await openPool({ connect, max: 2, answerMs: 10_000, onError });
  return {
    tables: postgresTables,
    // Also where the schema is there, CREATE SCHEMA needs the right to make one.
    placeSql: `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${usersSchema}')
      THEN CREATE SCHEMA ${usersSchema}; END IF; END $$; `,
    async script(sql) {
      try {
        await pool.script(sql);
      } catch (cause) {
        if (!isDenied(cause)) throw cause;
        const message = `This role may not make the schema ${usersSchema}. Let an administrator run: CREATE SCHEMA ${usersSchema} AUTHORIZATION, followed by the role's name.`;
        throw new RocketError("users-denied", message, { cause });
      }
    },
    query: (sql, parameters = []) => pool.query(numbered(sql), parameters),
    close: () => pool.close(),
  };
}

/** Opens where a database keeps its users. @throws RocketError where it can't be opened */
export async function openUserDatabase(path: string, onError: (error: unknown) => void): Promise<UserDatabase> {
  return isPostgresUrl(path) ? openPostgresUsers(path, onError) : openSqliteUsers(path);
}
