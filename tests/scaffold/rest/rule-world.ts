import type { Rules } from "../../../src/scaffold/index.ts";
import type { Random } from "../../../src/testing/index.ts";
import type { ShownHistory } from "../postgres/leak-follower.ts";
import { here } from "./service.ts";

/** Whoever looks, by the name that its tokens have. */
export interface RuleViewer {
  readonly name: string;
}

/** What a viewer's token claims beside its name. */
export interface Granted {
  readonly teams: readonly number[];
  readonly kind: "admin" | "member";
}

/** Everybody. */
export const viewers: readonly RuleViewer[] = ["ann", "bob", "cy"].map((name) => ({ name }));

const tables = ["notes", "docs", "pages", "memos"] as const;
type TableName = (typeof tables)[number];

/** What is followed. */
export const targets: readonly string[] = [
  ...["/notes", "/notes?team=1", "/notes?limit=3", "/notes/1", "/notes/2"],
  ...["/docs", "/docs?limit=2", "/docs/1", "/pages", "/pages?team=gte.2", "/pages/1", "/memos", "/memos/2"],
  ...["/notes?select=id,text,teams!inner(id)", "/pages?select=id,text"],
];

const boolean = here({ sqlite: "BOOLEAN", postgres: "boolean" });

/** In a column that nobody may read. */
export const hidden = "hidden-";

/** What is to be served. */
export const worldSql = `
  CREATE TABLE teams (id integer PRIMARY KEY);
  INSERT INTO teams VALUES (0), (1), (2), (3);
  CREATE TABLE members (team integer NOT NULL REFERENCES teams (id), who text NOT NULL, PRIMARY KEY (team, who));
  ${tables
    .map((name) => {
      const columns = `id integer PRIMARY KEY, owner text NOT NULL, team integer NOT NULL REFERENCES teams (id), shared ${boolean} NOT NULL, text text NOT NULL, secret text`;
      return `CREATE TABLE ${name} (${columns});`;
    })
    .join("\n")}`;

const own = "owner=eq.$sub";

/** Teams by memberships, as what may be embedded; notes by values and a claim with a list, docs by memberships, pages by a claim alone, memos with less than all columns. */
export const worldRules: Rules = {
  notes: {
    read: "or=(owner.eq.$sub,shared.is.true,team.in.($teams))",
    ...{ create: own, update: own, delete: own },
  },
  teams: { read: "members.who=eq.$sub" },
  docs: { read: "teams.members.who=eq.$sub" },
  pages: { read: "or=($kind.eq.admin,team.lt.2)" },
  memos: { read: "or=($kind.eq.admin,owner.eq.$sub)", columns: { read: ["owner", "team", "shared", "text"] } },
};

interface Row {
  readonly owner: string;
  readonly team: number;
  readonly shared: boolean;
  readonly text: string;
}

/** The database and everybody's claims, as far as they decide what is shown. */
export interface RuleState {
  readonly members: ReadonlySet<string>;
  readonly granted: Readonly<Record<string, Granted>>;
  readonly rows: Readonly<Record<TableName, ReadonlyMap<number, Row>>>;
}

const none = new Map<number, Row>();
const firstState: RuleState = {
  members: new Set(),
  granted: Object.fromEntries(viewers.map(({ name }) => [name, { teams: [], kind: "member" }])),
  rows: { notes: none, docs: none, pages: none, memos: none },
};

/** What the viewer's claims are in a state. */
export function grantedTo(state: RuleState, { name }: RuleViewer): Granted {
  return state.granted[name] ?? { teams: [], kind: "member" };
}

function isShown(state: RuleState, viewer: RuleViewer, table: TableName, { owner, team, shared }: Row): boolean {
  const { teams, kind } = grantedTo(state, viewer);
  if (table === "notes") return owner === viewer.name || shared || teams.includes(team);
  if (table === "docs") return state.members.has(`${team} ${viewer.name}`);
  return kind === "admin" || (table === "pages" ? team < 2 : owner === viewer.name);
}

/** What a target's GET shows a viewer: rows, or the status of a refusal. */
function documentOf(state: RuleState, viewer: RuleViewer, target: string): string {
  const [, table = "", id] = /^\/(\w+)(?:\/(\d+))?/.exec(target) ?? [];
  const query = new URLSearchParams(target.split("?")[1] ?? "");
  const team = query.get("team");
  const isEmbedded = query.get("select")?.includes("teams!inner") === true;
  const isMember = ({ team }: Row): boolean => state.members.has(`${team} ${viewer.name}`);
  const isInTeam = (row: Row): boolean =>
    team === null || (team.startsWith("gte.") ? row.team >= Number(team.slice(4)) : row.team === Number(team));
  const rows = [...state.rows[table as TableName]]
    .filter(
      ([, row]) => isInTeam(row) && (!isEmbedded || isMember(row)) && isShown(state, viewer, table as TableName, row),
    )
    .toSorted(([one], [other]) => one - other)
    .map(([key, { text }]) => `${key}:${text}`);
  if (id !== undefined) return rows.find((row) => row.startsWith(`${id}:`)) ?? "404";
  return rows.slice(0, query.has("limit") ? Number(query.get("limit")) : undefined).join(" ");
}

/** A request of a viewer's own, and what it must be answered with. */
export interface ViewerWrite {
  readonly viewer: RuleViewer;
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly target: string;
  readonly body?: object;
  readonly status: number;
}

/** What happens at once. */
export interface RuleTransition {
  readonly state: RuleState;
  /** In one transaction of another program's; absent where it is another thing. */
  readonly sql?: string;
  readonly write?: ViewerWrite;
  /** Whose token is another one from now on. */
  readonly renewed?: RuleViewer;
}

