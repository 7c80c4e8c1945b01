import { RocketError } from "../../protocol/index.ts";
import type { Email } from "./email.ts";
import type { Account, Session, User } from "./user.ts";
import type { SqlParameter, SqlRow, UserDatabase } from "./user-database.ts";

const accountColumns = "id, email, claims, created_at, disabled_at, password, version, epoch";
const sessionColumns = "id, user_id, epoch, is_cookie, secret, previous, renewed_at, expires_at, ended_at";

function accountOf(row: SqlRow): Account {
  const [id = "", email = "", claims, createdAt, disabledAt, password = "", version, epoch] = row;
  return {
    id: String(id),
    email: String(email),
    claims: JSON.parse(claims ?? "{}") as User["claims"],
    createdAt: Number(createdAt),
    isDisabled: disabledAt !== null,
    password: String(password),
    version: Number(version),
    epoch: Number(epoch),
  };
}

function sessionOf(row: SqlRow): Session {
  const [id, userId, epoch, isCookie, secret, previous, renewedAt, expiresAt, endedAt] = row;
  return {
    id: String(id),
    userId: String(userId),
    epoch: Number(epoch),
    isCookie: isCookie === "1",
    secret: String(secret),
    previous: previous ?? undefined,
    renewedAt: Number(renewedAt),
    expiresAt: Number(expiresAt),
    endedAt: endedAt === null || endedAt === undefined ? undefined : Number(endedAt),
  };
}

/** What becomes of an account. */
export interface AccountChange {
  readonly password?: string;
  readonly claims?: User["claims"];
  readonly isDisabled?: boolean;
}

/** An account that has changed, and which of its tokens count still. */
export interface ChangedAccount {
  readonly id: string;
  readonly version: number;
  readonly changedAt: number;
}

/** Users, their sessions, and the keys of tokens, in the database. Each method is one statement: done, or not. */
export class UserStore {
  readonly #database: UserDatabase;

  constructor(database: UserDatabase) {
    this.#database = database;
  }

  /**
   * Makes the tables where they are missing.
   *
   * @throws RocketError `database-invalid` where others of the same name are there
   */
  async prepare(): Promise<void> {
    if ((await this.#look()) === "ours") return;
    try {
      await this.#database.script(`${this.#database.placeSql}${this.#tablesSql()}`);
    } catch (error) {
      // Another process may have made them at the same time.
      if ((await this.#look()) !== "ours") throw error;
    }
  }

  /** Whether the tables are there. @throws RocketError `database-invalid` where one is another one */
  async #look(): Promise<"ours" | "missing"> {
    const { users, sessions, keys } = this.#database.tables;
    const columns = [
      [users, `${accountColumns}, folded, changed_at`],
      [sessions, sessionColumns],
      [keys, "name, value"],
    ] as const;
    let isMissing = false;
    for (const [table, names] of columns) {
      if (await this.#has(table, names)) continue;
      if (await this.#has(table, "1")) {
        const message = `The database has a table ${table} that is not Rocket's own. Rename it: users are kept there.`;
        throw new RocketError("database-invalid", message);
      }
      isMissing = true;
    }
    return isMissing ? "missing" : "ours";
  }

  async #has(table: string, columns: string): Promise<boolean> {
    return this.#query(`SELECT ${columns} FROM ${table} LIMIT 0`).then(
      () => true,
      () => false,
    );
  }

  #tablesSql(): string {
    const { users, sessions, keys } = this.#database.tables;
    // An index stands beside its table.
    const indexOf = (columns: string): string => `${users.split(".").at(-1)}_${columns}`;
    return `CREATE TABLE IF NOT EXISTS ${users} (id text NOT NULL PRIMARY KEY, email text NOT NULL, folded text NOT NULL UNIQUE,
      password text NOT NULL, claims text NOT NULL, created_at bigint NOT NULL, changed_at bigint NOT NULL, disabled_at bigint,
      version bigint NOT NULL, epoch bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS ${sessions} (id text NOT NULL PRIMARY KEY, user_id text NOT NULL REFERENCES ${users} ON DELETE CASCADE,
      epoch bigint NOT NULL, is_cookie bigint NOT NULL, secret text NOT NULL, previous text, renewed_at bigint NOT NULL,
      expires_at bigint NOT NULL, ended_at bigint);
    CREATE TABLE IF NOT EXISTS ${keys} (name text NOT NULL PRIMARY KEY, value text NOT NULL);
    CREATE INDEX IF NOT EXISTS ${indexOf("changed")} ON ${users} (changed_at);
    CREATE INDEX IF NOT EXISTS ${indexOf("session_users")} ON ${sessions} (user_id);
    CREATE INDEX IF NOT EXISTS ${indexOf("session_ends")} ON ${sessions} (ended_at);
    CREATE INDEX IF NOT EXISTS ${indexOf("session_expiries")} ON ${sessions} (expires_at);`;
  }

  /** A key by its name; made where there is none yet. Two processes that make one get the same. */
  async key(name: string, make: () => Promise<string>): Promise<string> {
    const { keys } = this.#database.tables;
    const find = async (): Promise<string | undefined> => {
      const [row] = await this.#query(`SELECT value FROM ${keys} WHERE name = ?`, name);
      return row?.[0] ?? undefined;
    };
    const known = await find();
    if (known !== undefined) return known;
    await this.#query(
      `INSERT INTO ${keys} (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING name`,
      name,
      await make(),
    );
    return (await find()) ?? "";
  }

