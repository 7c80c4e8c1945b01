import { holdsRecord, lookAgainMs, type RecordRule, recordUrl } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Viewer } from "../viewer.ts";
import type { Row } from "./difference.ts";
import type { DocumentPlace, RecordList } from "./document.ts";
import { contentTypeOf } from "./standing.ts";

/** How many answers are remembered. */
const maxRemembered = 1_000;

/** What looking needs. */
export interface RecordLooksParts {
  readonly now: () => number;
  /** One GET as a viewer, in bounded time and number; never rejects. */
  readonly get: (target: string, viewer: Viewer) => Promise<OriginResponse>;
  /** Whether a viewer's rate limit leaves a GET. */
  readonly mayGet: (viewer: Viewer) => boolean;
  /** Names a viewer. */
  readonly ownerOf: (viewer: Viewer) => string;
}

/** True where an answer is a row's record. */
function hasRow(response: OriginResponse, row: unknown, rule: RecordRule): boolean {
  const { status, body } = response;
  if ((status !== 200 && status !== 203) || typeof body !== "string" || !/\bjson\b/i.test(contentTypeOf(response))) {
    return false;
  }
  try {
    return holdsRecord(JSON.parse(body), row, rule);
  } catch {
    return false;
  }
}

function isSure({ status }: OriginResponse): boolean {
  return status < 500 && status !== 408 && status !== 425 && status !== 429;
}

/**
 * Finds out whether the URLs that a rule makes of keys are there: one is asked for, as a viewer who was given its row,
 * once for each rule [R-FLD-12].
 */
export class RecordLooks {
  readonly #parts: RecordLooksParts;
  /** The rules whose URLs are there. */
  readonly #good: Set<string> = new Set();
  /** A viewer's looks under way. */
  readonly #running: Map<string, Promise<boolean>> = new Map();
  /** When a viewer's look at a rule's URL last found nothing. */
  readonly #bad: Map<string, number> = new Map();

  constructor(parts: RecordLooksParts) {
    this.#parts = parts;
  }

  /** Whether the URLs of a list's rows can be written to. Never rejects. */
  haveUrls(list: RecordList | undefined, place: DocumentPlace, viewer: Viewer): boolean | Promise<boolean> {
    // An answer's own word is its application's [R-FLD-15].
    if (list?.rule.kind !== "key" || place.rule) return true;
    const made: RecordRule = list.rule;
    const { target, authority } = place;
    const rule = JSON.stringify([authority, target.split("?")[0], made.pointer]);
    if (this.#good.has(rule)) return true;
    const first = firstWithUrl(list);
    const owned = `${rule} ${this.#parts.ownerOf(viewer)}`;
    const lookedAt = this.#bad.get(owned) ?? Number.NEGATIVE_INFINITY;
    // Where there is no row, nothing is said of any.
    if (!first) return true;
    if (this.#parts.now() - lookedAt < lookAgainMs) return false;
    const row: unknown = JSON.parse(first.text);
    const url = recordUrl(row, made, target, authority);
    if (url === undefined || !this.#parts.mayGet(viewer)) return false;
    const running = this.#running.get(owned) ?? this.#look(url, row, made, viewer, [rule, owned]);
    this.#running.set(owned, running);
    return running.finally(() => this.#running.delete(owned));
  }

  async #look(
    url: string,
    row: unknown,
    rule: RecordRule,
    viewer: Viewer,
    [name, owned]: readonly [string, string],
  ): Promise<boolean> {
    const response = await this.#parts.get(url, viewer);
    if (hasRow(response, row, rule)) {
      remember(this.#good, name);
      this.#bad.delete(owned);
      return true;
    }
    if (!isSure(response)) return false;
    this.#bad.delete(owned);
    this.#bad.set(owned, this.#parts.now());
    for (const [oldest] of this.#bad) if (this.#bad.size > maxRemembered) this.#bad.delete(oldest);
    return false;
  }
}

/** The first row that has a URL. */
function firstWithUrl({ rows }: RecordList): Row | undefined {
  return rows.hasOdd ? rows.slice().find(({ url }) => url !== "") : rows.slice(0, 1)[0];
}

function remember(set: Set<string>, name: string): void {
  set.add(name);
  for (const oldest of set) if (set.size > maxRemembered) set.delete(oldest);
}
