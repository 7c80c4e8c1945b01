import { createHash } from "node:crypto";
import type { Value } from "../../server/index.ts";
import { Denied } from "../engine/denied.ts";
import type { RowRule } from "../engine/query.ts";
import type { Permits, Row, ViewerFilter } from "../engine/snapshot.ts";
import type { Member, ServedSchema, ServedTable, TableWrite } from "../engine/table.ts";
import type { Viewer } from "../engine/viewer.ts";
import { formatJson } from "../json/json.ts";
import { imageFilter, isEverything, isNothing, linkedTables } from "./bind-rule.ts";
import type { RowSource } from "./rule-source.ts";
import type { RuleAction } from "./rules.ts";

/** Claims that are others in each token of one person. */
const ofTheToken = new Set(["exp", "iat", "jti", "nbf"]);

/** The rules that writes have to obey. */
const ruleActions: Readonly<Record<TableWrite, RuleAction>> = { create: "create", update: "update", destroy: "delete" };

/** A table and the rules of it. */
export interface RuledTable {
  /** The engine's own. */
  readonly real: ServedTable;
  /** What viewers are shown of it. */
  readonly shown: ServedTable;
  /** The members that may be written; `undefined`: all. */
  readonly writable: ReadonlySet<Member> | undefined;
  /** What new records get. */
  readonly set: readonly (readonly [member: Member, value: string | number | boolean | null])[];
  readonly sources: ReadonlyMap<RuleAction, RowSource>;
}

/** The ruled tables of a schema, by name, and what is shown of it. */
export interface RuledTables {
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly shown: ServedSchema;
}

/** What one viewer may do with one table. */
export class TableRights {
  readonly table: RuledTable;
  readonly real: ServedTable;
  readonly viewer: Viewer;
  readonly #places: readonly number[] | undefined;
  readonly #wholes: WeakMap<Row, Row> = new WeakMap();
  /** A function is asked once: what it says is one answer's, or one write's. */
  readonly #rules: Map<RuleAction, RowRule | undefined> = new Map();

  constructor(table: RuledTable, viewer: Viewer) {
    this.table = table;
    this.real = table.real;
    this.viewer = viewer;
    const { members } = table.shown;
    const isWhole = members.length === table.real.members.length;
    this.#places = isWhole ? undefined : members.map((member) => table.real.members.indexOf(member));
  }

  /** A row as the viewer is shown it. */
  shownRow(row: Row): Row {
    if (!this.#places) return row;
    const shown = this.#places.map((at): Value => row[at] ?? null);
    this.#wholes.set(shown, row);
    return shown;
  }

  /** The whole row of one that was shown. */
  wholeRow(shown: Row): Row {
    return this.#wholes.get(shown) ?? shown;
  }

  /** Whether it is shown less than the journal tells of a record. */
  get isCut(): boolean {
    return this.#places !== undefined;
  }

  /** What records have to meet for an action; `undefined`: nothing. */
  rule(action: RuleAction): RowRule | undefined {
    if (this.#rules.has(action)) return this.#rules.get(action);
    const found = this.table.sources.get(action)?.of(this.viewer) ?? { kind: "or", parts: [] };
    const rule = isEverything(found) ? undefined : found;
    this.#rules.set(action, rule);
    return rule;
  }

  /** @throws Denied where no record would do */
  require(action: RuleAction): RowRule | undefined {
    const rule = this.rule(action);
    if (rule && isNothing(rule)) throw new Denied();
    return rule;
  }

  /** What of some permits is left by the rules. */
  permitsOf({ writes, create, update }: Permits): Permits {
    const { writable, set } = this.table;
    const isFree = (member: Member): boolean => !writable || writable.has(member);
    const given = new Set(set.map(([member]) => member));
    const isAnybodys = (write: TableWrite): boolean => {
      const rule = this.rule(ruleActions[write]);
      return !rule || !isNothing(rule);
    };
    return {
      writes: writes.filter(isAnybodys),
      create: new Set([...create].filter((member) => isFree(member) && !given.has(member))),
      update: new Set([...update].filter(isFree)),
    };
  }

  /** What images have to meet to be shown; `undefined` where only the database can tell. */
  get viewerFilter(): ViewerFilter | undefined {
    if (this.isCut) return undefined;
    const filter = imageFilter(this.rule("read") ?? { kind: "and", parts: [] });
    return filter && { filter, isChanging: this.table.sources.get("read")?.isChanging ?? false };
  }

  /** The other tables that decide what is shown. */
  get links(): readonly ServedTable[] {
    const rule = this.rule("read");
    return rule ? linkedTables(rule) : [];
  }
}

/** What one viewer may do, by table. */
export class ViewerRights {
  readonly schema: ServedSchema;
  readonly isAsked: (table: string) => boolean;
  readonly #tables: RuledTables["tables"];
  readonly #viewer: Viewer;
  readonly #rights: Map<string, TableRights> = new Map();

  constructor({ tables, shown }: RuledTables, viewer: Viewer, isAsked: (table: string) => boolean) {
    this.schema = shown;
    this.isAsked = isAsked;
    this.#tables = tables;
    this.#viewer = viewer;
  }

  /** Equal for equal claims, whatever token they are in. */
  get claimsDigest(): string {
    const { claims = {} } = this.#viewer;
    const lasting = Object.entries(claims).filter(([name]) => !ofTheToken.has(name));
    const sorted = lasting.sort(([one], [other]) => (one < other ? -1 : 1));
    return createHash("sha256").update(formatJson(sorted)).digest("base64url");
  }

  /** @throws Denied for a table that is closed */
  of({ name }: ServedTable): TableRights {
    let rights = this.#rights.get(name);
    if (!rights) {
      const table = this.#tables.get(name);
      if (!table) throw new Denied();
      rights = new TableRights(table, this.#viewer);
      this.#rights.set(name, rights);
    }
    return rights;
  }
}
