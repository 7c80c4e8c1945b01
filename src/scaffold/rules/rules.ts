import type { Where } from "./where.ts";

/** Which records a rule lets through: the query of a GET on the table, as `owner=eq.$sub`; empty or true: all; false: none. */
export type RuleText = string | boolean;

/** What a function gives: a rule; a filter of {@link where}; nothing, which is as false. */
export type RowFilter = RuleText | Where | undefined;

/** Whom a rule is asked for. */
export interface RuleViewer {
  /** What the token claims; empty where the request has none. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The role of the database that the request acts as; absent where there are no roles. */
  readonly role?: string | undefined;
}

/**
 * A rule, or what gives one for a viewer; it is called for each request, and must give the same while the viewer's rights
 * are the same. What it throws is told to `onError`, and the request is answered with 500.
 */
export type Rule = RuleText | ((viewer: RuleViewer) => RowFilter);

/** Which records may be made, and what they get. */
export interface CreateRule {
  /** What a new record has to meet. Default: nothing. */
  readonly check?: Rule;
  /** What its columns get, whatever the request says: values, or claims as `$sub`. Default: nothing. */
  readonly set?: Readonly<Record<string, string | number | boolean | null>>;
}

/** What may be done with a table's records. An action that is not here is nobody's. */
export interface TableRules {
  /** Which records are there at all. */
  readonly read?: Rule;
  readonly create?: Rule | CreateRule;
  /** Which records may be changed; they must meet it after the change, too. */
  readonly update?: Rule;
  readonly delete?: Rule;
  /** The columns that may be read and written. The key is always read. Default: all. */
  readonly columns?: { readonly read?: readonly string[]; readonly write?: readonly string[] };
}

/** The rules of a database's tables, by their names. A table without an entry is closed. */
export type Rules = Readonly<Record<string, TableRules>>;

/** One table's rules, with every default filled in. */
export interface ResolvedTableRules {
  readonly read: Rule;
  readonly create: Rule;
  readonly set: ReadonlyMap<string, string | number | boolean | null>;
  readonly update: Rule;
  readonly delete: Rule;
  readonly readable: ReadonlySet<string> | undefined;
  readonly writable: ReadonlySet<string> | undefined;
}

/** Rules by table, with every default filled in. */
export type ResolvedRules = ReadonlyMap<string, ResolvedTableRules>;

/** What may be done with a table's records. */
export type RuleAction = "read" | "create" | "update" | "delete";

/**
 * Says for a viewer, a table and an action which records that is about, as a rule does. It is called once for each request
 * in which that is asked, and must not be async: what it needs belongs into the viewer.
 */
export type Rows<Viewer> = (viewer: Viewer, table: string, action: RuleAction) => RowFilter;

const ruleNames = ["read", "create", "update", "delete", "columns"];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectAt(place: string, value: unknown, names?: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new TypeError(`${place} must be an object, not ${JSON.stringify(value)}.`);
  for (const name of Object.keys(value)) {
    if (names && !names.includes(name)) {
      throw new TypeError(`${place} has ${JSON.stringify(name)}; what it can have is ${names.join(", ")}.`);
    }
  }
  return value;
}

function ruleAt(place: string, value: unknown, usual: boolean): Rule {
  if (value === undefined) return usual;
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "function") return value as Rule;
  throw new TypeError(`${place} must be a rule, true or false, not ${JSON.stringify(value)}.`);
}

function namesAt(place: string, value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return new Set(value as string[]);
  throw new TypeError(`${place} must be a list of columns, not ${JSON.stringify(value)}.`);
}

function setAt(place: string, value: unknown): ResolvedTableRules["set"] {
  const entries = Object.entries(value === undefined ? {} : objectAt(place, value));
  for (const [name, one] of entries) {
    if (one === null || ["string", "number", "boolean"].includes(typeof one)) continue;
    throw new TypeError(`${place}.${name} must be a text, a number, true, false or null, not ${JSON.stringify(one)}.`);
  }
  return new Map(entries as [string, string | number | boolean | null][]);
}

function tableRules(name: string, value: unknown): ResolvedTableRules {
  const table = objectAt(`rules.${name}`, value, ruleNames);
  const columns = objectAt(`rules.${name}.columns`, table.columns ?? {}, ["read", "write"]);
  const place = `rules.${name}.create`;
  const isFull = isObject(table.create);
  const create = isFull ? objectAt(place, table.create, ["check", "set"]) : { check: table.create };
  return {
    read: ruleAt(`rules.${name}.read`, table.read, false),
    create: ruleAt(isFull ? `${place}.check` : place, create.check, isFull),
    set: setAt(`${place}.set`, create.set),
    update: ruleAt(`rules.${name}.update`, table.update, false),
    delete: ruleAt(`rules.${name}.delete`, table.delete, false),
    readable: namesAt(`rules.${name}.columns.read`, columns.read),
    writable: namesAt(`rules.${name}.columns.write`, columns.write),
  };
}

/**
 * Fills in the defaults and checks the form. What the rules name is not looked for.
 *
 * @throws TypeError naming what can't be
 */
export function resolveRules(rules: unknown): ResolvedRules {
  return new Map(Object.entries(objectAt("rules", rules)).map(([name, value]) => [name, tableRules(name, value)]));
}

/** Rules that let everybody do everything. */
export const openRules: ResolvedTableRules = tableRules("", { read: true, create: true, update: true, delete: true });

/** Whether some of the rules are functions, which can't be handed to a thread. */
export function hasFunctions(rules: ResolvedRules): boolean {
  return [...rules.values()].some((table) =>
    [table.read, table.create, table.update, table.delete].some((rule) => typeof rule === "function"),
  );
}
