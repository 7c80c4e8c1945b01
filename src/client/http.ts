import { type Field, fieldValue, type HttpResponse, tokenExpiry } from "../protocol/index.ts";
import { targetOf } from "./target.ts";

/**
 * Gives a bearer token, or nothing where there is none to give.
 *
 * @param isRefused - true where the server refused the one that was given before, and where `renew()` asks for another
 */
export type TokenSource = (isRefused: boolean) => string | undefined | Promise<string | undefined>;

/** What plain requests need. */
export interface HttpOptions {
  /** An absolute `http:` or `https:` URL. */
  readonly base: URL;
  readonly fetch: typeof globalThis.fetch;
  readonly token: TokenSource | undefined;
}

/** Sends requests over HTTP with the client's credentials. */
export class Http {
  readonly base: URL;
  /** When the token in use ends, by the time of day; `undefined` where it doesn't say. */
  tokenEndsAt: number | undefined;
  /** Told of each other token. */
  onToken: () => void = () => {};
  readonly #options: HttpOptions;
  /** Read once: each reading of a URL's parts makes a new text of them. */
  readonly #parts: Pick<URL, "origin" | "pathname">;
  #token: Promise<string | undefined> | undefined;
  #known: string | undefined;
  /** What the token in use is shown as; `undefined` while another one is asked for. */
  #shown: string | undefined;

  constructor(options: HttpOptions) {
    const { origin, pathname } = options.base;
    this.base = options.base;
    this.#parts = { origin, pathname };
    this.#options = options;
  }

  /** The path and query of a URL of this origin, as they are sent. @throws TypeError where it is none */
  target(path: string): string {
    return targetOf(path, this.#parts);
  }

  /** True for what `target` gives. */
  isTarget(path: string): boolean {
    try {
      return this.target(path) === path;
    } catch {
      return false;
    }
  }

  /** The URL that is sent to. @throws TypeError where it is none of this origin */
  href(path: string): string {
    return this.#parts.origin + this.target(path);
  }

  /** What a link in an answer leads to, as `target` gives it; `undefined` where that is none of this origin. */
  linked(link: string, from: string): string | undefined {
    try {
      const { origin, pathname, search } = new URL(link, this.href(from));
      return origin === this.#parts.origin ? this.target(pathname + search) : undefined;
    } catch {
      return undefined;
    }
  }

  /** False where only cookies, or nothing, say who asks. */
  get hasToken(): boolean {
    return this.#options.token !== undefined;
  }

  /**
   * The value of `Authorization`; `undefined` where there is no token.
   *
   * @param refused - what the server refused, so that another one is asked for: once, however many were refused with it;
   * true asks in any case
   * @throws what the token's source throws
   */
  async authorization(refused: string | boolean = false): Promise<string | undefined> {
    const { token } = this.#options;
    if (!token) return undefined;
    const isRefused = refused === true || (refused !== false && refused === this.#shown);
    if (isRefused) this.#token = this.#shown = undefined;
    this.#token ??= Promise.resolve(isRefused).then(token);
    try {
      const value = await this.#token;
      if (value !== this.#known) this.#learn(value);
      this.#shown = value === undefined ? undefined : `Bearer ${value}`;
      return this.#shown;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  #learn(token: string | undefined): void {
    this.#known = token;
    this.tokenEndsAt = tokenExpiry(`Bearer ${token}`);
    this.onToken();
  }

  /** As the platform's `fetch`; credentials that are refused are asked for once more. */
  async fetch(path: string, init: RequestInit = {}, refused?: string | true): Promise<Response> {
    const { fetch, token } = this.#options;
    const headers = new Headers(init.headers);
    const authorization = await this.authorization(refused);
    if (authorization && !headers.has("authorization")) headers.set("Authorization", authorization);
    const response = await fetch(this.href(path), { ...init, headers });
    const isFinal = response.status !== 401 || refused !== undefined || !token || init.body instanceof ReadableStream;
    return isFinal ? response : this.fetch(path, init, authorization ?? true);
  }

  /** Sends a request and gives the answer as a message. */
  async ask(path: string, init?: RequestInit): Promise<HttpResponse> {
    return messageOf(await this.fetch(path, init));
  }
}

/** Reads an answer to its end. */
export async function messageOf(response: Response): Promise<HttpResponse> {
  const fields: Field[] = [...response.headers];
  const isText = /json|^text\//.test(fieldValue(fields, "content-type") ?? "");
  const body = isText ? await response.text() : new Uint8Array(await response.arrayBuffer());
  return { status: response.status, reason: response.statusText, fields, body };
}
