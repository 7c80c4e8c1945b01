import {
  type ForeignKey,
  keyMembers,
  type Link,
  type Member,
  type NamedRelation,
  type ServedSchema,
  type ServedTable,
} from "../engine/table.ts";
import { listNames, Refusal, shorten } from "./refusal.ts";
import { addressMembers } from "./resource.ts";

/** How the records of a table lead to those of another, or of the same one. */
export interface Relation extends Link {
  /**
   * `one`: a foreign key of the table names a record at most. `many`: foreign keys there name this table's records.
   * `through`: both are named by the records of a third table.
   */
  readonly kind: "one" | "many" | "through";
  /** Whether it leads to one record at most: a foreign key does, and so does one of others that is unique there. */
  readonly isOne: boolean;
  /** The table that it leads to. */
  readonly table: ServedTable;
  /** The third table: {@link Link.from} and the first step's other end are equal, and so on; absent where there is none. */
  readonly join?: { readonly table: ServedTable; readonly first: Link; readonly last: Link };
  /** What it can be named by, of which others may have some, too. */
  readonly names: readonly string[];
  /** What tells it from others of the same name, behind a `!`. */
  readonly hints: readonly string[];
  /** What models call it, which means no other then. Absent: nothing. */
  readonly called?: readonly string[];
}

/** A foreign key with what it names in place of names. */
interface Key extends Link {
  readonly table: ServedTable;
  readonly other: ServedTable;
  readonly name: string | undefined;
}

function membersOf({ members }: ServedTable, names: readonly string[]): Member[] {
  return names.flatMap((name) => members.find((member) => member.name === name) ?? []);
}

/** The column of a foreign key that has one, and that less `_id`. */
function columnNames({ from }: Link): string[] {
  const [column, ...more] = from.map(({ name }) => name);
  if (column === undefined || more.length > 0) return [];
  const less = column.replace(/_id$/i, "");
  return less === column || less === "" ? [column] : [less, column];
}

function hintsOf(key: Key): string[] {
  return [...columnNames(key), ...(key.name === undefined ? [] : [key.name])];
}

function toOne(key: Key): Relation {
  const { other, from, to } = key;
  const hints = hintsOf(key);
  // The foreign key's own names are for the table that it names, not for views of that.
  if (other.isView) return { kind: "one", isOne: true, table: other, from, to, names: [other.name], hints };
  // In a self-reference the table's name is that of the other direction, which has no column to be named by.
  const names = key.table === other ? hints : [other.name, ...hints];
  return { kind: "one", isOne: true, table: other, from, to, names, hints };
}

/** Whether a record is named by one of the table at most. */
function isUnique({ table, from }: Key): boolean {
  const names = new Set(from.map(({ name }) => name));
  const key = keyMembers(table).map(({ name }) => name);
  return [key, ...(table.unique ?? [])].some((columns) => columns.length > 0 && columns.every((one) => names.has(one)));
}

function toMany(key: Key): Relation {
  const { table, from, to, name } = key;
  const names = [table.name, ...(name === undefined ? [] : [name])];
  return { kind: "many", isOne: isUnique(key), table, from: to, to: from, names, hints: hintsOf(key) };
}

/** Whether two foreign keys of a table are in its key, together: then its records say no more than what is related. */
function joins(one: Key, other: Key): boolean {
  const key = addressMembers(one.table);
  const parts = [...one.from, ...other.from];
  const isApart = one.from.every((member) => !other.from.includes(member));
  const isInKey = parts.every((member) => key.includes(member));
  // A view of a third table leads nowhere that the table does not lead.
  return one !== other && isApart && isInKey && !one.table.isView;
}

function through(one: Key, other: Key): Relation {
  const first = { from: one.to, to: one.from };
  const last = { from: other.from, to: other.to };
  // Where the third table has several keys to either end, both are to be named.
  const both = hintsOf(one).flatMap((near) => hintsOf(other).map((far) => `${near}.${far}`));
  return {
    kind: "through",
    isOne: false,
    table: other.other,
    from: first.from,
    to: last.to,
    join: { table: one.table, first, last },
    names: [other.other.name],
    hints: [one.table.name, ...hintsOf(other), ...both],
  };
}

/** A relation as models name it, with what it leads to in place of names; none where that is not served. */
function namedRelation(tables: ReadonlyMap<string, ServedTable>, relation: NamedRelation): Relation[] {
  const { name, references, isOne, join } = relation;
  const [own, other] = [tables.get(relation.table), tables.get(references.table)];
  const third = join && tables.get(join.table);
  if (!own || !other || (join && !third)) return [];
  const [from, to] = [membersOf(own, relation.columns), membersOf(other, references.columns)];
  const named = { table: other, from, to, names: [name], hints: [], called: [name] };
  if (!join || !third) return [{ ...named, kind: isOne ? "one" : "many", isOne }];
  const first = { from, to: membersOf(third, join.from) };
  return [
    {
      ...named,
      kind: "through",
      isOne: false,
      join: { table: third, first, last: { from: membersOf(third, join.to), to } },
    },
  ];
}

/** Whether two links are of the same members, in whatever order. */
function isSameLink(one: Link, other: Link): boolean {
  const hasPair = (from: Member, at: number): boolean => other.to[other.from.indexOf(from)] === one.to[at];
  return one.from.length === other.from.length && one.from.every(hasPair);
}

function turned({ from, to }: Link): Link {
  return { from: to, to: from };
}

