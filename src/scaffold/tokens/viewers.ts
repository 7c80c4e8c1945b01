import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock, OriginRequest } from "../../server/index.ts";
import type { Viewer } from "../engine/viewer.ts";
import { formatJson } from "../json/json.ts";
import { unauthorized } from "../rest/refusal.ts";
import type { ResolvedTokenOptions } from "./options.ts";
import type { UserSession, UserSessions } from "./user-session.ts";
import type { Claims, Verifier } from "./verifier.ts";

/** So many tokens are remembered at most. */
const maxTokens = 1_000;
/** For how long: a key may be taken back. */
const maxAgeMs = 60_000;

/** Who a token is for. */
type Holder = Pick<Viewer, "role" | "claims" | "key" | "isReader"> & {
  /** When it ends, in milliseconds since 1970. */
  readonly endsAt: number;
  /** Whether it has ended before: somebody has signed out. */
  readonly isOver?: () => boolean;
};

interface Entry {
  readonly since: number;
  /** A promise until it is known. */
  holder: Holder | Promise<Holder>;
}

/** What viewers are told by. */
export interface ViewersOptions {
  readonly tokens: ResolvedTokenOptions;
  readonly verifier: Pick<Verifier, "verify">;
  /** Those who sign in here. */
  readonly users?: UserSessions | undefined;
  readonly clock: Clock;
}

/** Claims that are others in each token of one person. */
const ofTheToken = new Set(["exp", "iat", "jti", "nbf"]);

/** Equal for the tokens of one person in one role. */
export function keyOf(role: string | undefined, { json }: Pick<Claims, "json">): string {
  const { iss = null, sub } = json;
  if (sub !== undefined) return formatJson([role ?? null, iss, sub]);
  const lasting = Object.entries(json).filter(([name]) => !ofTheToken.has(name));
  return formatJson([role ?? null, Object.fromEntries(lasting)]);
}

/** The token of a request; `undefined` where it has none. @throws Refusal 401 for other credentials */
function tokenOf({ fields }: OriginRequest): string | undefined {
  const [first, ...more] = fields.filter(([name]) => name.toLowerCase() === "authorization");
  if (!first) return undefined;
  const [, token] = /^Bearer +(\S+)$/i.exec(first[1].trim()) ?? [];
  if (token !== undefined && more.length === 0) return token;
  throw unauthorized("Authorization takes one token, as in: Bearer eyJ…", "invalid_token");
}

const readMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** Who shows the one token that all share. */
const sharer: Holder = {
  role: undefined,
  claims: {},
  key: JSON.stringify(["shared"]),
  endsAt: Number.POSITIVE_INFINITY,
};

/** Whether two texts are equal, in a time that does not tell how far they are. */
function isSameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Tells whom requests are for, by their tokens: the one place where tokens are read. */
export class Viewers {
  readonly #options: ViewersOptions;
  readonly #known: Map<string, Entry> = new Map();

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  /**
   * Whom a request is for; at once where its token was seen a moment ago.
   *
   * @throws Refusal 401, 503; or the promise rejects with it
   */
  readonly of = (request: OriginRequest): Viewer | Promise<Viewer> => {
    const token = tokenOf(request);
    const cookie = token === undefined ? this.#options.users?.cookieIn(request.fields) : undefined;
    if (token === undefined && cookie === undefined) return this.#withRequest(this.#anonymous(request), request);
    const holder = token === undefined ? this.#holderOfCookie(cookie ?? "") : this.#holderOf(token);
    if (!(holder instanceof Promise)) return this.#withRequest(this.#current(holder), request);
    return holder.then((found) => this.#withRequest(this.#current(found), request));
  };

  #anonymous({ method }: OriginRequest): Holder {
    const { anonymousReads, anonymousRole: role } = this.#options.tokens;
    if (!anonymousReads && role === undefined) {
      const signIn = this.#options.users
        ? "This needs a sign-in, by POST auth/sign-in, or a token"
        : "This needs a token";
      throw unauthorized(`${signIn}: Authorization: Bearer …`);
    }
    if (anonymousReads && !readMethods.has(method)) {
      throw unauthorized("Without a token one may only read: Authorization: Bearer …");
    }
    const key = role === undefined ? "" : JSON.stringify([role]);
    return { role, claims: undefined, key, isReader: anonymousReads, endsAt: Number.POSITIVE_INFINITY };
  }

