import { everybody, type Viewer } from "../../engine/viewer.ts";
import type { Pool, Session } from "../driver.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { ownSettings } from "../own-transaction.ts";
import { introspect } from "./introspect.ts";
import type { PostgresSchema, PostgresTable, Served } from "./served.ts";
import { ViewerSession } from "./viewer-session.ts";

/** Where a database without a journal is looked at anew. */
const lookMs = 1_000;

/** What a schema source stands on. */
export interface SchemaSourceOptions {
  readonly pool: Pool;
  readonly served: Served;
  readonly schemas: readonly string[];
  /** Whether requests act as roles of their own: then it does not matter what the connection's own role may read. */
  readonly hasRoles: boolean;
  /** `undefined` where there is none that could tell of changes. */
  readonly journal: () => PostgresJournal | undefined;
  readonly now: () => number;
  /** Told of each schema that comes later, as it is without roles. Must not throw. */
  readonly onSchema: (schema: PostgresSchema) => void;
  /** Told of tables that a role was shown all of until now, and is not any more. Must not throw. */
  readonly onLess: (tables: readonly PostgresTable[]) => void;
}

/** A role of the database; `undefined` is the connection's own. */
export type Role = Viewer["role"];

/** What a role may read, as it was read at some time. */
export interface Known {
  readonly schema: PostgresSchema;
  /** What it was read at: see {@link SchemaSource.isOf}. */
  readonly version: string;
  readonly readAt: number;
  /** How often something was doubted until then. */
  readonly doubts: number;
}

const versionSql = "SELECT schema_changes FROM rocket.state";

/**
 * The count of the schema's changes, and a print of what no table's own row shows when rights are given and taken: who is in
 * which role, and who may use which schema.
 */
const accessSql = `SELECT concat((${versionSql}), ' ', md5(concat(
  (SELECT string_agg(concat(m.roleid, ':', m.member, ':', m.xmin), ' ' ORDER BY m.roleid, m.member, m.grantor) FROM pg_auth_members m),
  (SELECT string_agg(concat(r.oid, r.rolname, r.rolsuper, r.rolinherit, r.rolbypassrls), ' ' ORDER BY r.oid) FROM pg_roles r),
  (SELECT string_agg(concat(n.oid, ':', n.xmin), ' ' ORDER BY n.oid) FROM pg_namespace n WHERE n.nspname = ANY ($1)))))`;

function wholeTables({ tables }: PostgresSchema): PostgresTable[] {
  return tables.filter(({ isPrivate }) => !isPrivate);
}

/** What there is to serve to each role, and whether that is so still. */
export class SchemaSource {
  readonly #options: SchemaSourceOptions;
  readonly #known: Map<Role, Known> = new Map();
  readonly #reading: Map<Role, Promise<void>> = new Map();
  #doubts = 0;

  constructor(options: SchemaSourceOptions) {
    this.#options = options;
  }

  /** As last seen, whoever may read it. @throws Error before the first `refresh` */
  get schema(): PostgresSchema {
    const schema = this.schemaFor(undefined);
    if (!schema) throw new Error("The schema was not read yet.");
    return schema;
  }

  /** What a role may read, as last seen; `undefined` where that was not read yet. */
  schemaFor(role: Role): PostgresSchema | undefined {
    return this.#known.get(role)?.schema;
  }

  /** Why tables can't be watched, by their names. */
  get unwatched(): ReadonlyMap<string, string> {
    const { journal, served } = this.#options;
    return served.unwatched(journal()?.unwatched ?? new Map());
  }

  /**
   * Whether a session's transaction sees what is known of some roles, as far as the journal is up to date. The session's own
   * role asks.
   *
   * @param schemaChanges - how many there were, where the transaction was asked already
   */
  async isCurrent(session: Session, roles: Iterable<Role>, schemaChanges?: string): Promise<boolean> {
    const versions = new Map<boolean, string | undefined>([[true, schemaChanges]]);
    for (const role of roles) {
      const isOwn = role === undefined;
      const version = versions.get(isOwn) ?? (await this.versionIn(session, role));
      versions.set(isOwn, version);
      const known = this.#known.get(role);
      if (!known || !this.isOf(known, version)) return false;
    }
    return true;
  }

  /** What is known of a role; `undefined` where it was not read yet. */
  knownOf(role: Role): Known | undefined {
    return this.#known.get(role);
  }

  /** Whether something known is of a version; without a journal, whether it was read just now. */
  isOf({ readAt, version: own }: Known, version: string | undefined): boolean {
    const { journal, now } = this.#options;
    return journal() ? own === version : now() - readAt < lookMs;
  }

  /**
   * Has the journal brought up to date, and reads the schema again where that says that it was changed.
   *
   * @throws Refusal 401 or RoleFailure where the role can't be taken on
   */
  async refresh(role?: Role): Promise<void> {
    await this.#refreshOne(undefined);
    if (role !== undefined) await this.#refreshOne(role);
  }

  /** Reads again what each known role may read, where that was changed. Never rejects. */
  async recheck(): Promise<void> {
    for (const [role, known] of [...this.#known]) {
      try {
        await this.refresh(role);
      } catch {
        // It is asked for again, and refused, by those who come as that role.
        if (this.#known.get(role) === known) this.#forget(role, known);
      }
    }
  }

  /** Says that something was not as the schema has it: it is read again in any case. */
  doubt(): void {
    this.#doubts += 1;
  }

  /** What a role's schema is known by in a session's transaction, which the session's own role asks for. */
  async versionIn(session: Session, role: Role): Promise<string> {
    const { schemas, journal } = this.#options;
    if (!journal()) return "";
    const [row] = role === undefined ? await session.query(versionSql) : await session.query(accessSql, [schemas]);
    return row?.[0] ?? "";
  }

  #refreshOne(role: Role): Promise<void> {
    const reading =
      this.#reading.get(role) ??
      this.#read(role).finally(() => {
        this.#reading.delete(role);
      });
    this.#reading.set(role, reading);
    return reading;
  }

  async #read(role: Role): Promise<void> {
    const { pool, served, schemas, journal, now, onSchema, hasRoles } = this.#options;
    await journal()?.poll();
    const [readAt, doubts] = [now(), this.#doubts];
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${ownSettings({ statementMs: 0, lockMs: 0 })}`;
    const before = this.#known.get(role);
    const read = await pool.transaction(begin, async (session) => {
      const version = await this.versionIn(session, role);
      if (journal() && version === before?.version && doubts === before.doubts) return undefined;
      const asRole = new ViewerSession(session, { ...everybody, role });
      const rights = role !== undefined ? "columns" : hasRoles ? "none" : "tables";
      return { found: await introspect(asRole, schemas, rights), version };
    });
    if (!read) return;
    const schema = served.schema(read.found);
    this.#known.set(role, { schema, version: read.version, readAt, doubts });
    if (before) this.#tellLess(before.schema, schema);
    if (before && role === undefined) onSchema(schema);
  }

  #forget(role: Role, { schema }: Known): void {
    if (role === undefined) return;
    this.#known.delete(role);
    this.#options.onLess(wholeTables(schema));
  }

  #tellLess(before: PostgresSchema, now: PostgresSchema): void {
    const whole = new Set(wholeTables(now).map(({ name }) => name));
    const less = wholeTables(before).filter(({ name }) => !whole.has(name));
    if (less.length > 0) this.#options.onLess(less);
  }
}
