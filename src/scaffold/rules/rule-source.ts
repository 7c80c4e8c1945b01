import type { Filter } from "../../filter/index.ts";
import { RocketError } from "../../protocol/index.ts";
import type { RowRule } from "../engine/query.ts";
import type { Viewer } from "../engine/viewer.ts";
import { plainClaims } from "../json/plain-claims.ts";
import { isEverything, isNothing } from "./bind-rule.ts";
import { claimsIn, resolveClaims } from "./claims.ts";
import { parseRule, RuleTrouble, withoutClaims } from "./rule-text.ts";
import type { RowFilter, Rule, RuleText, RuleViewer } from "./rules.ts";
import { Where } from "./where.ts";

/** What a rule is made with. */
export interface RuleParts {
  /** Which rule it is: `the rule of "notes" for read`. */
  readonly place: string;
  /** Binds its names to tables. @param isStart - whether what can't be is told, rather than met by nothing */
  readonly bind: (filter: Filter, isStart: boolean) => RowRule;
}

/** So many different texts of a function are remembered. */
const maxTexts = 1_000;

function viewerFor(viewer: Viewer): RuleViewer {
  const { role } = viewer;
  const claims = plainClaims(viewer);
  return role === undefined ? { claims } : { claims, role };
}

/** What decides for one table and one action. */
export interface RowSource {
  /** Whether the same viewer may have other records by other claims. */
  readonly isChanging: boolean;
  /** Whether it is known at the start to let all through, or none. */
  readonly isConstant: boolean;
  /** Whether it lets nobody do anything. */
  readonly isNobody: boolean;
  /** What a viewer's records have to meet. @throws RocketError `rule-broken` where a function can't say so */
  of(viewer: Viewer): RowRule;
}

/** What a function gave, as text and values. @throws RuleTrouble where it is neither */
function readFilter(given: RowFilter): { readonly text: RuleText; readonly values?: Where["values"] } {
  if (given instanceof Where) return given;
  if (given === undefined || given === null) return { text: false };
  if (typeof given === "object") {
    // Nobody waits for what it comes to.
    Promise.resolve(given).catch(() => undefined);
    throw new RuleTrouble(
      "it is an object and no filter of `where`; where it is a promise, what it waits for belongs into the viewer, by `authorize`",
    );
  }
  return { text: given };
}

/** @throws RuleTrouble where a value does not stand where an operator takes one */
function requireValues(filter: Filter, values: Where["values"]): void {
  const known = new Set(claimsIn(filter));
  const at = Object.keys(values).findIndex((name) => !known.has(name));
  if (at < 0) return;
  throw new RuleTrouble(`value ${at + 1} of \`where\` does not stand by itself behind an operator`);
}

/** One rule of one table: it gives what a viewer's records have to meet. */
export class RuleSource implements RowSource {
  readonly #parts: RuleParts;
  readonly #rule: Rule;
  /** Absent where each viewer's is its own. */
  readonly #filter: Filter | undefined;
  readonly #filters: Map<RuleText, Filter> = new Map();
  /** By the viewer's claims. */
  readonly #bound: WeakMap<object, RowRule> = new WeakMap();
  readonly #unclaimed: { rule?: RowRule } = {};
  readonly isChanging: boolean;
  readonly isConstant: boolean;
  readonly isNobody: boolean;

  /** @throws RuleTrouble where it can't be read, or names what is not there */
  constructor(rule: Rule, parts: RuleParts) {
    this.#rule = rule;
    this.#parts = parts;
    this.#filter = typeof rule === "function" ? undefined : parseRule(rule);
    if (this.#filter) parts.bind(withoutClaims(this.#filter), true);
    this.isChanging = !this.#filter || claimsIn(this.#filter).some((name) => name !== "sub");
    this.isNobody = rule === false;
    this.isConstant = typeof rule === "boolean" || rule === "";
  }

  of(viewer: Viewer): RowRule {
    const { claims } = viewer;
    if (!this.#filter) return this.#called(viewer);
    if (!claims) {
      this.#unclaimed.rule ??= this.#bind(this.#filter, undefined);
      return this.#unclaimed.rule;
    }
    let rule = this.#bound.get(claims);
    if (!rule) {
      rule = this.#bind(this.#filter, claims);
      this.#bound.set(claims, rule);
    }
    return rule;
  }

  #bind(filter: Filter, claims: Viewer["claims"]): RowRule {
    return this.#parts.bind(resolveClaims(filter, claims), false);
  }

  /** @throws RocketError `rule-broken` where the function throws, or gives what can't be */
  #called(viewer: Viewer): RowRule {
    const { place } = this.#parts;
    try {
      const { text, values } = readFilter(
        typeof this.#rule === "function" ? this.#rule(viewerFor(viewer)) : this.#rule,
      );
      const filter = this.#parsed(text);
      if (values) requireValues(filter, values);
      return this.#bind(filter, values ? { ...viewer.claims, ...values } : viewer.claims);
    } catch (error) {
      const reason = error instanceof RuleTrouble ? `can't be: ${error.message}.` : "threw an error.";
      const message = `${place[0]?.toUpperCase()}${place.slice(1)} ${reason}`;
      throw new RocketError("rule-broken", message, { cause: error });
    }
  }

  #parsed(text: RuleText): Filter {
    const known = this.#filters.get(text);
    if (known) return known;
    const filter = parseRule(text);
    this.#parts.bind(withoutClaims(filter), true);
    if (this.#filters.size >= maxTexts) this.#filters.clear();
    this.#filters.set(text, filter);
    return filter;
  }
}

/** Two that must both let a record through. */
export class BothSources implements RowSource {
  readonly #one: RowSource;
  readonly #other: RowSource;

  /** @param one - what the rules say @param other - what `rows` says */
  constructor(one: RowSource, other: RowSource) {
    this.#one = one;
    this.#other = other;
  }

  get isChanging(): boolean {
    return this.#one.isChanging || this.#other.isChanging;
  }

  /** What `rows` gives is not known at the start. */
  get isConstant(): boolean {
    return this.#one.isConstant;
  }

  get isNobody(): boolean {
    return this.#one.isNobody || this.#other.isNobody;
  }

  of(viewer: Viewer): RowRule {
    const one = this.#one.of(viewer);
    if (isNothing(one)) return one;
    const other = this.#other.of(viewer);
    if (isEverything(one) || isNothing(other)) return other;
    return isEverything(other) ? one : { kind: "and", parts: [one, other] };
  }
}
