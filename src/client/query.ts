import { conditionParameter, type Parameter, startsWithOperator } from "../filter/index.ts";

type Scalar = string | number | boolean;

/** Values of which any one counts, or all. */
type Quantified<Value> = { readonly any: readonly Value[] } | { readonly all: readonly Value[] };

/** The values that a member can be compared with in a URL. */
type Comparable<Value> = unknown extends Value ? Scalar : Extract<Value, Scalar>;

/** What a member must be, beside equal: all of it. As `rocket serve` takes it; docs/scaffold.md says what each means. */
export interface Conditions<Value> {
  readonly eq?: Comparable<Value> | Quantified<Comparable<Value>>;
  readonly neq?: Comparable<Value>;
  readonly gt?: Comparable<Value> | Quantified<Comparable<Value>>;
  readonly gte?: Comparable<Value> | Quantified<Comparable<Value>>;
  readonly lt?: Comparable<Value> | Quantified<Comparable<Value>>;
  readonly lte?: Comparable<Value> | Quantified<Comparable<Value>>;
  /** Another value, or none. */
  readonly isdistinct?: Comparable<Value>;
  /** One of these. */
  readonly in?: readonly Comparable<Value>[];
  /** A text like the pattern: `*` stands for any number of characters, `_` for one. */
  readonly like?: string | Quantified<string>;
  /** The same, whatever the case. */
  readonly ilike?: string | Quantified<string>;
  /** A regular expression of PostgreSQL. */
  readonly match?: string | Quantified<string>;
  /** The same, whatever the case. */
  readonly imatch?: string | Quantified<string>;
  /** Contains; is contained by; overlaps: an array's items, or the text of an array, a range or JSON of PostgreSQL. */
  readonly cs?: string | readonly Scalar[];
  readonly cd?: string | readonly Scalar[];
  readonly ov?: string | readonly Scalar[];
  /** A range of PostgreSQL, left of another, right of it, not beyond its right or left end, next to it. */
  readonly sl?: string;
  readonly sr?: string;
  readonly nxr?: string;
  readonly nxl?: string;
  readonly adj?: string;
  /** A search in a full text, as the database writes one. */
  readonly fts?: string;
  /** All words; a phrase; as one would write it in a browser. */
  readonly plfts?: string;
  readonly phfts?: string;
  readonly wfts?: string;
  /** The same by a configuration that is named: `fts(english)`. */
  readonly [search: `${"" | "pl" | "ph" | "w"}fts(${string})`]: string | undefined;
  readonly is?: null | boolean | "null" | "not_null" | "unknown";
  /** What it must not be: none of it. */
  readonly not?: Omit<Conditions<Value>, "not">;
}

/** Members, and paths into their JSON (`data->>name`), and what they must be. */
export type Where<Row> = { readonly [Name in keyof Row]?: Comparable<Row[Name]> | Conditions<Row[Name]> } & {
  readonly [path: `${string}->${string}`]: Scalar | Conditions<unknown> | undefined;
};

/** What of a collection is wanted: members and what they must be, the order, a window. */
export interface Query<Row> {
  /** Members and the values that they must have, or conditions: `{ genre: "rock", year: { gte: 1970, lt: 1980 } }`. */
  readonly where?: Where<Row>;
  /** `name`, `name.desc`, `name.desc.nullslast`, or several of them. Default: the server's. */
  readonly order?: Order<Row> | readonly Order<Row>[];
  /**
   * What is shown of each record, as `rocket serve` takes it: names, `label:name`, `albums(title)`; one or several. Say the
   * type of such rows to `collection`. Default: everything.
   */
  readonly select?: string | readonly string[];
  /** Records at most. Default: the server's. */
  readonly limit?: number;
  /** Records to skip. Default 0. */
  readonly offset?: number;
}

/** A member's name or a path into its JSON, alone or with a direction, and where what has none stands. */
export type Order<Row> =
  `${Extract<keyof Row, string>}${"" | `->${string}`}${"" | ".asc" | ".desc"}${"" | ".nullsfirst" | ".nullslast"}`;

/** Whether it can be compared with: what has another type has no text that a URL could say it by. */
function isValue(wanted: unknown): boolean {
  return /^(?:string|boolean|bigint)$/.test(typeof wanted) || Number.isFinite(wanted);
}

/** What stands in the place of a value, for an error. */
function nameOf(wanted: unknown): string {
  return typeof wanted === "object" && wanted ? `${JSON.stringify(wanted)}` : String(wanted);
}

/** @param operator - as URLs have it, and a dot behind what negates it */
function* parametersOf(place: string, name: string, operator: string, wanted: unknown): Generator<Parameter> {
  const isList = Array.isArray(wanted);
  const isNull = wanted === null && /\bis$/.test(operator);
  const conditions = typeof wanted === "object" && !isNull && !isList ? Object.entries(wanted ?? {}) : undefined;
  // Left out, or as the text of something else, it would ask for all rows, or for none.
  if (conditions ? conditions.length === 0 : !isNull && ![wanted].flat().every(isValue))
    throw new TypeError(`${place} is ${nameOf(wanted)}: give a value, or ask later.`);
  // The server would take it for a part of the value.
  if (operator && !startsWithOperator.test(`${operator.replace(/^not\.(?=.)/, "")}.`))
    throw new TypeError(`${place} is none of the conditions that there are.`);
  if (!conditions) yield conditionParameter(name, operator || "eq", isList ? wanted.map(String) : String(wanted));
  else
    for (const [key, value] of conditions) {
      const isHow = key === "any" || key === "all";
      const next = key === "not" ? "not." : isHow ? `${operator}(${key})` : `${operator}${key}`;
      yield* parametersOf(`${place}.${key}`, name, next, value);
    }
}

/** A path with a query behind it. @throws TypeError where `where` names a member without a value to compare with, or a condition that there is not */
export function queryPath<Row>(path: string, { where, order, select, limit, offset }: Query<Row>): string {
  const parameters = new URLSearchParams();
  const all: (readonly [string, unknown])[] = [
    ...Object.entries(where ?? {}).flatMap(([name, wanted]) => [...parametersOf(`where.${name}`, name, "", wanted)]),
    ["order", order && [order].flat().join(",")],
    ["select", select && [select].flat().join(",")],
    ["limit", limit],
    ["offset", offset],
  ];
  for (const [name, value] of all) if (value !== undefined) parameters.append(name, String(value));
  const query = parameters.toString();
  return query ? `${path}${path.includes("?") ? "&" : "?"}${query}` : path;
}
