import type { Client } from "pg";
import type { Random } from "../../../src/testing/index.ts";

/** Whoever looks. */
export interface LeakViewer {
  readonly name: string;
  readonly role: "member" | "anon" | "above";
  readonly sub?: string;
}

/** Members of teams, somebody without a name, and a role that bypasses row-level security. */
export const viewers: readonly LeakViewer[] = [
  ...["ann", "bob", "cy", "dee"].map((sub): LeakViewer => ({ name: sub, role: "member", sub })),
  { name: "nobody", role: "anon" },
  { name: "above", role: "above" },
];

const tables = ["notes", "docs", "memos"] as const;
type TableName = (typeof tables)[number];

/** What is followed. */
export const targets: readonly string[] = [
  ...["/notes", "/notes?team=1", "/notes?limit=3", "/notes/1", "/notes/2"],
  ...["/docs", "/docs?team=2", "/docs/1", "/memos", "/memos?limit=2"],
];

const teams = 4;
const ids = 8;

/** Notes by a policy with a subquery, docs by one that calls a function which hides what it reads, memos by changing ones. */
export const worldSql = `
  DO $$ BEGIN CREATE ROLE anon; CREATE ROLE member; CREATE ROLE above BYPASSRLS;
    EXCEPTION WHEN duplicate_object THEN NULL; END $$;
  CREATE TABLE notes (id int PRIMARY KEY, team int NOT NULL, text text NOT NULL);
  CREATE TABLE docs (LIKE notes INCLUDING ALL); CREATE TABLE memos (LIKE notes INCLUDING ALL);
  CREATE SCHEMA private; CREATE TABLE private.members (team int, who text);
  CREATE TABLE private.shares (team int, who text);
  GRANT USAGE ON SCHEMA private TO member, anon; GRANT SELECT ON private.members TO member, anon;
  GRANT ALL ON notes, docs, memos TO member, anon, above;
  CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('request.jwt.claims')::json->>'sub' $$;
  CREATE FUNCTION private.may_see(t int) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
    BEGIN RETURN EXISTS (SELECT FROM private.shares s WHERE s.team = t AND s.who = public.who()); END $$;
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
  CREATE POLICY seen ON notes USING (team = 0 OR team IN (SELECT m.team FROM private.members m WHERE m.who = who()));
  CREATE POLICY seen ON docs USING (private.may_see(team));
  CREATE POLICY seen ON memos USING (team % 2 = 0);
`;

interface Row {
  readonly team: number;
  readonly text: string;
}

/** A set of texts that is changed by making another one. */
type Pairs = ReadonlySet<string>;

/** The database, as far as it decides what is shown. */
export interface LeakState {
  readonly members: Pairs;
  readonly shares: Pairs;
  readonly rows: Readonly<Record<TableName, ReadonlyMap<number, Row>>>;
  /** Which teams' memos the policy shows; `undefined` while row-level security is off. */
  readonly parity: number | undefined;
  readonly policyParity: number;
  /** Whether members may read memos at all. */
  readonly isGranted: boolean;
}

const empty = new Map<number, Row>();

/** What there is at first: nothing. */
const firstState: LeakState = {
  members: new Set(),
  shares: new Set(),
  rows: { notes: empty, docs: empty, memos: empty },
  parity: undefined,
  policyParity: 0,
  isGranted: true,
};

function isShown(state: LeakState, { role, sub }: LeakViewer, table: TableName, { team }: Row): boolean {
  if (role === "above") return true;
  if (table === "notes") return team === 0 || state.members.has(`${team} ${sub}`);
  if (table === "docs") return state.shares.has(`${team} ${sub}`);
  return state.parity === undefined || team % 2 === state.parity;
}

/** The rows of a table that a viewer is shown, as `id:text`, in the order of their ids; `undefined`: it may not read it. */
function shownRows(state: LeakState, viewer: LeakViewer, table: TableName, team?: number): string[] | undefined {
  if (table === "memos" && viewer.role === "member" && !state.isGranted) return undefined;
  return [...state.rows[table]]
    .filter(([, row]) => (team === undefined || row.team === team) && isShown(state, viewer, table, row))
    .toSorted(([one], [other]) => one - other)
    .map(([id, { text }]) => `${id}:${text}`);
}

