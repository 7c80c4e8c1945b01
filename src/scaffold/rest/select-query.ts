import type { JsonPath, Parameter } from "../../filter/index.ts";
import type { Embed, Grouping, TreeQuery } from "../engine/tree.ts";
import type { AggregateName } from "../engine/value-type.ts";
import type { Catalog } from "./catalog.ts";
import { cellType, formatGroupOrder, groupOrder, memberAt, type Unread } from "./groups.ts";
import { partName } from "./json-part.ts";
import { type CollectionQuery, completeOrder, type FindOther, formatOrder, parseQuery } from "./query.ts";
import { findColumn, findOperand, formatRecordFilter, requirePart } from "./record-filter.ts";
import { listNames, Refusal, shorten } from "./refusal.ts";
import type { Relation } from "./relations.ts";
import { type Resource, resourceOf } from "./resource.ts";
import { formatSelect, parseSelect, type SelectPart } from "./select-text.ts";
import { type Field, type Selected, selectionOf, shownMembers } from "./selection.ts";

/** How many lists and records may be embedded in those of one answer, in all. */
const maxEmbeds = 16;

type EmbedPart = Extract<SelectPart, { readonly kind: "embed" }>;
type Parameters = readonly Parameter[];

/** An embed that is being read. */
interface Pending {
  readonly key: string;
  readonly part: EmbedPart;
  readonly relation: Relation;
  readonly parameters: Parameter[];
  keeps: Embed["keeps"];
}

/** What one level of a `select` comes to. */
interface Level extends Selected {
  readonly query: CollectionQuery;
  /** The parts of the `select`, each as what it means. */
  readonly parts: readonly SelectPart[];
}

/** What a part means: `count` is `count()` where no column has that name. */
function meant({ table }: Resource, part: SelectPart): SelectPart {
  const isCount = part.kind === "column" && part.name === "count" && part.aggregate === undefined;
  if (!isCount || table.members.some(({ name }) => name === "count")) return part;
  return { ...part, name: "", aggregate: "count" };
}

function isHint(hint: string): boolean {
  return hint !== "inner" && hint !== "left";
}

function nameOf({ name, hints }: EmbedPart): string {
  const hint = hints.filter(isHint);
  if (hint.length > 1) throw new Refusal(400, `"${shorten(name)}" in "select" has more than one name behind "!".`);
  return [name, ...hint].join("!");
}

const states: Readonly<Record<string, Embed["keeps"]>> = {
  "is.null": "without",
  "not.is.null": "with",
  "is.not_null": "with",
};

/** Reads the levels of one `select`. */
class SelectBinder {
  readonly #catalog: Catalog;
  readonly #maxRows: number;
  #embeds = 0;

  constructor(catalog: Catalog, maxRows: number) {
    this.#catalog = catalog;
    this.#maxRows = maxRows;
  }

