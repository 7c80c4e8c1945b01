import type { Field } from "../../protocol/index.ts";
import type { Clock, Revocations } from "../../server/index.ts";
import { accessTokenS, type Standing, standingIn } from "./access-tokens.ts";
import { cookieIn } from "./cookies.ts";
import { parseShown } from "./secrets.ts";
import type { UserStore } from "./user-store.ts";

/** How often is looked for what other processes have ended. */
const lookMs = 1_000;
/** How far the clocks of processes may be apart, and how long a statement may take until others see it. */
const overlapMs = 300_000;
/** So long an access token counts that says nothing of what was ended, and a little more. */
const keptMs = accessTokenS * 1_000 + overlapMs;
/** Where nothing could be looked up for so long, nobody knows who was signed out. */
const maxAgeMs = 30_000;
/** So many sessions of cookies are known by their accounts at most. */
const maxCookies = 100_000;

/** What fields show: the session of a cookie, or what a token says. */
interface Shown {
  readonly cookie: string | undefined;
  readonly standing: Standing | undefined;
}

/** A token counts before a cookie, as for whoever answers. */
function shownIn(fields: readonly Field[]): Shown {
  const hasToken = fields.some(([name]) => name.toLowerCase() === "authorization");
  const cookie = hasToken ? undefined : cookieIn(fields);
  return { cookie: cookie === undefined ? undefined : parseShown(cookie)?.id, standing: standingIn(fields) };
}

/** What a watch stands on. */
export interface SessionWatchParts {
  readonly store: Pick<UserStore, "endedSince" | "trim">;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

/**
 * Knows which sessions have ended, and which accounts were changed, as far as tokens that count otherwise could say
 * something else: at once what this process has done, and within a second what others have.
 */
export class SessionWatch implements Revocations {
  readonly #parts: SessionWatchParts;
  readonly #ended: Map<string, number> = new Map();
  readonly #changed: Map<string, { readonly version: number; readonly at: number }> = new Map();
  /** The accounts of sessions that are shown by cookies, as they were looked up. */
  readonly #cookies: Map<string, Standing> = new Map();
  readonly #listeners: Set<() => void> = new Set();
  /** What was found for fields: they are looked at with each message. */
  readonly #shown: WeakMap<readonly Field[], Shown> = new WeakMap();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #trimmedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isClosed = false;
  #hasFailed = false;

  constructor(parts: SessionWatchParts) {
    this.#parts = parts;
  }

  /** Looks for the first time, and from then on again and again. @throws what the database throws */
  async start(): Promise<void> {
    await this.#look();
    this.#wait();
  }

  /** False where nobody knows by now who was signed out by other processes. */
  get isCurrent(): boolean {
    return this.#parts.clock.now() - this.#lookedAt < maxAgeMs;
  }

  /** Whether a session has ended, or what is known of its account is no longer so. */
  isOver({ sessionId, userId, version }: Standing): boolean {
    return this.#ended.has(sessionId) || (this.#changed.get(userId)?.version ?? 0) > version;
  }

  readonly isRevoked = (fields: readonly Field[]): boolean => {
    const shown = this.#shown.get(fields) ?? shownIn(fields);
    this.#shown.set(fields, shown);
    const { cookie } = shown;
    const standing = cookie === undefined ? shown.standing : this.#cookies.get(cookie);
    return (cookie !== undefined && this.#ended.has(cookie)) || (standing !== undefined && this.isOver(standing));
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Remembers whose the session of a cookie is. */
  knowCookie(standing: Standing): void {
    this.#cookies.delete(standing.sessionId);
    this.#cookies.set(standing.sessionId, standing);
    const [oldest] = this.#cookies.keys();
    if (this.#cookies.size > maxCookies && oldest !== undefined) this.#cookies.delete(oldest);
  }

  /** Says that this process has ended a session. */
  end(sessionId: string): void {
    this.#ended.set(sessionId, this.#parts.clock.wallTime());
    this.#tell();
  }

  /** Ends the watch, once what it was looking for has come. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #wait(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.setTimer(() => {
      this.#look()
        .then(
          () => {
            this.#hasFailed = false;
          },
          (error: unknown) => {
            // Once per outage: the service's own answers say it, too.
            if (!this.#hasFailed && !this.#isClosed) this.#parts.reportError(error, "users");
            this.#hasFailed = true;
          },
        )
        .finally(() => this.#wait());
    }, lookMs);
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    const [begun, now] = [clock.now(), clock.wallTime()];
    const since = this.#lookedAt < 0 ? keptMs : begun - this.#lookedAt + overlapMs;
    const { sessions, accounts } = await store.endedSince(Math.floor(now - Math.min(keptMs, since)));
    let isNew = false;
    for (const id of sessions) {
      isNew ||= !this.#ended.has(id);
      if (!this.#ended.has(id)) this.#ended.set(id, now);
    }
    for (const { id, version } of accounts) {
      if ((this.#changed.get(id)?.version ?? 0) >= version) continue;
      this.#changed.set(id, { version, at: now });
      isNew = true;
    }
    this.#lookedAt = begun;
    this.#forget(now);
    if (isNew) this.#tell();
    if (begun - this.#trimmedAt < keptMs) return;
    this.#trimmedAt = begun;
    await store.trim(now - keptMs);
  }

  /** What no token that counts still could be of. */
  #forget(now: number): void {
    for (const [id, at] of this.#ended) if (at < now - keptMs) this.#ended.delete(id);
    for (const [id, { at }] of this.#changed) if (at < now - keptMs) this.#changed.delete(id);
  }
}
