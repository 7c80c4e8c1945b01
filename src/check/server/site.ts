import type { Transcript } from "../transcript.ts";
import type { Field } from "../wire/http.ts";
import type { Flaw } from "../wire/messages.ts";
import { type Address, addressOf } from "../wire/wire.ts";

/** Told of all that is wrong with what the server sends, in whichever case. */
export type Observe = (flaw: Flaw, transcript: Transcript) => void;

/** The server that is checked: what every case needs to reach it. */
export interface Site {
  readonly address: Address;
  /** The value of `Host`. */
  readonly host: string;
  /** Path and query of the resource. */
  readonly target: string;
  /** The path below which the server's clients see it; empty for the root. */
  readonly basePath: string;
  /** Sent with every request: credentials, for example. */
  readonly fields: readonly Field[];
  /** How long an answer may take. */
  readonly patienceMs: number;
  readonly observe: Observe;
}

/** A site at a URL. */
export function siteAt(url: URL, options: Pick<Site, "basePath" | "fields" | "patienceMs" | "observe">): Site {
  return { address: addressOf(url), host: url.host, target: url.pathname + url.search, ...options };
}

/** Where a server says what it is. */
export function wellKnownOf({ basePath }: Site): string {
  return `${basePath}/.well-known/rocket`;
}
