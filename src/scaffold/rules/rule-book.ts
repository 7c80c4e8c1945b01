import { keysBetween, relationsBetween } from "../engine/keys-between.ts";
import type { Snapshot, Transaction } from "../engine/snapshot.ts";
import { hasKey, type LeftOut, type Member, type ServedSchema, type ServedTable } from "../engine/table.ts";
import type { Viewer } from "../engine/viewer.ts";
import { listNames, Refusal } from "../rest/refusal.ts";
import { Relations } from "../rest/relations.ts";
import { bindRule, type LinkOf } from "./bind-rule.ts";
import { BothSources, type RowSource, type RuleParts, RuleSource } from "./rule-source.ts";
import { RuleTrouble } from "./rule-text.ts";
import { RuledSnapshot } from "./ruled-snapshot.ts";
import { RuledTransaction } from "./ruled-transaction.ts";
import {
  openRules,
  type ResolvedRules,
  type ResolvedTableRules,
  type Rows,
  type RuleAction,
  type RuleViewer,
} from "./rules.ts";
import { shownTable, unseenTable } from "./shown-table.ts";
import { type RuledTable, ViewerRights } from "./viewer-rights.ts";

/** What rules make of a schema. */
export interface RuledSchema {
  readonly tables: ReadonlyMap<string, RuledTable>;
  /** What viewers are shown: nothing of what they may not read. */
  readonly shown: ServedSchema;
  /** The same for the operator: with what is left out, and why. */
  readonly all: ServedSchema;
  /** What the rules name and that is not there, in sentences. */
  readonly troubles: readonly string[];
}

const actions: readonly RuleAction[] = ["read", "create", "update", "delete"];

/** Which tables are served, by the options. */
export type IsAsked = (table: string) => boolean;

