import { holdsRecord, lookAgainMs, type RecordRule, recordUrl } from "../protocol/index.ts";
import type { ClientClock } from "./clock.ts";
import type { Http } from "./http.ts";
import { bodyJson, isTransient } from "./problem.ts";

/** What looking needs. */
export interface RowLooksOptions {
  readonly clock: ClientClock;
  readonly http: Http;
}

/**
 * Finds out whether rows are at the URLs that a guess makes of their keys: one is asked for, once for each guess. Until it
 * was found there, no row of the list has a URL to write to [R-FLD-14].
 */
export class RowLooks {
  readonly #options: RowLooksOptions;
  readonly #good: Set<string> = new Set();
  readonly #running: Map<string, Promise<boolean>> = new Map();
  /** When a look last found nothing. */
  readonly #bad: Map<string, number> = new Map();

  constructor(options: RowLooksOptions) {
    this.#options = options;
  }

  /** Whether the rows of a list are known to be at their URLs. */
  haveUrls(rule: RecordRule, target: string): boolean {
    return rule.kind === "link" || this.#good.has(nameOf(rule, target));
  }

  /** Looks for a row of a list, unless that is known or was tried lately. Gives what `haveUrls` does then; never rejects. */
  look(rule: RecordRule, target: string, row: unknown): Promise<boolean> {
    const name = nameOf(rule, target);
    const elapsedMs = this.#options.clock.now() - (this.#bad.get(name) ?? Number.NEGATIVE_INFINITY);
    const isTried = elapsedMs >= 0 && elapsedMs < lookAgainMs;
    if (this.haveUrls(rule, target) || isTried) return Promise.resolve(this.haveUrls(rule, target));
    const running = this.#running.get(name) ?? this.#ask(rule, target, row);
    this.#running.set(name, running);
    return running.finally(() => this.#running.delete(name));
  }

  async #ask(rule: RecordRule, target: string, row: unknown): Promise<boolean> {
    const { clock, http } = this.#options;
    const name = nameOf(rule, target);
    const url = recordUrl(row, rule, target, http.base.host);
    const headers = { Accept: "application/json" };
    const answer = url && (await http.ask(url, { headers, cache: "no-store" }).catch(() => undefined));
    if (answer && answer.status === 200 && holdsRecord(bodyJson(answer), row, rule)) this.#good.add(name);
    else if (answer && !isTransient(answer.status)) this.#bad.set(name, clock.now());
    return this.#good.has(name);
  }
}

function nameOf({ pointer }: RecordRule, target: string): string {
  return `${target.split("?")[0]} ${pointer}`;
}
