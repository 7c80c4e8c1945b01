import { domainToASCII } from "node:url";
import { BasePath, type HubOptions } from "../server/index.ts";
import { inRange } from "../server/inner.ts";
import { hostNameIn } from "./named-host.ts";
import type { PageFacts, PageKind } from "./page/page-options.ts";
import type { TlsCertificate } from "./tls.ts";

/** How a server is made: a hub's options and who may come in. */
export interface ServerOptions extends HubOptions {
  /**
   * Web origins beside the server's own whose pages may open WebSockets, write, and read answers (CORS):
   * `https://app.example.com`. Default none.
   */
  readonly allowOrigins?: readonly string[];
  /**
   * Host names, without port, that requests may name beside loopback ones when the server listens on loopback. Default
   * none. Elsewhere, a list given here is the whole list; without one, every name is served.
   */
  readonly allowHosts?: readonly string[];
  /**
   * A folder whose files are answered to GET and HEAD beside the origin's resources: a built front end. Its `index.html`
   * is the answer at `/`, and at any URL without an extension that neither the origin {@link owns} nor a file has, to
   * whoever prefers `text/html`. Names that begin with a dot, and links that lead out, are not served. Default none.
   */
  readonly publicFolder?: string;
  /**
   * Whether a target (path and query) is the origin's alone, so that no file of `publicFolder` is looked for, and nothing of
   * the server's own stands there. `/` is not asked about. Must not throw. Default: none is.
   */
  readonly owns?: (target: string) => boolean;
  /**
   * Whether a target that the origin {@link owns} is one for the {@link page} to show; at others browsers get what programs
   * get. Must not throw. Default: each is.
   */
  readonly shows?: (target: string) => boolean;
  /**
   * What keeps the server from doing its work, in a sentence for anybody; `undefined` where nothing does. Asked for `/readyz`,
   * which is answered then, and `/healthz`, unless the origin {@link owns} them. What it throws goes to `onError`, with the
   * stage `ready`, and is a 503. Default: it is always ready, and only `/.well-known/rocket/healthz` and `readyz` are answered.
   */
  readonly ready?: () => Promise<string | undefined>;
  /**
   * What browsers are shown where programs get data, by `Accept`: at `/`, and at what the origin {@link owns} and {@link shows}.
   * `inspector` shows what is there, live, and is at `/.well-known/rocket/inspector` as well; only there, beside a
   * `publicFolder`. Default `none`.
   */
  readonly page?: PageKind;
  /** What the page is told of what it is a page of. Default: nothing. */
  readonly pageFacts?: PageFacts;
  /**
   * The path below which clients see this server, as `/api`, where a front shows it so, whether that takes the path off
   * requests or not. The origin is asked for targets with it; the well-known URL and the files of `publicFolder` are below
   * it. Default: the root.
   */
  readonly basePath?: string;
  /**
   * A certificate and its key: then this is a server of `https:` and `wss:`, by HTTP/1.1 and, for who asks for it, by
   * HTTP/2, WebSockets included (RFC 8441). `renewCertificate` of the server takes another one. Default: plain HTTP/1.1.
   */
  readonly tls?: TlsCertificate;
  /** Bytes that a request's body may have over HTTP. Default 1 MiB; then 413. */
  readonly maxBodyBytes?: number;
  /** Milliseconds over which `close()` ends connections, fewer where there are few. Default 5,000; 0 to 600,000. */
  readonly drainMs?: number;
  /** Told what an operator can act on, a line each: a refused Origin and the option that allows it. Default: nothing is told. */
  readonly log?: (line: string) => void;
}

/** Server options with every default filled in. */
export interface ResolvedServerOptions {
  readonly allowOrigins: ReadonlySet<string>;
  readonly allowHosts: ReadonlySet<string>;
  readonly basePath: BasePath;
  readonly maxBodyBytes: number;
  readonly drainMs: number;
  readonly log: (line: string) => void;
}

/** A web origin in its usual spelling. @throws TypeError naming the option where it is none */
export function parseWebOrigin(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below, with the value.
  }
  if (!url || url.origin === "null" || url.origin.toLowerCase() !== text.toLowerCase().replace(/\/$/, "")) {
    throw new TypeError(
      `allowOrigins: ${JSON.stringify(text)} is no web origin. Give scheme, host and port only, as in "https://app.example.com".`,
    );
  }
  return url.origin;
}

/** A host name in the spelling that is compared. @throws TypeError naming the option where it is none */
export function parseAllowedHost(text: string): string {
  const name = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)$/i.test(text) ? hostNameIn(domainToASCII(text)) : undefined;
  if (name) return name;
  throw new TypeError(
    `allowHosts: ${JSON.stringify(text)} is no host name. Give it without scheme and port, as in "music.example.com".`,
  );
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  return {
    allowOrigins: new Set((options.allowOrigins ?? []).map(parseWebOrigin)),
    allowHosts: new Set((options.allowHosts ?? []).map(parseAllowedHost)),
    basePath: new BasePath(options.basePath),
    maxBodyBytes: inRange("maxBodyBytes", options.maxBodyBytes ?? 1024 * 1024, 1, 1024 * 1024 * 1024),
    drainMs: inRange("drainMs", options.drainMs ?? 5_000, 0, 600_000),
    log: options.log ?? (() => {}),
  };
}
