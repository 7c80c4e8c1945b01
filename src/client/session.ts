import type { HttpResponse } from "../protocol/index.ts";
import { Callbacks, Listeners } from "./callbacks.ts";
import { type Client, createClient } from "./client.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./client-options.ts";
import { Timer } from "./clock.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { messageOf } from "./http.ts";
import { isPage } from "./platform.ts";
import { bodyJson, isTransient, ProblemError, problemOf } from "./problem.ts";
import { type HeldTokens, SessionTokens, type SessionUser, tokensIn, userIn } from "./session-tokens.ts";

/** What somebody signs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Options of a session: those of its clients, but whom they act for. */
export interface SessionOptions extends Omit<ClientOptions, "token" | "user"> {
  /**
   * What shows the server who it is: a `cookie`, which scripts don't see and which outlives a reload, or a `token`, which is kept in
   * `storage`, where there is one. Default: `cookie` in a page of the server's own origin, else `token`.
   */
  readonly keep?: "cookie" | "token";
}

/**
 * Whether somebody has signed in: `starting` until that is known, `closed` after `close()`.
 *
 * ```
 * starting ──▶ signed-out ◀──▶ signed-in        any ──close──▶ closed
 *     └─────────────────────────▲
 * ```
 */
export type SessionState = "starting" | "signed-out" | "signed-in" | "closed";

/** Somebody's sign-in at a server with users, and the client that acts for whoever it is. */
export interface Session {
  readonly state: SessionState;
  /** Who has signed in; `undefined` where nobody has. */
  readonly user: SessionUser | undefined;
  /** The client of whoever has signed in, or of nobody. Another one after each sign-in and sign-out: the one before has ended. */
  readonly client: Client;
  /** Resolves once it is known whether somebody had signed in before. */
  readonly ready: Promise<void>;
  /** Makes an account, and signs in. @throws ProblemError with what the server says; TypeError where it can't be reached */
  signUp(credentials: Credentials): Promise<SessionUser>;
  /** Signs in. @throws ProblemError with what the server says; TypeError where it can't be reached */
  signIn(credentials: Credentials): Promise<SessionUser>;
  /**
   * Drops what is kept of the user, in the browser's other tabs, too, and ends the session at the server.
   *
   * @throws TypeError where that can't be reached: the session is over here, and may be ended there by another call
   */
  signOut(): Promise<void>;
  /** Calls the listener whenever `user` or `client` is another. Returns a function that ends it. */
  onChange(listener: () => void): () => void;
  /** Ends the client, and signs nobody out. Twice is fine. */
  close(): void;
}

/** What tabs tell each other. */
interface TabMessage {
  readonly kind: "in" | "out";
  readonly user: string;
}

const retryMs = 2_000;

class UserSession implements Session {
  readonly ready: Promise<void>;
  readonly #baseUrl: string | URL | undefined;
  readonly #options: SessionOptions;
  readonly #resolved: ResolvedClientOptions;
  readonly #isCookie: boolean;
  readonly #tokens: SessionTokens;
  readonly #callbacks: Callbacks;
  readonly #listeners: Listeners;
  readonly #channel: BroadcastChannel | undefined;
  readonly #timer: Timer;
  #state: SessionState = "starting";
  #user: SessionUser | undefined;
  #client: Client;
  /** A refresh token whose session could not be ended at the server. */
  #unended: string | undefined;
  #checking: Promise<void> | undefined;

  constructor(baseUrl: string | URL | undefined, { keep, ...options }: SessionOptions) {
    this.#baseUrl = baseUrl;
    this.#options = options;
    this.#resolved = resolveClientOptions(baseUrl, options);
    const { base, storage, clock, onError } = this.#resolved;
    const { location } = globalThis as { readonly location?: Location };
    this.#isCookie = (keep ?? (isPage() && location?.origin === base.origin ? "cookie" : "token")) === "cookie";
    const key = `rocket-session:${base.href}`;
    this.#tokens = new SessionTokens({
      ...{ storage, key, now: () => clock.now(), renew: (refresh) => this.#renew(refresh) },
      onOther: () => void this.#check(),
      onUser: (user) => this.#know(user),
    });
    this.#callbacks = new Callbacks({ clock, onError, onBehind: () => {} });
    this.#listeners = new Listeners(this.#callbacks);
    this.#timer = new Timer(clock);
    this.#client = this.#clientOf(undefined);
    // Tabs share a cookie or a storage: what one does concerns the others.
    if (isPage() && (this.#isCookie || storage)) {
      this.#channel = new BroadcastChannel(key);
      this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#hear(data);
    }
    this.ready = this.#check();
  }

  get state(): SessionState {
    return this.#state;
  }

  get user(): SessionUser | undefined {
    return this.#user;
  }

  get client(): Client {
    return this.#client;
  }

  signUp(credentials: Credentials): Promise<SessionUser> {
    return this.#enter("sign-up", credentials);
  }

  signIn(credentials: Credentials): Promise<SessionUser> {
    return this.#enter("sign-in", credentials);
  }

