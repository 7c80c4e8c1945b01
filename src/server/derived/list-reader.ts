import {
  bestRule,
  emptyListRule,
  likelyRules,
  type RecordRule,
  tellingRows,
  UrlCandidates,
} from "../../protocol/index.ts";
import type { BasePath } from "../base-path.ts";
import type { FoundList } from "./list-finder.ts";
import { type ItemsRule, type RowsRule, rowUrl } from "./record-rule.ts";
import { readElements } from "./row-scanner.ts";
import type { Slice, Sliced } from "./slices.ts";

/** The rows of a list with the rule of their URLs. */
export interface ReadRows {
  readonly rule: RowsRule;
  /** The URL of each row; empty for one that has none of its own [R-FLD-4]. */
  readonly urls: readonly string[];
  /** Where each row begins and ends, in turn, and where the list does. */
  readonly bounds: readonly number[];
  readonly end: number;
}

/** Whose rows they are: for their links and keys. */
export interface RowsPlace {
  /** Path and query. */
  readonly target: string;
  /** Host and port. */
  readonly authority: string;
  /** Below which path clients see everything; the root where it is absent. */
  readonly basePath?: BasePath | undefined;
  /** The app's own rule. */
  readonly rule?: RecordRule | undefined;
}

/** Whose rows they are, and the rule that rows of this place had before. */
export interface ReadParts {
  readonly place: RowsPlace;
  readonly before: RowsRule | undefined;
}

/**
 * Reads the rows of a list by the rule that fits all of them; where there is none, by the one that fits most, and the
 * others have no URL.
 *
 * @returns undefined where that is no JSON, or its rows are no records
 */
export function* readRows(
  text: string,
  found: FoundList,
  { place, before }: ReadParts,
  slice: Slice,
): Sliced<ReadRows | undefined> {
  const { list, start } = found;
  const { target, authority } = place;
  const known = place.rule ?? (before?.list === list ? before : undefined);
  const rules = place.rule ? [place.rule] : yield* possibleRules(text, found, place, slice);
  const candidates = new UrlCandidates(rules, target, authority);
  const bounds: number[] = [];
  const end = yield* readElements(
    text,
    start,
    (value, span) => {
      bounds.push(span.start, span.end);
      return candidates.add(value);
    },
    slice,
  );
  if (end !== undefined && bounds.length === 0) {
    const rule = known ?? emptyListRule(list, target);
    return rule && { rule, urls: [], bounds, end };
  }
  const fitting = candidates.found;
  if (end !== undefined && fitting) return { ...fitting, bounds, end };
  const isStated = place.rule !== undefined;
  const rule = bestRule(rules, yield* firstRows(text, start, slice), { target, authority, isStated }) ?? before;
  return rule?.list === list ? yield* readByRule(text, start, { rule, place }, slice) : undefined;
}

/** The rules that may fit, but for links by which rows would be where their clients can't go. */
function* possibleRules(
  text: string,
  { list, start }: FoundList,
  place: RowsPlace,
  slice: Slice,
): Sliced<RecordRule[]> {
  return yield* reachableRules(likelyRules(list), text, start, place, slice);
}

/** Of several rules those by whose URLs clients get to rows: not out of the base path. */
function* reachableRules<Rule extends RowsRule>(
  rules: Rule[],
  text: string,
  start: number,
  place: RowsPlace,
  slice: Slice,
): Sliced<Rule[]> {
  const { basePath, target } = place;
  if (!basePath?.text || !basePath.has(target)) return rules;
  const rows = yield* firstRows(text, start, slice);
  return rules.filter((rule) => rows.every((row) => basePath.has(rowUrl(row, rule, place) ?? target)));
}

/**
 * Reads the rows of a list by what its answer says of them: rows without a URL by that have none.
 *
 * @returns undefined where that is no JSON
 */
export function* readStatedRows(
  text: string,
  { start }: FoundList,
  { rule, place }: { readonly rule: ItemsRule; readonly place: RowsPlace },
  slice: Slice,
): Sliced<ReadRows | "unreachable" | undefined> {
  const [reachable] = yield* reachableRules([rule], text, start, place, slice);
  return reachable ? yield* readByRule(text, start, { rule, place }, slice) : "unreachable";
}

function* firstRows(text: string, start: number, slice: Slice): Sliced<readonly unknown[]> {
  const rows: unknown[] = [];
  yield* readElements(text, start, (value) => rows.push(value) < tellingRows, slice);
  return rows;
}

function* readByRule(
  text: string,
  start: number,
  { rule, place }: { readonly rule: RowsRule; readonly place: RowsPlace },
  slice: Slice,
): Sliced<ReadRows | undefined> {
  const [urls, bounds]: [string[], number[]] = [[], []];
  const seen = new Set<string>();
  const end = yield* readElements(
    text,
    start,
    (value, span) => {
      const url = rowUrl(value, rule, place);
      // Of several rows of one URL, the first has it.
      urls.push(url === undefined || seen.has(url) ? "" : url);
      if (url !== undefined) seen.add(url);
      bounds.push(span.start, span.end);
      return true;
    },
    slice,
  );
  return end === undefined ? undefined : { rule, urls, bounds, end };
}
