import type { Field } from "../../protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../server/index.ts";
import { FieldErrors, Refusal, unauthorized } from "../rest/refusal.ts";
import { accessTokenS } from "./access-tokens.ts";
import { type Accounts, type OpenSession, sessionS } from "./accounts.ts";
import { Attempts } from "./attempts.ts";
import { type AuthMembers, readMembers } from "./auth-body.ts";
import { clientNetwork } from "./client-address.ts";
import { cookieField, cookieIn, forgetting, noCookieField } from "./cookies.ts";
import { readEmail } from "./email.ts";
import { passwordTrouble } from "./passwords.ts";
import type { Account, User } from "./user.ts";

/** What the URLs of sessions stand on. */
export interface AuthServiceOptions {
  readonly accounts: Accounts;
  readonly basePath: string;
  readonly signUp: boolean;
  readonly clock: Clock;
}

/** Of an address: in vain, and accounts that it may make. Of an account: in vain, by whomever. */
const allowances = {
  address: { most: 30, refillMs: 30_000 },
  signUp: { most: 10, refillMs: 360_000 },
  account: { most: 10, refillMs: 90_000 },
};

const wrong = "The email or the password is not right.";
const credentialNames = ["email", "password", "cookie"];

function shownUser({
  id,
  email,
  claims,
}: Pick<User, "id" | "email" | "claims">): Pick<User, "id" | "email" | "claims"> {
  return { id, email, claims };
}

function answer(status: number, body: object | undefined, fields: readonly Field[] = []): OriginResponse {
  const own: readonly Field[] = [
    ["Cache-Control", "no-store"],
    ...(body ? [["Content-Type", "application/json"] as const] : []),
  ];
  const notLive = "What is said of sessions can't be followed.";
  return { status, fields: [...own, ...fields], body: body ? JSON.stringify(body) : "", notLive };
}

/** The bearer token of a request; `undefined` where it has none. */
function bearerIn({ fields }: OriginRequest): string | undefined {
  const [, value = ""] = fields.find(([name]) => name.toLowerCase() === "authorization") ?? [];
  return /^Bearer +(\S+)$/i.exec(value.trim())?.[1];
}

/** @throws what is no refusal with 401 */
function ignoreUnauthorized(error: unknown): undefined {
  if (error instanceof Refusal && error.problem.status === 401) return undefined;
  throw error;
}

type Action = (request: OriginRequest) => Promise<OriginResponse>;

/** Answers the URLs by which people sign up, in and out. */
export class AuthService {
  readonly #options: AuthServiceOptions;
  readonly #actions: ReadonlyMap<string, Readonly<Record<string, Action>>>;
  readonly #ofAddress: Attempts;
  readonly #signUps: Attempts;
  readonly #ofAccount: Attempts;