/** Where names lead by the foreign keys of a schema. */
function linksIn(schema: ServedSchema): LinkOf {
  const relations = new Relations(schema);
  return (table, name) => {
    try {
      return relations.find(table, name);
    } catch (error) {
      throw error instanceof Refusal ? new RuleTrouble(error.message.replace(/\.$/, "")) : error;
    }
  };
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** What viewers are shown: of what nobody may read, that records may be added. */
function shownSchema(
  tables: ReadonlyMap<string, RuledTable>,
  { foreignKeys, relations = [] }: ServedSchema,
  denied: readonly string[],
): ServedSchema {
  const all = [...tables.values()];
  const isUnread = ({ sources }: RuledTable): boolean => sources.get("read")?.isNobody !== false;
  const unread = all.filter((one) => isUnread(one) && one.sources.get("create")?.isNobody === false);
  const readable = all.filter((one) => !isUnread(one)).map(({ shown }) => shown);
  return {
    tables: readable,
    leftOut: [],
    foreignKeys: keysBetween(readable, foreignKeys),
    relations: relationsBetween(readable, relations),
    denied: [...denied, ...unread.map(({ real }) => real.name)],
    unseen: unread.map(({ shown }) => unseenTable(shown)),
  };
}

/** What says who may what; one of them at least. */
export interface RuleBookParts {
  /** Absent: everybody may everything that `rows` allows. */
  readonly rules?: ResolvedRules | undefined;
  /** Absent: the rules alone decide. */
  readonly rows?: Rows<RuleViewer["claims"]> | undefined;
  /** Whether a table is served at all: others can't be watched. */
  readonly isAsked: IsAsked;
}

/** The rules of a database, and what they make of its schemas. */
export class RuleBook {
  readonly #rules: ResolvedRules | undefined;
  readonly #rows: RuleBookParts["rows"];
  readonly #isAsked: IsAsked;
  readonly #schemas: WeakMap<ServedSchema, RuledSchema> = new WeakMap();

  constructor({ rules, rows, isAsked }: RuleBookParts) {
    this.#rules = rules;
    this.#rows = rows;
    this.#isAsked = isAsked;
  }

  /** What the rules make of a schema; the same each time. */
  schemaOf(schema: ServedSchema): RuledSchema {
    let ruled = this.#schemas.get(schema);
    if (!ruled) {
      ruled = this.#apply(schema);
      this.#schemas.set(schema, ruled);
    }
    return ruled;
  }

  /** @throws TypeError where the rules name what a schema does not have */
  requireAll(schema: ServedSchema): void {
    const { troubles } = this.schemaOf(schema);
    if (troubles.length > 0) throw new TypeError(`rules: ${troubles.map(capitalised).join(" ")}`);
  }

  /** A snapshot as a viewer may see it. */
  guard(snapshot: Snapshot, viewer: Viewer): Snapshot {
    return new RuledSnapshot(snapshot, this.#rightsOf(snapshot, viewer));
  }

  /** A transaction as a viewer may write in it. */
  guardWrite(transaction: Transaction, viewer: Viewer): RuledTransaction {
    return new RuledTransaction(transaction, this.#rightsOf(transaction, viewer));
  }

  #rightsOf({ schema }: Snapshot, viewer: Viewer): ViewerRights {
    return new ViewerRights(this.schemaOf(schema), viewer, this.#isAsked);
  }

  #apply(schema: ServedSchema): RuledSchema {
    const tables = new Map<string, RuledTable>();
    const closed: LeftOut[] = [];
    const troubles: string[] = [];
    const linkOf = linksIn(schema);
    for (const table of schema.tables) {
      const rules = this.#rulesOf(table);
      try {
        if (rules) tables.set(table.name, this.#applyTo(table, rules, linkOf));
        else closed.push({ name: table.name, reason: "the rules have no entry for it, so it is closed" });
      } catch (error) {
        if (!(error instanceof RuleTrouble)) throw error;
        troubles.push(`${error.message}.`);
        closed.push({ name: table.name, reason: `it is closed, for ${error.message}` });
      }
    }
    troubles.push(...this.#missing(schema));
    for (const table of schema.unseen ?? []) {
      const rules = this.#rulesOf(table);
      // Nothing of it can be read, so no rule can be judged.
      if (rules)
        tables.set(table.name, this.#applyTo(table, { ...rules, read: false, update: false, delete: false }, linkOf));
    }
    const shown = shownSchema(
      tables,
      schema,
      (schema.denied ?? []).filter((name) => this.#rules?.has(name) !== false),
    );
    const all = { ...shown, leftOut: [...schema.leftOut, ...closed], troubles: schema.troubles ?? [] };
    return { tables, shown, all, troubles };
  }

  #rulesOf({ name }: ServedTable): ResolvedTableRules | undefined {
    return this.#rules ? this.#rules.get(name) : openRules;
  }

  #missing({ tables, leftOut, denied = [] }: ServedSchema): string[] {
    const there = new Set([...tables.map(({ name }) => name), ...leftOut.map(({ name }) => name), ...denied]);
    const missing = [...(this.#rules?.keys() ?? [])].filter((name) => !there.has(name));
    if (missing.length > 0 && tables.length === 0) {
      return [`The rules have entries for ${listNames(missing)}, and there are no tables yet: make them first.`];
    }
    const known = listNames(tables.map(({ name }) => name));
    return missing.map(
      (name) => `The rules have an entry for ${JSON.stringify(name)}, and there is no such table; there are ${known}.`,
    );
  }

  #applyTo(real: ServedTable, rules: ResolvedTableRules, linkOf: LinkOf): RuledTable {
    const { name } = real;
    const memberOf = (column: string, place: string): Member => {
      const member = real.members.find((one) => one.name === column);
      if (member) return member;
      const names = listNames(real.members.map((one) => one.name));
      throw new RuleTrouble(
        `the rules of ${JSON.stringify(name)} have ${place} ${JSON.stringify(column)}, and there is no such column; there are ${names}`,
      );
    };
    for (const column of rules.readable ?? []) memberOf(column, "columns.read");
    const writable = rules.writable && new Set([...rules.writable].map((column) => memberOf(column, "columns.write")));
    const set = [...rules.set].map(([column, value]) => [memberOf(column, "create.set"), value] as const);
    const computed = set.find(([member]) => member.generated)?.[0];
    if (computed) {
      throw new RuleTrouble(
        `the rules of ${JSON.stringify(name)} set ${JSON.stringify(computed.name)}, which the database computes`,
      );
    }
    const sources = new Map(actions.map((action) => [action, this.#sourceOf(real, action, rules, linkOf)]));
    const create = sources.get("create");
    if (!hasKey(real) && !create?.isConstant) {
      throw new RuleTrouble(
        `the rule of ${JSON.stringify(name)} for create can't be judged: nothing tells a new record from the others`,
      );
    }
    return { ...{ real, writable, set, sources }, shown: shownTable(real, rules) };
  }

  #sourceOf(table: ServedTable, action: RuleAction, rules: ResolvedTableRules, linkOf: LinkOf): RowSource {
    const place = `the rule of ${JSON.stringify(table.name)} for ${action}`;
    const bind: RuleParts["bind"] = (filter, isStart) => bindRule(filter, table, linkOf, isStart ? "throw" : "close");
    try {
      const rule = new RuleSource(rules[action], { place, bind });
      const rows = this.#rows;
      if (!rows || rule.isNobody) return rule;
      const own = `what \`rows\` gives for ${action} of ${JSON.stringify(table.name)}`;
      return new BothSources(
        rule,
        new RuleSource(({ claims }) => rows(claims, table.name, action), { place: own, bind }),
      );
    } catch (error) {
      if (error instanceof RuleTrouble) throw new RuleTrouble(`${place} can't be: ${error.message}`);
      throw error;
    }
  }
}