/** What a target's GET shows a viewer: rows, or the status of a refusal. */
function documentOf(state: LeakState, viewer: LeakViewer, target: string): string {
  const [, table = "", id] = /^\/(\w+)(?:\/(\d+))?/.exec(target) ?? [];
  const query = new URLSearchParams(target.split("?")[1] ?? "");
  const team = query.has("team") ? Number(query.get("team")) : undefined;
  const rows = shownRows(state, viewer, table as TableName, team);
  if (!rows) return viewer.role === "anon" ? "401" : "403";
  if (id !== undefined) return rows.find((row) => row.startsWith(`${id}:`)) ?? "404";
  return rows.slice(0, query.has("limit") ? Number(query.get("limit")) : undefined).join(" ");
}

/** Something that is done to the database in one transaction. */
export interface Transition {
  readonly state: LeakState;
  readonly sql: string;
  /** Which right it takes away; `undefined`: none. */
  readonly revokes?: "by a subquery" | "by a function" | "by a policy" | undefined;
}

/** Makes transitions by chance. */
export class LeakWorld {
  readonly #random: Random;
  #version = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(state: LeakState): Transition {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 2) return this.#policy(state);
    if (kind < 24) return this.#pair(state, "members");
    if (kind < 46) return this.#pair(state, "shares");
    if (kind < 90) return this.#row(state);
    // Of a record that is written twice in one transaction, those who are shown all of it are told twice.
    const first = kind === 90 ? this.#policy(state) : this.#pair(state, random.pick(["members", "shares"]));
    const second = this.#row(first.state);
    return { state: second.state, sql: `${first.sql}; ${second.sql}` };
  }

  #pair(state: LeakState, name: "members" | "shares"): Transition {
    const random = this.#random;
    const [team, who] = [random.below(teams), random.pick(viewers).sub ?? "ann"];
    const pair = `${team} ${who}`;
    const after = new Set(state[name]);
    if (after.delete(pair)) {
      const sql = `DELETE FROM private.${name} WHERE team = ${team} AND who = '${who}'`;
      const revokes = name === "members" ? "by a subquery" : "by a function";
      return { state: { ...state, [name]: after }, sql, revokes };
    }
    after.add(pair);
    return { state: { ...state, [name]: after }, sql: `INSERT INTO private.${name} VALUES (${team}, '${who}')` };
  }

  #row(state: LeakState): Transition {
    const random = this.#random;
    const table = random.pick(tables);
    const id = 1 + random.below(ids);
    const before = state.rows[table].get(id);
    const rows = new Map(state.rows[table]);
    const done = (sql: string): Transition => ({ state: { ...state, rows: { ...state.rows, [table]: rows } }, sql });
    if (before && random.chance(0.2)) {
      rows.delete(id);
      return done(`DELETE FROM ${table} WHERE id = ${id}`);
    }
    this.#version += 1;
    const row = {
      team: before && random.chance(0.6) ? before.team : random.below(teams),
      text: `v${this.#version}-${"long".repeat(8)}`,
    };
    rows.set(id, row);
    if (before) return done(`UPDATE ${table} SET team = ${row.team}, text = '${row.text}' WHERE id = ${id}`);
    return done(`INSERT INTO ${table} VALUES (${id}, ${row.team}, '${row.text}')`);
  }

  #policy(state: LeakState): Transition {
    const { parity, policyParity, isGranted } = state;
    const kind = this.#random.below(3);
    const revokes = "by a policy" as const;
    if (kind === 0 && isGranted)
      return { state: { ...state, isGranted: false }, sql: "REVOKE SELECT ON memos FROM member", revokes };
    if (!isGranted) return { state: { ...state, isGranted: true }, sql: "GRANT SELECT ON memos TO member" };
    if (parity === undefined) {
      return { state: { ...state, parity: policyParity }, sql: "ALTER TABLE memos ENABLE ROW LEVEL SECURITY", revokes };
    }
    if (kind === 1)
      return { state: { ...state, parity: undefined }, sql: "ALTER TABLE memos DISABLE ROW LEVEL SECURITY" };
    const other = 1 - policyParity;
    const after = { ...state, parity: other, policyParity: other };
    return { state: after, sql: `ALTER POLICY seen ON memos USING (team % 2 = ${other})`, revokes };
  }
}