function isSame(one: Relation, other: Relation): boolean {
  if (one.table !== other.table) return false;
  if (!one.join || !other.join) return one.join === other.join && isSameLink(one, other);
  const { first, last, table } = one.join;
  return table === other.join.table && isSameLink(first, other.join.first) && isSameLink(last, other.join.last);
}

/** Relations with one more name: that of one that is there, or of one that only the models know. */
function withNamed(all: Relation[], named: Relation): Relation[] {
  const same = all.filter((one) => isSame(one, named));
  const known = same.find(({ kind }) => kind === named.kind) ?? same[0];
  if (!known) return [...all, named];
  const called = [...(known.called ?? []), ...named.names];
  return all.map((one) => (one === known ? { ...known, called, names: [...named.names, ...known.names] } : one));
}

/** A relation's name taken apart: `albums!artist_id` are the albums by their foreign key `artist_id`. */
function split(text: string): { readonly name: string; readonly hint: string | undefined } {
  const at = text.lastIndexOf("!");
  return at < 0 ? { name: text, hint: undefined } : { name: text.slice(0, at), hint: text.slice(at + 1) };
}

/** How tables are related by their foreign keys. */
export class Relations {
  readonly #of: ReadonlyMap<ServedTable, Relation[]>;

  /** @param schema - the tables between which relations are, and the foreign keys, of which those between others are none */
  constructor({ tables, foreignKeys, relations = [] }: Pick<ServedSchema, "tables" | "foreignKeys" | "relations">) {
    const byName = new Map(tables.map((table) => [table.name, table]));
    const keys = foreignKeys.flatMap((key) => this.#keyOf(byName, key));
    this.#of = new Map(
      tables.map((table) => {
        const own = keys.filter((key) => key.table === table).map(toOne);
        const others = keys.filter((key) => key.other === table);
        const far = others.flatMap((one) =>
          keys.filter((other) => other.table === one.table && joins(one, other)).map((other) => through(one, other)),
        );
        const named = relations.flatMap((one) => (one.table === table.name ? namedRelation(byName, one) : []));
        return [table, named.reduce(withNamed, [...own, ...others.map(toMany), ...far])] as const;
      }),
    );
  }

  /** All relations of a table: those of its own foreign keys, those of others', and those through a third table. */
  of(table: ServedTable): readonly Relation[] {
    return this.#of.get(table) ?? [];
  }

  /**
   * The relation of a table that a name means: the other table's, or the foreign key's column, with or without its `_id`, or
   * the constraint's name; before all, what models call it; and behind a `!` what tells it from others of that name. A relation
   * to a view, and one through a third table, stand back behind others of their name.
   *
   * @param status - of the refusal
   * @throws Refusal where there is none, or more than one, with the names that there are
   */
  find(table: ServedTable, text: string, status = 400): Relation {
    const all = this.of(table);
    const found = candidates(all, text);
    const [only] = found;
    if (only && found.length === 1) return only;
    const here = `"${shorten(table.name)}"`;
    if (found.length > 1) {
      const names = listNames(found.map((relation) => this.nameOf(table, relation)));
      throw new Refusal(status, `From ${here}, "${shorten(text)}" may be one of several: ${names}.`);
    }
    const names = listNames(all.map((relation) => this.nameOf(table, relation)));
    const there = all.length === 0 ? "there are none" : `there are ${names}`;
    throw new Refusal(status, `There is no relation "${shorten(text)}" from ${here}; ${there}.`);
  }

  /** The relation that leads back, through the same third table. @param relation - from the table, through a third one */
  inverse(table: ServedTable, { table: other, join, from, to }: Relation): Relation {
    const back = join && { table: join.table, first: turned(join.last), last: turned(join.first) };
    const wanted = { kind: "through", isOne: false, table, from: to, to: from, names: [], hints: [] } as const;
    const found = back && this.of(other).find((one) => isSame(one, { ...wanted, join: back }));
    return found ?? { ...wanted, ...(back ? { join: back } : {}) };
  }

  /** The first name that means a relation of a table, and no other. */
  nameOf(table: ServedTable, relation: Relation): string {
    const [first = ""] = relation.names;
    const hinted = relation.names.flatMap((name) => relation.hints.map((hint) => `${name}!${hint}`));
    const names = [...relation.names, ...hinted];
    const isOnly = (name: string): boolean => {
      const found = candidates(this.of(table), name);
      return found.length === 1 && found[0] === relation;
    };
    return names.find(isOnly) ?? first;
  }

  #keyOf(byName: ReadonlyMap<string, ServedTable>, { name, table, columns, references }: ForeignKey): Key[] {
    const [own, other] = [byName.get(table), byName.get(references.table)];
    if (!own || !other) return [];
    return [{ name, table: own, other, from: membersOf(own, columns), to: membersOf(other, references.columns) }];
  }
}

function candidates(all: readonly Relation[], text: string): readonly Relation[] {
  const called = all.filter((relation) => relation.called?.includes(text));
  if (called.length > 0) return called;
  const whole = named(all, text);
  if (whole.length > 0) return direct(whole);
  const { name, hint } = split(text);
  if (hint === undefined) return [];
  return direct(named(all, name).filter(({ hints }) => hints.includes(hint)));
}

function named(all: readonly Relation[], name: string): Relation[] {
  return all.filter(({ names }) => names.includes(name));
}

/** Those without a third table, where there are some, and of these those that lead to tables. */
function direct(found: readonly Relation[]): readonly Relation[] {
  const near = found.filter(({ kind }) => kind !== "through");
  const tables = near.filter(({ table }) => !table.isView);
  return [tables, near, found].find((some) => some.length > 0) ?? [];
}
