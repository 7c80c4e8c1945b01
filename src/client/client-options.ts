import { type HttpResponse, trimEndOf } from "../protocol/index.ts";
import type { OnError } from "./callbacks.ts";
import { type ClientClock, platformClock } from "./clock.ts";
import type { TokenSource } from "./http.ts";
import type { ClientStorage } from "./storage.ts";
import { findWebSocket, type WebSocketConstructor } from "./web-socket.ts";

/** Options of a client. */
export interface ClientOptions {
  /**
   * A bearer token, or a function that gives one. It is asked when one is needed, once more where the server answers
   * 401, by `renew()`, and ahead of the end of a JWT (`exp`): 60 s, or the last fifth of its time. What it throws is tried again later. Default: none; cookies go along as the platform does.
   */
  readonly token?: string | TokenSource;
  /**
   * Who the client acts for: a name or number that no other user of this browser has. What is kept in `storage` is sent
   * only by a client of the same user, and tabs share a connection only with those of the same user. Default: nobody.
   */
  readonly user?: string;
  /**
   * Where queued writes outlive a reload, as `localStorage`. Only writes that the server promises to do once are queued.
   * With a `token` it needs `user`. Default: nowhere.
   */
  readonly storage?: ClientStorage;
  /**
   * Told of errors that nobody else is told of. `stage` is `callback` where a listener or another callback of the
   * application threw, or rejected: that ends nothing here. It is `write` where a write was refused and nobody waits for
   * its promise, as after a reload: a `ProblemError`, `ConflictError` or `TypeError`, and `context.write` has what was
   * written. It is `connection`, once, where no message has come through a WebSocket for 2 s: the text says what may be
   * missing. It is `view` where the URL of a collection answers no list. What it throws itself is written to the console.
   * Default: all of it is.
   */
  readonly onError?: OnError;
  /**
   * Whether the tabs of a browser share one connection. They see the same, so they share where they are known to act for
   * the same user: those with the same `user`, or with the same name here; an empty one shares nothing. True without a
   * `user` says that everybody sees the same, and is refused beside a `token`. Default: `user`, where there is one; else
   * false.
   */
  readonly tabs?: boolean | string;
  /**
   * How requests are sent: those of `fetch` and all writes. With `socket`, they go over the WebSocket by which something is
   * followed, where that is open or being made, and over HTTP otherwise: one connection, and no CORS preflight. Their cookies
   * are then those with which it was opened. Not in a tab that shares another one's connection. Default: `http`.
   */
  readonly requests?: "http" | "socket";
  /** What another client's `dehydrate()` resolved to. Views begin with it and resume there. Default: nothing. */
  readonly initial?: Readonly<Record<string, HttpResponse>>;
  /** Sends requests. Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Opens WebSockets. Default: the platform's, or the package `ws` on a Node without. */
  readonly WebSocket?: WebSocketConstructor;
  /** Time and chance, for tests. Default: the platform's. */
  readonly clock?: ClientClock;
}

/** Options with their defaults. */
export interface ResolvedClientOptions {
  readonly base: URL;
  readonly token: TokenSource | undefined;
  readonly storage: ClientStorage | undefined;
  /** Empty where nobody is named. */
  readonly user: string;
  readonly onError: OnError;
  /** Who shares a connection; `undefined` where nobody does. */
  readonly tabs: string | undefined;
  readonly requests: "http" | "socket";
  readonly initial: Readonly<Record<string, HttpResponse>>;
  readonly fetch: typeof globalThis.fetch;
  readonly findWebSocket: typeof findWebSocket;
  readonly clock: ClientClock;
}

/** Checks options and fills in defaults. @throws TypeError */
export function resolveClientOptions(baseUrl: string | URL | undefined, options: ClientOptions): ResolvedClientOptions {
  const { token, user, storage, WebSocket } = options;
  const { tabs = user } = options;
  const { location } = globalThis as { location?: Location };
  const given = String(baseUrl ?? location?.origin ?? "");
  if (given === "" && !location) throw new TypeError("baseUrl is missing: outside a browser a URL is needed.");
  const base = URL.canParse(given, location?.href) && new URL(given, location?.href);
  if (!base || !/^https?:$/.test(base.protocol) || base.username || base.password)
    throw new TypeError(
      `baseUrl is ${JSON.stringify(given)}: an absolute URL is needed, http: or https:, without a user.`,
    );
  if (user !== undefined && (typeof user !== "string" || user === ""))
    throw new TypeError(`user is ${JSON.stringify(user)}: it names who the client acts for, or is left out.`);
  if (tabs === true && token !== undefined && user === undefined) {
    throw new TypeError(
      "tabs is true, and there is a token: give a name of the user, so that no other user's tab shares it.",
    );
  }
  if (storage && token !== undefined && user === undefined)
    throw new TypeError("There is a storage and a token: name the user, so that no other user sends what is kept.");
  const { requests = "http" } = options;
  if (requests !== "http" && requests !== "socket")
    throw new TypeError(`requests is ${JSON.stringify(requests)}: it is "http" or "socket".`);
  base.search = base.hash = "";
  base.pathname = `${trimEndOf(base.pathname, "/")}/`;
  return {
    base,
    token: typeof token === "string" ? () => token : token,
    storage,
    user: user ?? "",
    onError: options.onError ?? ((error, { write }) => console.error(...(write ? [error, write] : [error]))),
    tabs: tabs === true ? (user ?? "") : tabs || undefined,
    requests,
    initial: options.initial ?? {},
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    findWebSocket: WebSocket ? async () => WebSocket : findWebSocket,
    clock: options.clock ?? platformClock,
  };
}
