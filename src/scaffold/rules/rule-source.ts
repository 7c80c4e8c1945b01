import type { Filter } from "../../filter/index.ts";
import { RocketError } from "../../protocol/index.ts";
import type { RowRule } from "../engine/query.ts";
import type { Viewer } from "../engine/viewer.ts";
import { formatJson } from "../json/json.ts";
import { claimsIn, never, resolveClaims } from "./claims.ts";
import { parseRule, RuleTrouble, withoutClaims } from "./rule-text.ts";
import type { Rule, RuleText, RuleViewer } from "./rules.ts";

/** What a rule is made with. */
export interface RuleParts {
  /** Which rule it is: `the rule of "notes" for read`. */
  readonly place: string;
  /** Binds its names to tables. @param isStart - whether what can't be is told, rather than met by nothing */
  readonly bind: (filter: Filter, isStart: boolean) => RowRule;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** So many different texts of a function are remembered. */
const maxTexts = 1_000;

/** Claims as JSON has them, for functions of the application. */
const plainClaims: WeakMap<object, RuleViewer["claims"]> = new WeakMap();

function viewerFor({ claims, role }: Viewer): RuleViewer {
  let plain = claims && plainClaims.get(claims);
  if (claims && !plain) {
    plain = JSON.parse(formatJson(claims)) as RuleViewer["claims"];
    plainClaims.set(claims, plain);
  }
  return role === undefined ? { claims: plain ?? {} } : { claims: plain ?? {}, role };
}

/** One rule of one table: it gives what a viewer's records have to meet. */
export class RuleSource {
  readonly #parts: RuleParts;
  readonly #rule: Rule;
  /** Absent where each viewer's is its own. */
  readonly #filter: Filter | undefined;
  readonly #filters: Map<RuleText, Filter> = new Map();
  /** By the viewer's claims. */
  readonly #bound: WeakMap<object, RowRule> = new WeakMap();
  readonly #unclaimed: { rule?: RowRule } = {};
  /** Whether the same viewer may have other records by other claims. */
  readonly isChanging: boolean;
  /** Whether it lets all through, or none. */
  readonly isConstant: boolean;
  /** Whether it lets nobody do anything. */
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

  /** What a viewer's records have to meet. */
  of(viewer: Viewer): RowRule {
    const { claims } = viewer;
    if (!this.#filter) return this.#bind(this.#called(viewer), claims);
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

  /** What a function gives; nothing where that can't be. */
  #called(viewer: Viewer): Filter {
    const { place, bind, reportError } = this.#parts;
    try {
      const text = typeof this.#rule === "function" ? this.#rule(viewerFor(viewer)) : this.#rule;
      const known = this.#filters.get(text);
      if (known) return known;
      const filter = parseRule(text);
      bind(withoutClaims(filter), true);
      if (this.#filters.size >= maxTexts) this.#filters.clear();
      this.#filters.set(text, filter);
      return filter;
    } catch (error) {
      const reason = error instanceof RuleTrouble ? `can't be: ${error.message}.` : "threw an error.";
      reportError(
        new RocketError("rule-broken", `${place[0]?.toUpperCase()}${place.slice(1)} ${reason}`, { cause: error }),
        "rules",
      );
      return never;
    }
  }
}
