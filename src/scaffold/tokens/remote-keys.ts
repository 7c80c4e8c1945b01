import { createRemoteJWKSet, type JWTVerifyGetKey, type RemoteJWKSet } from "jose";
import { RocketError } from "../../protocol/index.ts";
import type { Clock } from "../../server/index.ts";
import { unavailable } from "../rest/refusal.ts";

/** Keys that are older are asked for again. */
const maxAgeMs = 10 * 60 * 1_000;
/** So long after an attempt there is no other one: neither for a key that nobody knows, nor for a server that is away. */
const pauseMs = 30_000;
/** The same where there are no keys at all yet. */
const firstPauseMs = 2_000;
/** How long an attempt may take. */
const timeoutMs = 5_000;

/** What keys are asked for with. */
export interface RemoteKeysOptions {
  readonly url: URL;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

/**
 * The keys at a URL. They are kept, and asked for again now and then, and once for a key that is not among them. While that
 * fails, those that are known count.
 */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  readonly #set: RemoteJWKSet;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    // When it looks is decided here.
    const never = { cooldownDuration: Number.POSITIVE_INFINITY, cacheMaxAge: Number.POSITIVE_INFINITY };
    this.#set = createRemoteJWKSet(options.url, { ...never, timeoutDuration: timeoutMs });
  }

  /** Finds the key that a token names. @throws JOSEError where there is none; Refusal 503 where no keys are known */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#options.clock.now() - this.#loadedAt >= maxAgeMs) await this.#load();
    if (!this.#set.jwks()) throw unavailable("The keys of tokens can't be had just now.");
    try {
      return await this.#set(header, token);
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== "ERR_JWKS_NO_MATCHING_KEY") throw error;
      await this.#load();
      return this.#set(header, token);
    }
  };

  /** Asks for the keys, unless that was done a moment ago. Never rejects. */
  #load(): Promise<void> {
    const { clock, url, reportError } = this.#options;
    const pause = this.#set.jwks() ? pauseMs : firstPauseMs;
    if (this.#loading) return this.#loading;
    if (clock.now() - this.#triedAt < pause) return Promise.resolve();
    this.#triedAt = clock.now();
    this.#loading = this.#set
      .reload()
      .then(
        () => {
          this.#loadedAt = clock.now();
        },
        (cause: unknown) => {
          const reason = cause instanceof Error ? cause.message : String(cause);
          const message = `The keys at ${url.href} can't be had: ${reason.replace(/\.$/, "")}.`;
          reportError(new RocketError("keys-unreachable", message, { cause }), "keys");
        },
      )
      .finally(() => {
        this.#loading = undefined;
      });
    return this.#loading;
  }
}