  #withRequest({ role, claims, key, isReader = false }: Holder, { method, target, fields }: OriginRequest): Viewer {
    return { role, claims, key, isReader, request: { method, target, fields } };
  }

  /** What ends subscriptions knows no tolerance, so there is none here either. @throws Refusal 401 */
  #current(holder: Holder): Holder {
    if (holder.isOver?.()) throw unauthorized("The session has ended. Sign in again.", "invalid_token");
    if (this.#options.clock.wallTime() < holder.endsAt) return holder;
    throw unauthorized("The token has expired.", "invalid_token");
  }

  /** What is known of a cookie is looked up anew once it is no longer so: its account may have been changed only. */
  #holderOfCookie(cookie: string): Holder | Promise<Holder> {
    const name = `cookie ${cookie}`;
    const known = this.#known.get(name)?.holder;
    if (known && !(known instanceof Promise) && known.isOver?.()) this.#known.delete(name);
    return this.#remembered(name, async () => {
      const { users } = this.#options;
      if (!users) throw unauthorized("Nobody signs in here.");
      return this.#ofSession(await users.ofCookie(cookie));
    });
  }

  #holderOf(token: string): Holder | Promise<Holder> {
    const { shared } = this.#options.tokens;
    if (shared !== undefined && isSameSecret(token, shared)) return sharer;
    return this.#remembered(token, () => this.#verify(token));
  }

  /** Who it is that shows something, looked up now and then. @param name - what is shown: a token has no space */
  #remembered(name: string, look: () => Promise<Holder>): Holder | Promise<Holder> {
    const now = this.#options.clock.now();
    const known = this.#known.get(name);
    if (known && now - known.since < maxAgeMs) return known.holder;
    const verifying = look();
    const entry: Entry = { since: now, holder: verifying };
    // What is asked for last comes last, so that the oldest is forgotten first.
    this.#known.delete(name);
    this.#known.set(name, entry);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxTokens && oldest !== undefined) this.#known.delete(oldest);
    verifying.then(
      (holder) => {
        entry.holder = holder;
      },
      () => {
        if (this.#known.get(name) === entry) this.#known.delete(name);
      },
    );
    return verifying;
  }

  async #verify(token: string): Promise<Holder> {
    const { verifier, users } = this.#options;
    if (users?.made(token)) return this.#ofSession(await users.ofToken(token));
    const claims = await verifier.verify(token);
    const role = this.#roleOf(claims);
    const { exp } = claims.payload;
    const endsAt = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1_000;
    return { role, claims: claims.json, key: keyOf(role, claims), endsAt };
  }

  #ofSession({ claims, endsAt, isOver }: UserSession): Holder {
    const { tokens, users } = this.#options;
    const named = Object.hasOwn(claims, tokens.roleClaim) ? claims[tokens.roleClaim] : users?.role;
    const role = tokens.hasRoles && typeof named === "string" ? named : undefined;
    if (tokens.needsRole && role === undefined) throw unauthorized("The user has no role.", "invalid_token");
    return { role, claims, key: keyOf(role, { json: claims }), endsAt, isOver };
  }

  /** @throws Refusal 401 where the token names no role, and there is none for those that don't */
  #roleOf({ payload }: Claims): string | undefined {
    const { hasRoles, needsRole, roleClaim, anonymousRole } = this.#options.tokens;
    if (!hasRoles) return undefined;
    const role = Object.hasOwn(payload, roleClaim) ? payload[roleClaim] : anonymousRole;
    if (typeof role === "string") return role;
    if (role === undefined && !needsRole) return undefined;
    throw unauthorized(`The token names no role: it has no claim ${JSON.stringify(roleClaim)}.`, "invalid_token");
  }
}
