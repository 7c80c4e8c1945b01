import { urlKey } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import type { TableDetails } from "../table-details.ts";
import { cacheTable } from "./names.ts";

/** Where a row's values come from: SQL for the value at a place of the image. */
export type Row = (place: number) => string;

/** How a table's rows are written in SQL: its image is all columns, then the rowid where that is the identity. */
export interface Shape {
  /** How many values an image has. */
  readonly width: number;
  /** The table for FROM. */
  readonly from: string;
  /** What the table is called in expressions. */
  readonly name: string;
  /** A name of the rowid that no column hides; `undefined` where there is none. */
  readonly rowid: string | undefined;
  readonly inTable: Row;
  readonly inCache: Row;
  readonly new: Row;
  readonly old: Row;
  /** All values of a row, for SELECT. */
  image(row: Row): string;
  /** As `image`, of a row as it was: without what is too long to be named in a URL, which only filters would look at. */
  formerImage(row: Row): string;
  /** Whether `formerImage` leaves something out; empty where it never does. */
  isCut(row: Row): string;
  /** Whether two rows have the same identity, to the letter and type. */
  sameKey(one: Row, other: Row): string;
  /** Whether two rows have the same URL: by their key, or by their rowid where the key is null. */
  sameRecord(one: Row, other: Row): string;
  /** Whether all values of two rows are the same. */
  sameImage(one: Row, other: Row): string;
  /** Finds the table's row that has exactly this identity, through an index. */
  findKey(row: Row): string;
  /** Whether the table has a row with this row's URL, found through an index. */
  hasRecord(row: Row): string;
  /** Whether an update can displace other rows; empty where that can't be told beforehand. */
  readonly changesUnique: string;
}

function same(one: string, other: string): string {
  return `${one} IS ${other} COLLATE BINARY AND typeof(${one}) = typeof(${other})`;
}

/** Longer than any URL that is taken, in characters or bytes. */
const longLength = 65_536;

function isLong(value: string): string {
  return `length(${value}) > ${longLength}`;
}

function withoutLong(value: string): string {
  return `CASE WHEN length(${value}) <= ${longLength} THEN ${value} END`;
}

/** The collations of the index that the key is found by. */
function keyCollations(details: TableDetails, keyNames: readonly string[]): Map<string, string> {
  const index = details.uniqueIndexes.find(
    ({ terms, where }) =>
      where === undefined &&
      terms.length === keyNames.length &&
      terms.every((term) => term.kind === "column" && keyNames.includes(term.name)),
  );
  const terms = index?.terms ?? [];
  return new Map(terms.flatMap((term) => (term.kind === "column" ? [[term.name, term.collation]] : [])));
}

function changesUnique(details: TableDetails, rowid: string | undefined): string {
  const generated = new Set(details.generated.map(([name]) => name));
  const names = new Set<string>();
  for (const { terms, where } of details.uniqueIndexes) {
    for (const term of terms) {
      if (where !== undefined || term.kind === "expression" || generated.has(term.name)) return "";
      names.add(quoteName(term.name));
    }
  }
  if (rowid !== undefined) names.add(rowid);
  // Nothing unique: nothing to displace.
  if (names.size === 0) return "0";
  return [...names].map((name) => `NEW.${name} IS NOT OLD.${name} COLLATE BINARY`).join(" OR ");
}

/** Finds a part of a key through its index: an integer as it is, all else to the letter and type. */
function findPart(own: string, value: string, collation: string | undefined, isInteger: boolean): string {
  if (isInteger) return `${own} = ${value}`;
  const collate = collation === undefined ? "" : ` COLLATE ${quoteName(collation)}`;
  return `${own}${collate} IS ${value} AND ${same(own, value)}`;
}