  async signOut(): Promise<void> {
    const refresh = this.#tokens.held?.refresh ?? this.#unended;
    if (this.#user) {
      this.#tell("out", this.#user);
      // Ahead of the server's: what waits would be sent without the session that it was made in.
      await this.#client.logout();
      await this.#tokens.keep(undefined);
      this.#become(undefined);
    }
    this.#unended = refresh;
    if (this.#isCookie || refresh !== undefined) {
      const answer = await this.#post("sign-out", refresh === undefined ? undefined : { refresh_token: refresh });
      if (answer.status >= 300) throw new ProblemError(problemOf(answer));
    }
    this.#unended = undefined;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#timer.cancel();
    this.#channel?.close();
    this.#client.close();
    this.#callbacks.close();
  }

  async #enter(action: "sign-up" | "sign-in", { email, password }: Credentials): Promise<SessionUser> {
    const answer = await this.#post(action, { email, password, ...(this.#isCookie ? { cookie: true } : {}) });
    const json = bodyJson(answer);
    const [user, tokens] = [userIn(json), tokensIn(json)];
    if (answer.status >= 300 || !user || !(this.#isCookie || tokens)) throw new ProblemError(problemOf(answer));
    if (this.#user) {
      this.#tell("out", this.#user);
      await this.#client.logout();
    }
    if (!this.#isCookie) await this.#tokens.keep(tokens);
    this.#become(user);
    this.#tell("in", user);
    return user;
  }

  /** Finds out who has signed in. Never rejects. */
  #check(): Promise<void> {
    this.#checking ??= this.#find()
      .then((user) => this.#found(user))
      .catch(() => this.#later())
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  /** @throws where that can't be known now */
  async #find(): Promise<SessionUser | undefined> {
    if (!this.#isCookie) {
      const stored = await this.#tokens.stored();
      this.#tokens.take(stored);
      return stored?.user;
    }
    const answer = await this.#send("user", { method: "GET" });
    if (isTransient(answer.status)) throw new ProblemError(problemOf(answer));
    return userIn(bodyJson(answer));
  }

  #found(user: SessionUser | undefined): void {
    if (this.#state === "closed") return;
    if (this.#state !== "starting" && user?.id === this.#user?.id) {
      if (user) this.#know(user);
      return;
    }
    // What was written waits for the same user, unless that one has signed out in another tab.
    this.#client.close();
    this.#become(user);
  }

  /** While nobody knows who has signed in, it is asked again. */
  #later(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    return new Promise<void>((resolve) => this.#timer.set(() => resolve(), retryMs)).then(() => {
      this.#checking = undefined;
      return this.#check();
    });
  }

  async #renew(refresh: string): Promise<HeldTokens | undefined> {
    const answer = await this.#post("refresh", { refresh_token: refresh });
    if (answer.status === 401) return undefined;
    const tokens = tokensIn(bodyJson(answer));
    if (!tokens) throw new ProblemError(problemOf(answer));
    return tokens;
  }

  #hear({ kind, user }: TabMessage): void {
    if (kind === "in") void this.#check();
    else if (kind === "out" && user === this.#user?.id) void this.#leave();
  }

  /** Another tab signs the user out. */
  async #leave(): Promise<void> {
    const leaving = this.#client.logout();
    this.#tokens.take(undefined);
    this.#become(undefined);
    await leaving;
  }

  #become(user: SessionUser | undefined): void {
    if (this.#state === "closed") return;
    this.#state = user ? "signed-in" : "signed-out";
    this.#user = user;
    this.#client.close();
    this.#client = this.#clientOf(user);
    this.#listeners.tell();
  }

  #clientOf(user: SessionUser | undefined): Client {
    if (!user) return createClient(this.#baseUrl, this.#options);
    const named = { ...this.#options, user: user.id };
    if (!this.#isCookie) {
      return createClient(this.#baseUrl, { ...named, token: (isRefused) => this.#tokens.current(isRefused) });
    }
    // A cookie that counts no more is first seen by a refusal.
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const response = await this.#resolved.fetch(input, init);
      if (response.status === 401) void this.#check();
      return response;
    };
    return createClient(this.#baseUrl, { ...named, fetch });
  }

  /** What is said of the user is other than before: the client goes on. */
  #know(user: SessionUser): void {
    if (user.id !== this.#user?.id || isDeepEqual(user, this.#user)) return;
    this.#user = user;
    this.#listeners.tell();
  }

  #tell(kind: TabMessage["kind"], { id }: SessionUser): void {
    this.#channel?.postMessage({ kind, user: id } satisfies TabMessage);
  }

  #post(action: string, body: object | undefined): Promise<HttpResponse> {
    const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return this.#send(action, { method: "POST", ...(body ? json : {}) });
  }

  async #send(action: string, init: RequestInit): Promise<HttpResponse> {
    const { base, fetch } = this.#resolved;
    return messageOf(await fetch(new URL(`auth/${action}`, base).href, init));
  }
}

/**
 * Signs people in at a server with users (`rocket serve --users`), and gives the client of whoever has signed in.
 *
 * @param baseUrl - as for `createClient`
 * @throws TypeError where the URL or an option is not valid
 */
export function createSession(baseUrl?: string | URL, options: SessionOptions = {}): Session {
  return new UserSession(baseUrl, options);
}