/** Makes transitions by chance. */
export class RuleWorld {
  readonly #random: Random;
  #version = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(state: RuleState): RuleTransition {
    const kind = this.#random.below(100);
    if (kind < 4) return this.#claims(state);
    if (kind < 30) return this.#member(state);
    if (kind < 50) return this.#own(state);
    if (kind < 90) return this.#row(state);
    const first = this.#member(state);
    const second = this.#row(first.state);
    return { state: second.state, sql: `${first.sql}; ${second.sql}` };
  }

  #claims(state: RuleState): RuleTransition {
    const viewer = this.#random.pick(viewers);
    const teams = [0, 1, 2, 3].filter(() => this.#random.chance(0.4));
    const kind = this.#random.chance(0.3) ? "admin" : "member";
    return { state: { ...state, granted: { ...state.granted, [viewer.name]: { teams, kind } } }, renewed: viewer };
  }

  #member(state: RuleState): RuleTransition {
    const [team, { name }] = [this.#random.below(4), this.#random.pick(viewers)];
    const members = new Set(state.members);
    const isGone = members.delete(`${team} ${name}`);
    if (!isGone) members.add(`${team} ${name}`);
    const sql = isGone
      ? `DELETE FROM members WHERE team = ${team} AND who = '${name}'`
      : `INSERT INTO members VALUES (${team}, '${name}')`;
    return { state: { ...state, members }, sql };
  }

  #newRow(before?: Row): Row {
    this.#version += 1;
    const random = this.#random;
    const isKept = before !== undefined && random.chance(0.5);
    return {
      owner: isKept ? before.owner : random.pick(viewers).name,
      team: isKept ? before.team : random.below(4),
      shared: random.chance(0.3),
      text: `v${this.#version}`,
    };
  }

  #row(state: RuleState): RuleTransition {
    const random = this.#random;
    const table = random.pick(tables);
    const id = 1 + random.below(7);
    const before = state.rows[table].get(id);
    if (before && random.chance(0.2)) {
      return { state: withRow(state, table, id, undefined), sql: `DELETE FROM ${table} WHERE id = ${id}` };
    }
    const row = this.#newRow(before);
    const { owner, team, shared, text } = row;
    const values = `'${owner}', ${team}, ${shared ? "TRUE" : "FALSE"}, '${text}', '${hidden}${text}'`;
    const sql = before
      ? `UPDATE ${table} SET (owner, team, shared, text, secret) = (${values}) WHERE id = ${id}`
      : `INSERT INTO ${table} VALUES (${id}, ${values})`;
    return { state: withRow(state, table, id, row), sql };
  }

  /** A write of a viewer's to notes, whether it may or not. */
  #own(state: RuleState): RuleTransition {
    const random = this.#random;
    const viewer = random.pick(viewers);
    const id = 1 + random.below(7);
    const before = state.rows.notes.get(id);
    const row = this.#newRow(before);
    const isMine = row.owner === viewer.name;
    if (!before) {
      const write = {
        viewer,
        method: "POST",
        target: "/notes",
        body: { id, ...row },
        status: isMine ? 201 : 403,
      } as const;
      return { state: isMine ? withRow(state, "notes", id, row) : state, write };
    }
    const mayRead = isShown(state, viewer, "notes", before);
    const mayWrite = before.owner === viewer.name;
    const target = `/notes/${id}`;
    const refused = mayRead ? 403 : 404;
    if (random.chance(0.3)) {
      const write = { viewer, method: "DELETE", target, status: mayWrite ? 204 : refused } as const;
      return { state: mayWrite ? withRow(state, "notes", id, undefined) : state, write };
    }
    const isDone = mayWrite && isMine;
    const status = isDone ? 200 : mayWrite ? 403 : refused;
    return {
      state: isDone ? withRow(state, "notes", id, row) : state,
      write: { viewer, method: "PATCH", target, body: row, status },
    };
  }
}

function withRow(state: RuleState, table: TableName, id: number, row: Row | undefined): RuleState {
  const rows = new Map(state.rows[table]);
  if (row) rows.set(id, row);
  else rows.delete(id);
  return { ...state, rows: { ...state.rows, [table]: rows } };
}

/** The states, one after another, and what each viewer was shown by a GET when. */
export class RuleHistory implements ShownHistory<RuleViewer> {
  state: RuleState = firstState;
  begun = 0;
  committed = 0;
  readonly #documents: Map<string, { readonly from: number; readonly document: string }[]> = new Map();

  constructor() {
    this.#note();
  }

  /** Carries a transition out. */
  async run({ state }: RuleTransition, carryOut: () => Promise<void>): Promise<void> {
    this.state = state;
    this.begun += 1;
    this.#note();
    await carryOut();
    this.committed = this.begun;
  }

  documentNow(viewer: RuleViewer, target: string): string {
    return this.#of(viewer, target).at(-1)?.document ?? "";
  }

  momentOf(viewer: RuleViewer, target: string, since: number, isIt: (document: string) => boolean): number | undefined {
    const history = this.#of(viewer, target);
    let at = history.length - 1;
    while (at > 0 && (history[at]?.from ?? 0) > since) at -= 1;
    for (; at < history.length; at += 1) {
      const one = history[at];
      if (one && isIt(one.document)) return Math.max(one.from, since);
    }
    return undefined;
  }

  #of({ name }: RuleViewer, target: string): { readonly from: number; readonly document: string }[] {
    const key = `${name} ${target}`;
    const known = this.#documents.get(key) ?? [];
    this.#documents.set(key, known);
    return known;
  }

  #note(): void {
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