/** How records are told apart by their URLs, where the URL is a key that may be null, and then the rowid. */
function recordConditions(
  details: TableDetails,
  { from, inTable, sameKey, findKey }: Pick<Shape, "from" | "inTable" | "sameKey" | "findKey">,
): Pick<Shape, "sameRecord" | "hasRecord"> {
  const { columns } = details.table;
  const names = urlKey(details.table);
  const exists = (condition: string): string => `EXISTS (SELECT 1 FROM ${from} WHERE ${condition})`;
  if (names.length === 0) return { sameRecord: sameKey, hasRecord: (row) => exists(findKey(row)) };
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  const collations = keyCollations(details, names);
  const isNamed = (row: Row): string => places.map((place) => `${row(place)} IS NOT NULL`).join(" AND ");
  const sameNames = (one: Row, other: Row): string =>
    places.map((place) => same(one(place), other(place))).join(" AND ");
  const findNames = (row: Row): string =>
    places
      .map((place, part) => findPart(inTable(place), row(place), collations.get(names[part] ?? ""), false))
      .join(" AND ");
  return {
    sameRecord: (one, other) =>
      `CASE WHEN ${isNamed(one)} THEN ${sameNames(one, other)} ELSE NOT (${isNamed(other)}) AND ${sameKey(one, other)} END`,
    hasRecord: (row) =>
      `CASE WHEN ${isNamed(row)} THEN ${exists(findNames(row))} ELSE ${exists(`NOT (${isNamed(inTable)}) AND ${findKey(row)}`)} END`,
  };
}

/** How the rows of a table are written in the SQL of its triggers. */
export function shapeOf(details: TableDetails): Shape {
  const { table, hasRowid } = details;
  const { identity } = table;
  // In a trigger these names are taken.
  const isTaken = /^(?:new|old|excluded)$/i.test(table.name);
  const name = isTaken ? '"_rocket_rows"' : quoteName(table.name);
  const names = new Set(table.columns.map((column) => column.name.toLowerCase()));
  const integerKey = table.integerKey && identity.kind === "columns" ? quoteName(identity.columns[0] ?? "") : undefined;
  const alias = ["rowid", "_rowid_", "oid"].find((one) => !names.has(one));
  const places = table.columns.map((column) => quoteName(column.name));
  if (identity.kind === "rowid") places.push(identity.alias);
  const keyNames = identity.kind === "columns" ? identity.columns : [];
  const keyPlaces =
    identity.kind === "rowid"
      ? [places.length - 1]
      : keyNames.map((key) => table.columns.findIndex((column) => column.name === key));
  const named = urlKey(table);
  const urlPlaces = named.map((key) => table.columns.findIndex((column) => column.name === key));
  const samePlaces = (places: readonly number[], one: Row, other: Row): string =>
    places.map((place) => same(one(place), other(place))).join(" AND ");
  const collations = keyCollations(details, keyNames);
  const canBeLong = (place: number): boolean =>
    !keyPlaces.includes(place) &&
    !urlPlaces.includes(place) &&
    /^(?:text|blob)$/.test(table.columns[place]?.affinity ?? "");
  const rowid = hasRowid ? (integerKey ?? alias) : undefined;
  const row =
    (prefix: string): Row =>
    (place) =>
      `${prefix}.${places[place]}`;
  const inTable = row(name);
  const from = isTaken ? `${quoteName(table.name)} AS ${name}` : name;
  const isWhole = integerKey !== undefined || identity.kind === "rowid";
  const sameKey: Shape["sameKey"] = (one, other) => samePlaces(keyPlaces, one, other);
  const findKey = (one: Row): string =>
    keyPlaces
      .map((place, part) => findPart(inTable(place), one(place), collations.get(keyNames[part] ?? ""), isWhole))
      .join(" AND ");
  return {
    width: places.length,
    from,
    name,
    rowid,
    inTable,
    inCache: (place) => `${cacheTable}.c${place}`,
    new: row("NEW"),
    old: row("OLD"),
    image: (one) => places.map((_, place) => one(place)).join(", "),
    formerImage: (one) =>
      places.map((_, place) => (canBeLong(place) ? withoutLong(one(place)) : one(place))).join(", "),
    isCut: (one) => places.flatMap((_, place) => (canBeLong(place) ? [isLong(one(place))] : [])).join(" OR "),
    sameKey,
    sameImage: (one, other) => samePlaces([...places.keys()], one, other),
    findKey,
    ...recordConditions(details, { from, inTable, sameKey, findKey }),
    changesUnique: changesUnique(details, rowid),
  };
}
