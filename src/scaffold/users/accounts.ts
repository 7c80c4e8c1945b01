import { randomUUID } from "node:crypto";
import type { Clock } from "../../server/index.ts";
import { unauthorized, unavailable } from "../rest/refusal.ts";
import type { UserSession } from "../tokens/user-session.ts";
import { type AccessTokens, claimsOf } from "./access-tokens.ts";
import type { Email } from "./email.ts";
import type { Passwords } from "./passwords.ts";
import { digestOf, formatShown, isSecretOf, makeSecret, nextSecret, parseShown, type ShownSession } from "./secrets.ts";
import type { SessionWatch } from "./session-watch.ts";
import type { Account, Session } from "./user.ts";
import type { UserStore } from "./user-store.ts";

/** How long a session goes on that is not used, in seconds. */
export const sessionS: number = 30 * 24 * 3_600;

/** How long the refresh token before counts beside the newest: two tabs may have come with it, or an answer was lost. */
const graceMs = 30_000;
/** So far back an older refresh token is known: some two weeks of use without a pause. To look takes a few milliseconds. */
const maxSteps = 2_000;
/** A cookie's end is put off once a day. */
const putOffMs = 24 * 3_600_000;

/** What accounts stand on. */
export interface AccountsParts {
  readonly store: UserStore;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly watch: SessionWatch;
  /** The key by which refresh tokens follow each other. */
  readonly refreshKey: string;
  readonly clock: Clock;
}

/** A session that was begun, or goes on: what its holder is given. */
export interface OpenSession {
  readonly account: Account;
  /** What the holder shows from now on. */
  readonly shown: string;
  /** Absent for a cookie. */
  readonly accessToken?: string;
}

const noSession = "The session has ended, or there is none. Sign in again.";

/** Signs people up and in, and says whose a request is. */
export class Accounts {
  readonly #parts: AccountsParts;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  /** Makes an account. `undefined` where the email has one; to find that out costs the same. @throws Refusal 503 */
  async add(email: Email, password: string, claims: Account["claims"] = {}): Promise<Account | undefined> {
    const { store, passwords, clock } = this.#parts;
    const hash = await passwords.hash(password);
    const id = randomUUID();
    const isAdded = await store.addAccount({ id, claims, password: hash, createdAt: clock.wallTime() }, email);
    return isAdded ? await store.account(id) : undefined;
  }

  /**
   * The account of an email and its password; `undefined` where there is none, or it is disabled. The work is the same.
   *
   * @param email - `undefined` for what can be nobody's
   * @throws Refusal 503
   */
  async find(email: Email | undefined, password: string): Promise<Account | undefined> {
    const { store, passwords } = this.#parts;
    const account = email && (await store.accountOf(email));
    const isRight = await passwords.isRight(password, account?.password);
    return isRight && !account?.isDisabled ? account : undefined;
  }

  /** Begins a session. @param isCookie - whether a browser shows it by a cookie */
  async begin(account: Account, isCookie: boolean): Promise<OpenSession> {
    const { store, clock } = this.#parts;
    const [id, secret, now] = [randomUUID(), makeSecret(), clock.wallTime()];
    await store.addSession({
      ...{ id, userId: account.id, epoch: account.epoch, isCookie, secret: digestOf(secret), previous: undefined },
      ...{ renewedAt: now, expiresAt: now + sessionS * 1_000, endedAt: undefined },
    });
    return this.#opened(account, { id, secret }, isCookie);
  }

