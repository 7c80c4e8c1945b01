import { type Field, fieldValue } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";

/** What an answer says of how many requests its viewer may still make. */
export interface RequestsLeft {
  readonly remaining: number;
  /** How many it may make in all; absent where the answer does not say. */
  readonly limit?: number;
  /** Milliseconds until there are as many again. */
  readonly resetMs: number;
}

/** Where an answer does not say when there are more. */
const defaultResetMs = 60_000;
const longestMs = 3_600_000;
/** Views may use up this part of a viewer's requests at any pace, and this part of the rest, spaced. */
const freePart = 0.5;
const restPart = 0.25;
/** How many viewers' budgets are known at a time. */
const maxKnown = 10_000;

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A wait that a field says: in seconds, or as a time in seconds or milliseconds, which counts from the answer's date. */
function resetMsOf(value: number | undefined, fields: readonly Field[]): number {
  if (value === undefined) return defaultResetMs;
  const date = Date.parse(fieldValue(fields, "date") ?? "");
  const waitMs = value < 1e9 ? value * 1_000 : (value < 1e12 ? value * 1_000 : value) - date;
  return Number.isNaN(waitMs) ? defaultResetMs : Math.min(Math.max(0, waitMs), longestMs);
}

/** Of `RateLimit` (draft-ietf-httpapi-ratelimit-headers, in its forms so far), the policy that leaves least. */
function ofRateLimit(fields: readonly Field[]): RequestsLeft | undefined {
  const text = fieldValue(fields, "ratelimit");
  if (text === undefined) return undefined;
  const items = /\bremaining=/.test(text) ? [text] : text.split(",");
  const all = items.flatMap((item): RequestsLeft[] => {
    const remaining = numberIn(item, /(?:^|[;,\s])(?:r|remaining)=(\d{1,12})/);
    if (remaining === undefined) return [];
    const limit = numberIn(item, /(?:^|[;,\s])limit=(\d{1,12})/);
    const resetMs = resetMsOf(numberIn(item, /(?:^|[;,\s])(?:t|reset)=(\d{1,14})/), fields);
    return [{ remaining, resetMs, ...(limit !== undefined && { limit }) }];
  });
  return all.sort((a, b) => a.remaining - b.remaining)[0];
}

/** What an answer says by `RateLimit`, `RateLimit-Remaining`, `X-RateLimit-*` and the like; `undefined`: nothing. */
export function requestsLeft(fields: readonly Field[]): RequestsLeft | undefined {
  const policy = numberIn(fieldValue(fields, "ratelimit-policy"), /(?:;q=|^\s*)(\d{1,12})/);
  const whole = ofRateLimit(fields);
  if (whole) return whole.limit === undefined && policy !== undefined ? { ...whole, limit: policy } : whole;
  for (const prefix of ["ratelimit", "x-ratelimit", "x-rate-limit"]) {
    const numberOf = (name: string) => numberIn(fieldValue(fields, `${prefix}-${name}`), /^\s*(\d{1,14})/);
    const remaining = numberOf("remaining");
    if (remaining === undefined) continue;
    const limit = numberOf("limit") ?? policy;
    return { remaining, resetMs: resetMsOf(numberOf("reset"), fields), ...(limit !== undefined && { limit }) };
  }
  return undefined;
}

/** The wait that an answer asks for, in milliseconds. A date counts from the answer's own. */
export function retryAfterMs({ fields }: Pick<OriginResponse, "fields">): number {
  const value = fieldValue(fields, "retry-after") ?? "";
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
  const waitMs = Date.parse(value) - Date.parse(fieldValue(fields, "date") ?? "");
  return waitMs > 0 ? waitMs : 0;
}

interface Budget {
  /** The most that was known to be left. */
  limit: number;
  /** When there are as many again. */
  resetAt: number;
  /** Between two looks. */
  spacingMs: number;
  /** When the next look may be. */
  nextAt: number;
}

/**
 * Spaces the looks of each viewer by what the application's rate limit leaves: they come with the viewer's address and
 * credentials, and must not use up what its user needs.
 */
export class RequestBudgets {
  readonly #clock: Clock;
  readonly #budgets: Map<string, Budget> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When a viewer's next look may be, somewhat later for each of its views, so that all have their turn; 0: at once. */
  nextAt(owner: string): number {
    const { nextAt = 0, spacingMs = 0 } = this.#budgets.get(owner) ?? {};
    return nextAt <= this.#clock.now() ? 0 : nextAt + (this.#clock.random() * spacingMs) / 2;
  }

  /** Says that a viewer's look begins. */
  take(owner: string): void {
    const budget = this.#budgets.get(owner);
    if (budget) budget.nextAt = this.#clock.now() + budget.spacingMs;
  }

  /** Learns from an answer to a viewer. */
  learn(owner: string, response: OriginResponse): void {
    const left = requestsLeft(response.fields);
    const waitMs = response.status === 429 ? retryAfterMs(response) : 0;
    const before = this.#budgets.get(owner);
    if (!left && waitMs === 0) return;
    const now = this.#clock.now();
    const isSame = before && before.resetAt > now;
    const { remaining, resetMs }: RequestsLeft = left ?? { remaining: 0, resetMs: waitMs };
    const limit = left?.limit ?? Math.max(remaining, isSame ? before.limit : 0);
    const isFree = !left || remaining > limit * (1 - freePart);
    const spacingMs = isFree ? 0 : resetMs / Math.max(1, Math.floor(remaining * restPart));
    const nextAt = Math.max(now + Math.max(spacingMs, waitMs), isSame && !isFree ? before.nextAt : 0);
    this.#budgets.delete(owner);
    // Without a wait there is nothing to remember, but for a limit that was not said.
    this.#budgets.set(owner, { limit, resetAt: now + resetMs, spacingMs, nextAt: isFree && waitMs === 0 ? 0 : nextAt });
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= maxKnown) break;
      this.#budgets.delete(oldest);
    }
  }
}