function haveOtherRights(one: LeakState, other: LeakState): boolean {
  return one.parity !== other.parity || one.isGranted !== other.isGranted;
}

/** How many states are looked back on. */
const maxStates = 2_000;

/** The database's states, one after another, and what each viewer was shown by a GET when. */
export class LeakHistory {
  state: LeakState = firstState;
  /** How many transitions were begun, and how many are known to be committed. */
  begun = 0;
  committed = 0;
  readonly #client: Client;
  /** The newest ones; the last is that of the last transition that was begun. */
  readonly #states: LeakState[] = [];
  readonly #documents: Map<string, { readonly from: number; readonly document: string }[]> = new Map();

  constructor(client: Client) {
    this.#client = client;
    this.#note();
  }

  /** Carries a transition out. */
  async run({ state, sql }: Transition): Promise<void> {
    this.state = state;
    this.begun += 1;
    this.#note();
    await this.#client.query(sql);
    this.committed = this.begun;
  }

  documentNow(viewer: LeakViewer, target: string): string {
    return this.#of(viewer, target).at(-1)?.document ?? "";
  }

  /** The first moment from `since` on at which a GET would have shown the viewer this; `undefined`: none until now. */
  momentOf(viewer: LeakViewer, target: string, since: number, isIt: (document: string) => boolean): number | undefined {
    const history = this.#of(viewer, target);
    let at = history.length - 1;
    while (at > 0 && (history[at]?.from ?? 0) > since) at -= 1;
    for (; at < history.length; at += 1) {
      const one = history[at];
      if (one && isIt(one.document)) return Math.max(one.from, since);
    }
    return target.startsWith("/memos") ? this.#momentOfMixed(viewer, target, since, isIt) : undefined;
  }

  /**
   * PostgreSQL applies the policies and rights of when it plans a query to the rows of when its transaction began: what a
   * GET shows may be rows of one moment by the rights of a later one.
   */
  #momentOfMixed(
    viewer: LeakViewer,
    target: string,
    since: number,
    isIt: (document: string) => boolean,
  ): number | undefined {
    const first = this.begun - this.#states.length + 1;
    for (let later = Math.max(since, first) + 1; later <= this.begun; later += 1) {
      const [before, rights] = [this.#states[later - 1 - first], this.#states[later - first]];
      if (!before || !rights || !haveOtherRights(before, rights)) continue;
      const { parity, isGranted } = rights;
      for (let moment = Math.max(since, first); moment < later; moment += 1) {
        const state = this.#states[moment - first];
        if (state && isIt(documentOf({ ...state, parity, isGranted }, viewer, target))) return moment;
      }
    }
    return undefined;
  }

  #of({ name }: LeakViewer, target: string): { readonly from: number; readonly document: string }[] {
    const key = `${name} ${target}`;
    let history = this.#documents.get(key);
    if (!history) {
      history = [];
      this.#documents.set(key, history);
    }
    return history;
  }

  #note(): void {
    this.#states.push(this.state);
    if (this.#states.length > 2 * maxStates) this.#states.splice(0, maxStates);
    for (const viewer of viewers) {
      for (const target of targets) {
        const history = this.#of(viewer, target);
        const document = documentOf(this.state, viewer, target);
        if (history.at(-1)?.document !== document) history.push({ from: this.begun, document });
        // Nobody lags so far behind.
        if (history.length > 4_000) history.splice(0, 2_000);
      }
    }
  }
}
