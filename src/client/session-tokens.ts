import { tokenExpiry } from "../protocol/index.ts";
import type { ClientStorage } from "./storage.ts";

/** Who has signed in. */
export interface SessionUser {
  /** As the claim `sub` of tokens names it. */
  readonly id: string;
  readonly email: string;
  /** What the server says of the user beside that. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a sign-in gave. */
export interface HeldTokens {
  readonly user: SessionUser;
  readonly access: string;
  readonly refresh: string;
}

/** What tokens are renewed with. */
export interface SessionTokensParts {
  readonly storage: ClientStorage | undefined;
  /** The name of the entry in the storage. */
  readonly key: string;
  readonly now: () => number;
  /** Renews them; `undefined` where the session has ended. @throws where that can't be known now */
  readonly renew: (refresh: string) => Promise<HeldTokens | undefined>;
  /** Told that the session has ended, or that another one was begun elsewhere. */
  readonly onOther: () => void;
  /** Told whose tokens there are now, by a renewal here or in another tab: what is said of the user may be other than before. */
  readonly onUser: (user: SessionUser) => void;
}

function isUser(value: unknown): value is SessionUser {
  const { id, email, claims } = Object(value);
  return typeof id === "string" && typeof email === "string" && Object(claims) === claims;
}

function parseHeld(text: string | null): HeldTokens | undefined {
  try {
    const { user, access, refresh } = Object(JSON.parse(text ?? "null"));
    const isHeld = isUser(user) && typeof access === "string" && typeof refresh === "string";
    return isHeld ? { user, access, refresh } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the answer to a sign-in or a refresh; `undefined` where it has no tokens. */
export function tokensIn(json: unknown): HeldTokens | undefined {
  const { user, access_token: access, refresh_token: refresh } = Object(json);
  return parseHeld(JSON.stringify({ user, access, refresh }) ?? null);
}

/** Reads the user in an answer; `undefined` where there is none. */
export function userIn(json: unknown): SessionUser | undefined {
  const { user } = Object(json);
  return isUser(user) ? user : undefined;
}

/** The tokens of one session, kept for the tabs of a browser, which renew them one after another. */
export class SessionTokens {
  readonly #parts: SessionTokensParts;
  #held: HeldTokens | undefined;
  #renewing: Promise<string | undefined> | undefined;

  constructor(parts: SessionTokensParts) {
    this.#parts = parts;
  }

  get held(): HeldTokens | undefined {
    return this.#held;
  }

  /** What is kept by now. */
  async stored(): Promise<HeldTokens | undefined> {
    const { storage, key } = this.#parts;
    return storage ? parseHeld(await storage.getItem(key)) : this.#held;
  }

  /** Takes tokens for those of now, without keeping them. */
  take(held: HeldTokens | undefined): void {
    if (held?.refresh !== this.#held?.refresh) this.#held = held;
  }

  /** Takes tokens for those of now, and keeps them; nothing forgets them. */
  async keep(held: HeldTokens | undefined): Promise<void> {
    const { storage, key } = this.#parts;
    this.#held = held;
    await storage?.setItem(key, held ? JSON.stringify(held) : "");
  }

  /** The token to be shown. @param isRefused - whether the one before was refused, or ends soon */
  current(isRefused: boolean): Promise<string | undefined> {
    const { access } = this.#held ?? {};
    const endsAt = tokenExpiry(`Bearer ${access}`) ?? 0;
    if (access === undefined || (!isRefused && endsAt > this.#parts.now())) return Promise.resolve(access);
    this.#renewing ??= this.#inTurn(() => this.#renew(access)).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(refused: string): Promise<string | undefined> {
    const { renew, onOther, onUser } = this.#parts;
    const before = this.#held;
    const stored = await this.stored();
    if (this.#held !== before || !before) return this.#held?.access;
    if (stored?.user.id !== before.user.id) {
      onOther();
      return undefined;
    }
    // Another tab was faster.
    if (stored.access !== refused) {
      this.#held = stored;
      onUser(stored.user);
      return stored.access;
    }
    const next = await renew(stored.refresh);
    if (this.#held !== before) return this.#held?.access;
    await this.keep(next);
    if (next) onUser(next.user);
    else onOther();
    return next?.access;
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const { storage, key } = this.#parts;
    const { locks } = (globalThis.navigator ?? {}) as { readonly locks?: LockManager };
    return storage && locks ? (locks.request(key, action) as Promise<Result>) : action();
  }
}