  /** @param limit - as {@link parseQuery}: how many records there may be at most */
  bind(resource: Resource, written: readonly SelectPart[], parameters: Parameters): Level {
    const parts = written.map((part) => meant(resource, part));
    const pending = this.#pending(resource, parts);
    const own = this.#shareOut(resource, pending, parameters);
    const fields = fieldsOf(resource, parts, pending);
    if (fields.some(({ kind }) => kind === "cell")) return { ...this.#groups(resource, fields, own), parts };
    refuseUnembedded(this.#catalog, resource, own);
    const findOther: FindOther = (text) => findOrdered(resource, pending, text);
    const query = parseQuery(resource, own, this.#maxRows, findOther);
    const levels = pending.map((one) => this.#embed(one));
    const shown = fields.map((field): Field => {
      const { name, at } = field;
      if (field.kind === "cell") throw new Error("A group has no place here.");
      if (field.kind === "value") return { ...field, type: memberAt(resource, at).type };
      const embed = levels[at];
      if (!embed) throw new Error("An embed was not read.");
      const { isOne, level } = embed;
      if (!field.isSpread) return { kind: "records", name, at, isOne, selection: level.selection };
      if (!isOne) throw new Refusal(400, `"..." stands before a single record, and "${shorten(name)}" is a list.`);
      return { kind: "spread", at, selection: level.selection };
    });
    const selection = selectionOf(resource, shown, false);
    return {
      query,
      selection,
      shown: shownMembers(selection),
      embeds: levels.map(({ embed }) => embed),
      parts: withParts(
        parts,
        levels.map(({ level }) => level.parts),
      ),
      parameters: levels.flatMap(({ parameters: all }) => all),
    };
  }

  #pending(resource: Resource, parts: readonly SelectPart[]): Pending[] {
    return parts.flatMap((part) => {
      if (part.kind !== "embed") return [];
      this.#embeds += 1;
      if (this.#embeds > maxEmbeds) throw new Refusal(400, `"select" embeds more than ${maxEmbeds} lists and records.`);
      const relation = this.#catalog.relations.find(resource.table, nameOf(part));
      const keeps = part.hints.includes("inner") ? "with" : "all";
      return [{ key: part.alias ?? part.name, part, relation, parameters: [], keeps }];
    });
  }

  /** Gives embeds the parameters that are about them; gives back the others. */
  #shareOut({ table }: Resource, pending: readonly Pending[], parameters: Parameters): Parameter[] {
    const byLength = [...pending].sort((one, other) => other.key.length - one.key.length);
    return parameters.filter(([name, value]) => {
      if (table.members.some((one) => one.name === name)) return true;
      const own = byLength.find(({ key }) => name.startsWith(`${key}.`));
      own?.parameters.push([name.slice(own.key.length + 1), value]);
      const itself = byLength.find(({ key }) => name === key);
      if (itself) itself.keeps = stateOf(name, value);
      return !own && !itself;
    });
  }

  #embed({ key, part, relation, parameters, keeps }: Pending): {
    readonly embed: Embed;
    readonly level: Level;
    readonly isOne: boolean;
    readonly parameters: Parameter[];
  } {
    const resource = resourceOf(relation.table, this.#catalog.basePath);
    const level = this.bind(resource, part.parts, parameters);
    const isOne = relation.isOne && !level.grouping;
    const { query, shown, grouping, embeds } = level;
    const { filter, order, offset } = query;
    const isShown = part.parts.length > 0;
    const limit = !isShown ? 0 : isOne ? 1 : Math.min(query.limit ?? this.#maxRows, this.#maxRows);
    const { from, to, join } = relation;
    const embed: Embed = {
      ...{ table: relation.table, link: { from, to }, keeps },
      ...(join ? { join } : {}),
      query: { ...{ filter, order, limit, offset, shown, grouping, embeds } },
    };
    const said = keeps === "without" ? [[key, "is.null"] as const] : [];
    const isInner = keeps === "with" && !part.hints.includes("inner");
    const kept = isInner ? [[key, "is.not_null"] as const] : said;
    const below = [...queryParameters(resource, query), ...level.parameters];
    return {
      embed,
      level,
      isOne,
      parameters: [...kept, ...below.map(([name, value]): Parameter => [`${key}.${name}`, value])],
    };
  }

  #groups(resource: Resource, fields: readonly Unread[], parameters: Parameters): Omit<Level, "parts"> {
    if (fields.some(({ kind }) => kind === "records")) {
      const detail =
        'In "select", what several records come to, as count(), can\'t stand beside embedded records; it can stand in them.';
      throw new Refusal(400, detail);
    }
    if (fields.some((field) => field.kind === "value" && field.path))
      throw new Refusal(400, 'In "select", a path into JSON makes no groups, so it can\'t stand beside count().');
    const { members } = resource.table;
    const cells = fields.flatMap((field): Grouping["cells"][number][] => {
      if (field.kind === "records") return [];
      return [{ member: members[field.at], aggregate: field.kind === "cell" ? field.aggregate : undefined }];
    });
    const shown = fields.map(
      (field, at): Field => ({ kind: "value", name: field.name, at, type: cellType(resource, field) }),
    );
    const order = parameters.find(([name]) => name === "order")?.[1];
    const query = parseQuery(
      resource,
      parameters.filter((one) => one[0] !== "order" || one[1] !== order),
      this.#maxRows,
    );
    const grouping = { cells, order: groupOrder(fields, order) };
    const said: Parameter[] = order === undefined ? [] : [["order", formatGroupOrder(fields, grouping.order)]];
    return {
      query: { ...query, order: [] },
      selection: selectionOf(resource, shown, true),
      ...{ shown: undefined, grouping, embeds: [], parameters: said },
    };
  }
}

/** Parts with what stands in each embed, in turn. */
function withParts(parts: readonly SelectPart[], embedded: readonly (readonly SelectPart[])[]): SelectPart[] {
  const left = [...embedded];
  return parts.map((part) => (part.kind === "embed" ? { ...part, parts: left.shift() ?? [] } : part));
}

function fieldsOf(resource: Resource, parts: readonly SelectPart[], pending: readonly Pending[]): Unread[] {
  const { members } = resource.table;
  // What is embedded by name stands before a column that only `*` names.
  const embedded = new Set(pending.flatMap(({ key, part }) => (part.parts.length > 0 && !part.isSpread ? key : [])));
  let embeds = 0;
  return parts.flatMap((part): Unread[] => {
    if (part.kind === "all") {
      return members.flatMap(({ name }, at) => (embedded.has(name) ? [] : { kind: "value", name, at }));
    }
    if (part.kind === "embed") {
      const at = embeds;
      embeds += 1;
      // Without parts it only says which records there are.
      const name = pending[at]?.key ?? part.name;
      return part.parts.length === 0 ? [] : [{ kind: "records", name, at, isSpread: part.isSpread === true }];
    }
    const found = part.path && findPart(resource, part.name, part.path);
    if (found) return [{ kind: "value", name: part.alias ?? partName(found.path), ...found }];
    const aggregate = part.aggregate as AggregateName | undefined;
    const isCount = aggregate === "count" && part.name === "";
    const at = isCount ? -1 : members.indexOf(findColumn(resource, part.name));
    const name = part.alias ?? aggregate ?? part.name;
    return [aggregate === undefined ? { kind: "value", name, at } : { kind: "cell", name, at, aggregate }];
  });
}

/** Where a path leads; `undefined` where a column has just that name. @throws Refusal 400 where there is no such place */
function findPart(
  resource: Resource,
  name: string,
  path: JsonPath,
): { readonly at: number; readonly path: JsonPath } | undefined {
  if (resource.table.members.some((member) => member.name === name)) return undefined;
  const column = findColumn(resource, path.column);
  requirePart(column, path);
  return { at: resource.table.members.indexOf(column), path };
}

function stateOf(name: string, value: string): Embed["keeps"] {
  // As elsewhere, what stands behind `is.` may be in any case.
  const keeps = states[value.replace(/(?<=^(?:not\.)?is\.).*$/s, (state) => state.toLowerCase())];
  if (keeps) return keeps;
  const list = Object.keys(states).join(", ");
  throw new Refusal(400, `Of the embedded "${shorten(name)}" only ${list} can be asked, not "${shorten(value)}".`);
}

/** What `labels(name)` means in `order`: a column of the one record that is embedded in each. */
function findOrdered(resource: Resource, pending: readonly Pending[], text: string): ReturnType<FindOther> {
  const [, key, column] = /^(.+)\(([^()]*)\)$/s.exec(text) ?? [];
  if (key === undefined || column === undefined) return undefined;
  const embedded = pending.find((one) => one.key === key);
  if (!embedded?.relation.isOne) {
    const ones = pending.filter(({ relation }) => relation.isOne).map((one) => one.key);
    const there = ones.length === 0 ? "there are none" : `there are ${listNames(ones)}`;
    throw new Refusal(
      400,
      `"order" can go by a single record that "select" embeds, and "${shorten(key)}" is none; ${there}.`,
    );
  }
  const { table, from, to } = embedded.relation;
  const found = findOperand(resourceOf(table, resource.basePath), column);
  return { member: found, of: { table, link: { from, to }, name: key } };
}

/** What a URL says of the records of an embed. */
function queryParameters(resource: Resource, { filter, order, limit, offset }: CollectionQuery): Parameter[] {
  const orderText = formatOrder(order);
  const isUsual = order.length === 0 || orderText === formatOrder(completeOrder(resource, []));
  return [
    ...formatRecordFilter(filter),
    ...(isUsual ? [] : [["order", orderText] as const]),
    ...(limit === undefined ? [] : [["limit", String(limit)] as const]),
    ...(offset ? [["offset", String(offset)] as const] : []),
  ];
}

function isAll(parts: readonly SelectPart[]): boolean {
  return parts.length === 1 && parts[0]?.kind === "all";
}

/** The `select` of some parameters, and the others; without it where it asks for nothing else than there is. */
function takeSelect(parameters: Parameters): {
  readonly parts: readonly SelectPart[] | undefined;
  readonly others: Parameters;
} {
  const texts = parameters.filter(([name]) => name === "select");
  if (texts.length > 1) throw new Refusal(400, 'The parameter "select" is given more than once.');
  const others = parameters.filter(([name]) => name !== "select");
  const parts = texts[0] && parseSelect(texts[0][1]);
  return { parts: parts && isAll(parts) ? undefined : parts, others };
}

function selectedOf({ query: _, parts, ...level }: Level): Selected {
  return { ...level, parameters: [["select", formatSelect(parts)], ...level.parameters] };
}

/** @throws Refusal 400 for a parameter about related records that are not embedded */
function refuseUnembedded({ relations }: Catalog, { table }: Resource, parameters: Parameters): void {
  const names = new Set(relations.of(table).flatMap((relation) => relation.names));
  for (const [name] of parameters) {
    const first = name.slice(0, Math.max(name.indexOf("."), 0));
    if (!names.has(first) || table.members.some((one) => one.name === name)) continue;
    const way = `select=*,${shorten(first)}!inner(*)`;
    throw new Refusal(400, `"${shorten(name)}" is about records that are not embedded; ${way} embeds them.`);
  }
}

/**
 * Reads a collection's parameters, with what they select of its records and embed in them.
 *
 * @param maxRows - how many records an answer has at most, and an embedded list
 * @throws Refusal 400 naming what can't be
 */
export function parseSelectedQuery(
  catalog: Catalog,
  resource: Resource,
  parameters: Parameters,
  maxRows: number = Number.MAX_SAFE_INTEGER,
): CollectionQuery {
  const { parts, others } = takeSelect(parameters);
  if (!parts) {
    refuseUnembedded(catalog, resource, others);
    return parseQuery(resource, others, maxRows);
  }
  const level = new SelectBinder(catalog, maxRows).bind(resource, parts, others);
  return { ...level.query, selected: selectedOf(level) };
}

/**
 * Reads a record's parameters: what they select of it and embed in it.
 *
 * @param maxRows - how many records an embedded list has at most
 * @throws Refusal 400 naming what can't be
 */
export function parseRecordQuery(
  catalog: Catalog,
  resource: Resource,
  parameters: Parameters,
  maxRows: number,
): Selected | undefined {
  const { parts, others } = takeSelect(parameters);
  if (!parts) {
    refuse(others);
    return undefined;
  }
  const level = new SelectBinder(catalog, maxRows).bind(resource, parts, others);
  if (level.grouping) throw new Refusal(400, "What several records come to is asked of a collection, not of a record.");
  const asked = queryParameters(resource, level.query);
  refuse(asked);
  return selectedOf(level);
}

/** @throws Refusal 400 where there are parameters */
function refuse([first]: Parameters): void {
  if (first) throw new Refusal(400, `The parameter "${shorten(first[0])}" means nothing here.`);
}

/** A collection's query as an engine has it. */
export function treeQueryOf(query: CollectionQuery, { shown, grouping, embeds }: Selected): TreeQuery {
  const { filter, order, limit, offset } = query;
  return { filter, order, limit, offset, shown, grouping, embeds };
}