  /**
   * Goes on with the session of a refresh token, which is replaced: who comes with an older one than the last ends it, since
   * somebody else has it, too.
   *
   * @throws Refusal 401 where it has ended
   */
  async refresh(token: string): Promise<OpenSession> {
    const shown = parseShown(token);
    const [session, account] = shown ? await this.#standing(shown.id) : [];
    if (!shown || !session || !account || session.isCookie) throw unauthorized(noSession, "invalid_token");
    const { store, refreshKey, clock } = this.#parts;
    const now = clock.wallTime();
    const next: ShownSession = { id: shown.id, secret: nextSecret(shown, refreshKey) };
    if (isSecretOf(shown.secret, session.secret)) {
      const renewed = { secret: digestOf(next.secret), renewedAt: now, expiresAt: now + sessionS * 1_000 };
      if (await store.renewSession(session, renewed)) return this.#opened(account, next, false);
      // Somebody else came with it in this moment: that one decides.
      return this.refresh(token);
    }
    const isLate = !isSecretOf(shown.secret, session.previous) || now - session.renewedAt > graceMs;
    if (!isLate && isSecretOf(next.secret, session.secret)) return this.#opened(account, next, false);
    if (this.#wasBefore(shown, session)) await this.end(session.id);
    throw unauthorized(noSession, "invalid_token");
  }

  /** Puts off the end of the session that a cookie shows. @throws Refusal 401 where it has ended */
  async prolong(cookie: string): Promise<OpenSession & { readonly isProlonged: boolean }> {
    const { store, clock } = this.#parts;
    const [session, account, shown] = await this.#ofCookie(cookie);
    const now = clock.wallTime();
    const isProlonged = now - session.renewedAt > putOffMs;
    if (isProlonged) {
      const { secret } = session;
      await store.renewSession(session, { secret, renewedAt: now, expiresAt: now + sessionS * 1_000 });
    }
    return { account, shown: formatShown(shown), isProlonged };
  }

  /** Ends a session, for everybody who has something of it. */
  async end(sessionId: string): Promise<void> {
    const { store, watch, clock } = this.#parts;
    await store.endSession(sessionId, clock.wallTime());
    watch.end(sessionId);
  }

  /** The session of a refresh token or a cookie that may end it; `undefined` where the secret is not right. */
  async ownerOf(text: string): Promise<string | undefined> {
    const shown = parseShown(text);
    const session = shown && (await this.#parts.store.session(shown.id));
    if (!shown || !session) return undefined;
    const isRight = isSecretOf(shown.secret, session.secret) || isSecretOf(shown.secret, session.previous);
    return isRight ? session.id : undefined;
  }

  /** Whether a bearer token is one of these. */
  made(token: string): boolean {
    return this.#parts.tokens.made(token);
  }

  /** Whose a bearer token is. @throws Refusal 401 where it does not count; 503 where that can't be known */
  async ofToken(token: string): Promise<UserSession> {
    const { tokens, watch } = this.#parts;
    const { claims, endsAt, ...standing } = await tokens.verify(token);
    return { claims, endsAt, isOver: () => this.#isOver(() => watch.isOver(standing)), sessionId: standing.sessionId };
  }

  /** Whose a cookie is. @throws Refusal 401 where it does not count; 503 where that can't be known */
  async ofCookie(cookie: string): Promise<UserSession> {
    const { watch } = this.#parts;
    const [session, account] = await this.#ofCookie(cookie);
    const standing = { sessionId: session.id, userId: account.id, version: account.version };
    watch.knowCookie(standing);
    const isOver = (): boolean => this.#isOver(() => watch.isOver(standing));
    const { expiresAt: endsAt } = session;
    return { claims: { ...claimsOf(account), sid: session.id }, endsAt, isOver, sessionId: session.id };
  }

  /** The account with an id. */
  account(id: string): Promise<Account | undefined> {
    return this.#parts.store.account(id);
  }

  /** @throws Refusal 503 */
  #isOver(isOver: () => boolean): boolean {
    if (!this.#parts.watch.isCurrent) throw unavailable("Who was signed out can't be looked up just now.");
    return isOver();
  }

  /** Whether a secret is one of those that the session's were before. */
  #wasBefore(shown: ShownSession, session: Session): boolean {
    let { secret } = shown;
    for (let step = 0; step < maxSteps; step += 1) {
      secret = nextSecret({ id: session.id, secret }, this.#parts.refreshKey);
      if (isSecretOf(secret, session.secret)) return true;
    }
    return false;
  }

  async #opened(account: Account, shown: ShownSession, isCookie: boolean): Promise<OpenSession> {
    const open = { account, shown: formatShown(shown) };
    return isCookie ? open : { ...open, accessToken: await this.#parts.tokens.sign(account, shown.id) };
  }

  /** A session that goes on, and its account. */
  async #standing(id: string): Promise<[Session, Account] | []> {
    const { store, clock } = this.#parts;
    const session = await store.session(id);
    if (!session || session.endedAt !== undefined || session.expiresAt <= clock.wallTime()) return [];
    const account = await store.account(session.userId);
    return account && !account.isDisabled && account.epoch === session.epoch ? [session, account] : [];
  }

  async #ofCookie(cookie: string): Promise<[Session, Account, ShownSession]> {
    const shown = parseShown(cookie);
    const [session, account] = shown ? await this.#standing(shown.id) : [];
    const isRight = shown && session?.isCookie && isSecretOf(shown.secret, session.secret);
    if (!isRight || !session || !account) throw unauthorized(noSession, "invalid_token");
    return [session, account, shown];
  }
}