  async account(id: string): Promise<Account | undefined> {
    const [row] = await this.#query(`SELECT ${accountColumns} FROM ${this.#database.tables.users} WHERE id = ?`, id);
    return row && accountOf(row);
  }

  async accountOf({ folded }: Email): Promise<Account | undefined> {
    const { users } = this.#database.tables;
    const [row] = await this.#query(`SELECT ${accountColumns} FROM ${users} WHERE folded = ?`, folded);
    return row && accountOf(row);
  }

  /** All accounts, those made first first. */
  async accounts(): Promise<Account[]> {
    const { users } = this.#database.tables;
    const rows = await this.#query(`SELECT ${accountColumns} FROM ${users} ORDER BY created_at, id`);
    return rows.map(accountOf);
  }

  /** Makes an account. False where the email has one. */
  async addAccount(
    { id, claims, password, createdAt }: Pick<Account, "id" | "claims" | "password" | "createdAt">,
    { text, folded }: Email,
  ): Promise<boolean> {
    const rows = await this.#query(
      `INSERT INTO ${this.#database.tables.users} (id, email, folded, password, claims, created_at, changed_at, version, epoch)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1) ON CONFLICT (folded) DO NOTHING RETURNING id`,
      ...[id, text, folded, password, JSON.stringify(claims), createdAt, createdAt],
    );
    return rows.length > 0;
  }

  /** Changes an account: its tokens count no more; nor do its sessions, where its password is another one, or it is disabled. */
  async changeAccount(id: string, { password, claims, isDisabled }: AccountChange, now: number): Promise<void> {
    const endsSessions = password !== undefined || isDisabled === true;
    const sets: (readonly [string, SqlParameter])[] = [["changed_at = ?", now]];
    if (password !== undefined) sets.push(["password = ?", password]);
    if (claims !== undefined) sets.push(["claims = ?", JSON.stringify(claims)]);
    if (isDisabled !== undefined) sets.push(["disabled_at = ?", isDisabled ? now : null]);
    const columns = sets.map(([text]) => text).join(", ");
    await this.#query(
      `UPDATE ${this.#database.tables.users} SET ${columns}, version = version + 1, epoch = epoch + ${endsSessions ? 1 : 0}
       WHERE id = ? RETURNING id`,
      ...sets.map(([, value]) => value),
      id,
    );
  }

  async session(id: string): Promise<Session | undefined> {
    const { sessions } = this.#database.tables;
    const [row] = await this.#query(`SELECT ${sessionColumns} FROM ${sessions} WHERE id = ?`, id);
    return row && sessionOf(row);
  }

  async addSession({ id, userId, epoch, isCookie, secret, renewedAt, expiresAt }: Session): Promise<void> {
    await this.#query(
      `INSERT INTO ${this.#database.tables.sessions} (id, user_id, epoch, is_cookie, secret, renewed_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      ...[id, userId, epoch, isCookie ? 1 : 0, secret, renewedAt, expiresAt],
    );
  }

  /** Replaces a session's secret, where it is still the one that is known, and puts its end off. False where it is not. */
  async renewSession(
    { id, secret }: Pick<Session, "id" | "secret">,
    next: Pick<Session, "secret" | "renewedAt" | "expiresAt">,
  ): Promise<boolean> {
    const rows = await this.#query(
      `UPDATE ${this.#database.tables.sessions} SET previous = secret, secret = ?, renewed_at = ?, expires_at = ?
       WHERE id = ? AND secret = ? AND ended_at IS NULL RETURNING id`,
      ...[next.secret, next.renewedAt, next.expiresAt, id, secret],
    );
    return rows.length > 0;
  }

  async endSession(id: string, now: number): Promise<void> {
    const { sessions } = this.#database.tables;
    await this.#query(`UPDATE ${sessions} SET ended_at = ? WHERE id = ? AND ended_at IS NULL RETURNING id`, now, id);
  }

  /** The sessions that were ended, and the accounts that were changed, at a time or later. */
  async endedSince(at: number): Promise<{ readonly sessions: string[]; readonly accounts: ChangedAccount[] }> {
    const { users, sessions } = this.#database.tables;
    const ended = await this.#query(`SELECT id FROM ${sessions} WHERE ended_at >= ?`, at);
    const changed = await this.#query(`SELECT id, version, changed_at FROM ${users} WHERE changed_at >= ?`, at);
    return {
      sessions: ended.map(([id]) => String(id)),
      accounts: changed.map(([id, version, changedAt]) => ({
        id: String(id),
        version: Number(version),
        changedAt: Number(changedAt),
      })),
    };
  }

  /** Forgets sessions that were over before a time. */
  async trim(before: number): Promise<void> {
    const { sessions } = this.#database.tables;
    await this.#query(`DELETE FROM ${sessions} WHERE expires_at < ? RETURNING id`, before);
    await this.#query(`DELETE FROM ${sessions} WHERE ended_at < ? RETURNING id`, before);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #query(sql: string, ...parameters: readonly SqlParameter[]): Promise<readonly SqlRow[]> {
    return this.#database.query(sql, parameters);
  }
}