  constructor(options: AuthServiceOptions) {
    const { basePath, signUp, clock } = options;
    this.#options = options;
    this.#ofAddress = new Attempts(allowances.address, clock);
    this.#signUps = new Attempts(allowances.signUp, clock);
    this.#ofAccount = new Attempts(allowances.account, clock);
    const user: Action = (request) => this.#user(request);
    const actions: readonly (readonly [string, Readonly<Record<string, Action>>])[] = [
      ...(signUp ? [["sign-up", { POST: (request: OriginRequest) => this.#signUp(request) }] as const] : []),
      ["sign-in", { POST: (request) => this.#signIn(request) }],
      ["refresh", { POST: (request) => this.#refresh(request) }],
      ["sign-out", { POST: (request) => this.#signOut(request) }],
      ["user", { GET: user, HEAD: user }],
    ];
    this.#actions = new Map(actions.map(([name, methods]) => [`${basePath}/auth/${name}`, methods]));
  }

  /** Whether a target is one of these URLs, whatever its query. */
  owns(target: string): boolean {
    return this.#actions.has(target.split("?")[0] ?? "");
  }

  /** Answers a request for one of these URLs. @throws Refusal, and what the database throws */
  async answer(request: OriginRequest): Promise<OriginResponse> {
    const methods = this.#actions.get(request.target.split("?")[0] ?? "") ?? {};
    const allow: Field = ["Allow", [...Object.keys(methods), "OPTIONS"].join(", ")];
    if (request.method === "OPTIONS") return answer(204, undefined, [allow]);
    const action = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (!action) throw new Refusal(405, `Only ${allow[1]} are allowed here.`, { fields: [allow] });
    const response = await action(request);
    return request.method === "HEAD" ? { ...response, body: "" } : response;
  }

  async #signUp(request: OriginRequest): Promise<OriginResponse> {
    const { accounts, basePath } = this.#options;
    const members = readMembers(request, credentialNames);
    const [email, password] = [readEmail(String(members.get("email") ?? "")), String(members.get("password") ?? "")];
    const trouble = passwordTrouble(password);
    const errors = new FieldErrors("The account can't be made as sent");
    if (!email) errors.add("email", "This is no email address.");
    if (trouble !== undefined) errors.add("password", trouble);
    errors.refuse();
    const isCookie = this.#takesCookie(request, members);
    this.#signUps.take(clientNetwork(request));
    const account = email && (await accounts.add(email, password));
    if (!account) {
      const taken = [{ field: "email", detail: "There is an account with this email." }];
      throw new Refusal(409, "There is an account with this email already.", { errors: taken });
    }
    const location: Field = ["Location", `${basePath}/auth/user`];
    return this.#opened(request, 201, await accounts.begin(account, isCookie), [location]);
  }

  async #signIn(request: OriginRequest): Promise<OriginResponse> {
    const { accounts } = this.#options;
    const members = readMembers(request, credentialNames);
    const [given, password] = [members.get("email"), members.get("password")];
    const errors = new FieldErrors("The request can't be taken as sent");
    if (given === undefined) errors.add("email", "This is missing.");
    if (password === undefined) errors.add("password", "This is missing.");
    errors.refuse();
    const isCookie = this.#takesCookie(request, members);
    const email = readEmail(String(given));
    const untake = [this.#ofAddress.take(clientNetwork(request)), this.#ofAccount.take(email?.folded)];
    let isWrong = false;
    let account: Account | undefined;
    try {
      account = await accounts.find(email, String(password));
      isWrong = account === undefined;
    } finally {
      // What could not be looked up was no guess.
      if (!isWrong) for (const one of untake) one();
    }
    if (!account) throw unauthorized(wrong);
    await this.#endBefore(request);
    return this.#opened(request, 200, await accounts.begin(account, isCookie));
  }

  async #refresh(request: OriginRequest): Promise<OriginResponse> {
    const { accounts } = this.#options;
    const members = readMembers(request, ["refresh_token", "grant_type"]);
    const token = members.get("refresh_token");
    const cookie = cookieIn(request.fields);
    const untake = this.#ofAddress.take(clientNetwork(request));
    if (token !== undefined) {
      const open = await accounts.refresh(String(token));
      untake();
      return this.#opened(request, 200, open);
    }
    if (cookie === undefined) throw new Refusal(422, "There is neither a refresh_token nor a cookie of a session.");
    const open = await this.#prolonged(request, cookie);
    untake();
    return open;
  }

  /** Ends the session that is shown; where none is, there is nothing to be ended. */
  async #signOut(request: OriginRequest): Promise<OriginResponse> {
    const { accounts } = this.#options;
    const members = readMembers(request, ["refresh_token"]);
    const cookie = cookieIn(request.fields);
    const bearer = bearerIn(request);
    for (const shown of [members.get("refresh_token"), cookie]) {
      const id = shown === undefined ? undefined : await accounts.ownerOf(String(shown));
      if (id !== undefined) await accounts.end(id);
    }
    if (bearer !== undefined && accounts.made(bearer)) {
      const session = await accounts.ofToken(bearer).catch(ignoreUnauthorized);
      if (session) await accounts.end(session.sessionId);
    }
    return answer(204, undefined, cookie === undefined ? [] : [noCookieField(request.fields)]);
  }

  /** Who has signed in. A cookie that is used goes on. */
  async #user(request: OriginRequest): Promise<OriginResponse> {
    const { accounts } = this.#options;
    const [bearer, cookie] = [bearerIn(request), cookieIn(request.fields)];
    if (bearer !== undefined) {
      if (!accounts.made(bearer)) throw unauthorized("The token is not one of this service.", "invalid_token");
      const session = await accounts.ofToken(bearer);
      if (session.isOver()) throw unauthorized("The session has ended.", "invalid_token");
      const account = await accounts.account(String(session.claims.sub));
      if (account) return answer(200, { user: shownUser(account) });
    }
    if (cookie === undefined) throw unauthorized("Nobody has signed in.");
    return this.#prolonged(request, cookie);
  }

  async #prolonged(request: OriginRequest, cookie: string): Promise<OriginResponse> {
    try {
      const { account, shown, isProlonged } = await this.#options.accounts.prolong(cookie);
      const fields = isProlonged ? [cookieField(request.fields, shown, sessionS)] : [];
      return answer(200, { user: shownUser(account) }, fields);
    } catch (error) {
      ignoreUnauthorized(error);
      // What shows nothing any more is not to be shown again.
      throw forgetting(error as Refusal, request);
    }
  }

  /** A session that the same browser had is not left behind. */
  async #endBefore({ fields }: OriginRequest): Promise<void> {
    const { accounts } = this.#options;
    const cookie = cookieIn(fields);
    const id = cookie === undefined ? undefined : await accounts.ownerOf(cookie);
    if (id !== undefined) await accounts.end(id);
  }

  /** Whether a cookie is asked for. @throws Refusal 421 in band, where no answer can set one */
  #takesCookie({ isInBand = false }: OriginRequest, members: AuthMembers): boolean {
    const isCookie = members.get("cookie") === true;
    if (isCookie && isInBand) throw new Refusal(421, "A cookie is set over HTTP only.");
    return isCookie;
  }

  #opened(
    { fields }: OriginRequest,
    status: number,
    { account, shown, accessToken }: OpenSession,
    more: readonly Field[] = [],
  ): OriginResponse {
    const user = shownUser(account);
    if (accessToken === undefined) return answer(status, { user }, [...more, cookieField(fields, shown, sessionS)]);
    const named = { access_token: accessToken, token_type: "Bearer", expires_in: accessTokenS, refresh_token: shown };
    return answer(status, { ...named, user }, more);
  }
}
