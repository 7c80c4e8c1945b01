import { type Condition, type Filter, groupOf, isGroup, matchRow } from "../../filter/index.ts";
import { formatJson } from "../json/json.ts";
import { JsonNumber } from "../json/json-reader.ts";

/** What a viewer's token claims. */
export type Claims = Readonly<Record<string, unknown>>;

/** Met by every record. */
export const always: Filter = { kind: "and", parts: [] };
/** Met by none. */
export const never: Filter = { kind: "or", parts: [] };

/** Parts as one filter, without those that decide nothing. */
function simplified(kind: "and" | "or", parts: readonly Filter[]): Filter {
  const decisive = kind === "and" ? "or" : "and";
  if (parts.some((part) => part.kind === decisive && isGroup(part) && part.parts.length === 0)) {
    return { kind: decisive, parts: [] };
  }
  return groupOf(kind, parts);
}

/** The claim that a text in a rule names, as `$sub` and `$app.role`; `undefined` for a text that means itself. */
export function claimIn(text: string): string | undefined {
  return /^\$(?!\$)./s.test(text) ? text.slice(1) : undefined;
}

/** A text that means itself: `$$` stands for a `$` at the start. */
export function plainText(text: string): string {
  return text.startsWith("$$") ? text.slice(1) : text;
}

function memberOf(json: unknown, name: string): unknown {
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);
  return isObject && Object.hasOwn(json, name) ? (json as Claims)[name] : undefined;
}

/** A claim by its name, or by the names that lead into it, with dots between them; `undefined` where there is none, or null. */
export function claimOf(claims: Claims | undefined, name: string): unknown {
  const whole = memberOf(claims, name) ?? undefined;
  if (whole !== undefined || !name.includes(".")) return whole;
  return name.split(".").reduce<unknown>(memberOf, claims) ?? undefined;
}

/** A claim as a filter has it; `undefined` for what no value is compared with. */
function textOf(json: unknown): string | undefined {
  if (typeof json === "string") return json;
  if (typeof json === "number" || typeof json === "boolean" || json instanceof JsonNumber) return formatJson(json);
  return undefined;
}

/** A claim as `matchRow` takes what a row has. */
function comparable(json: unknown): unknown {
  if (!(json instanceof JsonNumber)) return json;
  return /^-?\d+$/.test(json.text) ? BigInt(json.text) : Number(json.text);
}

/** So many values of claims are compared at most: a statement takes only so many. */
const maxValues = 10_000;

/** A list of literals with the claims' values in their places; `undefined` where a claim is missing, or tells too little. */
function listed(literals: readonly string[], isNot: boolean, claims: Claims | undefined): string[] | undefined {
  const texts: string[] = [];
  for (const literal of literals) {
    const name = claimIn(literal);
    const claim = name === undefined ? plainText(literal) : claimOf(claims, name);
    if (claim === undefined) return undefined;
    for (const one of Array.isArray(claim) ? claim : [claim]) {
      const text = textOf(one);
      // Whether a value is none of those that are not known is not known either.
      if (text === undefined && isNot) return undefined;
      if (text !== undefined) texts.push(text);
    }
  }
  return texts.length > maxValues ? undefined : texts;
}

/** A condition with the claims' values in their places; `undefined` where one is missing. */
function withClaims(condition: Condition, claims: Claims | undefined): Condition | undefined {
  if (condition.kind === "in") {
    const literals = listed(condition.literals, condition.isNot, claims);
    return literals && { ...condition, literals };
  }
  if (condition.kind !== "compare") return condition;
  const name = claimIn(condition.literal);
  if (name === undefined) return { ...condition, literal: plainText(condition.literal) };
  const literal = textOf(claimOf(claims, name));
  return literal === undefined ? undefined : { ...condition, literal };
}

/** Whether a claim has all values of a list: `$groups=cs.{staff,lead}`. No other test is made of claims. */
function hasAll({ operator, literal, isNot }: Extract<Condition, { kind: "test" }>, claim: unknown): boolean {
  const list = /^\{([^"\\{}]*)\}$/.exec(literal)?.[1];
  if (operator !== "cs" || list === undefined || !Array.isArray(claim)) return false;
  const texts = new Set(claim.map(textOf));
  const wanted = list === "" ? [] : list.split(",").map((text) => text.trim());
  return wanted.every((text) => texts.has(text)) !== isNot;
}

function resolved(condition: Condition, claims: Claims | undefined): Filter {
  const filled = withClaims(condition, claims);
  if (!filled) return never;
  const name = claimIn(condition.column);
  if (name === undefined) return filled;
  const claim = claimOf(claims, name);
  if (claim === undefined) return never;
  if (filled.kind === "test") return hasAll(filled, claim) ? always : never;
  const isMet = matchRow(filled, { value: () => comparable(claim), order: () => "json" }) === true;
  return isMet ? always : never;
}

/** A rule for a viewer: claims are values, and a comparison with one that the viewer lacks is met by no record. */
export function resolveClaims(rule: Filter, claims: Claims | undefined): Filter {
  if (!isGroup(rule)) return resolved(rule, claims);
  return simplified(
    rule.kind,
    rule.parts.map((part) => resolveClaims(part, claims)),
  );
}

/** The claims that a rule depends on. */
export function claimsIn(rule: Filter): string[] {
  if (isGroup(rule)) return rule.parts.flatMap(claimsIn);
  const literals = rule.kind === "compare" ? [rule.literal] : rule.kind === "in" ? rule.literals : [];
  return [rule.column, ...literals].flatMap((text) => claimIn(text) ?? []);
}
