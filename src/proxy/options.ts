import type { ResolvedServerOptions, ServerOptions } from "../node/index.ts";
import { resolveServerOptions } from "../node/index.ts";
import type { DerivedOptions, HubLimits } from "../server/index.ts";
import { inRange } from "../server/inner.ts";

/** What a proxy stands before, and how. */
export interface ProxyOptions
  extends DerivedOptions,
    Pick<
      ServerOptions,
      | "allowOrigins"
      | "allowHosts"
      | "basePath"
      | "clock"
      | "drainMs"
      | "log"
      | "onError"
      | "requestFields"
      | "requestsInBand"
      | "tls"
    > {
  /** The API: scheme, host and port, as in `http://localhost:3000`. */
  readonly upstream: string;
  /**
   * What the API keeps, told to clients at `/.well-known/rocket` [R-WK-4]: `["idempotency-key"]` where it does a write once
   * that comes again with the same `Idempotency-Key`, and gives the first answer again. Clients then repeat writes whose
   * answer was lost. Default: nothing.
   */
  readonly promises?: readonly "idempotency-key"[];
  /**
   * Whether `/.well-known/rocket/inspector` is a page on which any URL of the API can be followed, with the wire beside it.
   * Default: unless `NODE_ENV` is `production`.
   */
  readonly page?: boolean;
  /** The hub's bounds; each has a default. */
  readonly limits?: Partial<HubLimits>;
  /** Bytes that a document may have to be followed. Default 8 MiB; 1 KiB to 1 GiB. More is refused with 413. */
  readonly maxDocumentBytes?: number;
  /**
   * Milliseconds that the upstream may take to begin its answer to a request that is passed through. Default 120,000;
   * 1,000 to 86,400,000. Then 504.
   */
  readonly upstreamTimeoutMs?: number;
  /**
   * Requests that the upstream is sent at once, and so connections to it; event streams and tunnels, one for each client
   * connection, come on top. Default 256; 1 to 100,000. 1,024 more wait; beyond that 503.
   */
  readonly maxUpstreamConnections?: number;
  /**
   * Milliseconds within which a body has to go on. In each such time a request's body brings at least 500 bytes per
   * second or ends (else 408), and an answer's brings something (else it is cut off), unless it is a stream by its type:
   * `text/event-stream`, `multipart/x-mixed-replace`, `application/x-ndjson`, `jsonl` or `json-seq`. Default 60,000;
   * 1,000 to 86,400,000.
   */
  readonly bodyTimeoutMs?: number;
  /**
   * The `Host` that the upstream is sent: the client's (`keep`), so that absolute links which it makes lead through the
   * proxy, or its own (`upstream`), as hosts that serve many names need it. Default: `upstream` where its scheme is
   * https, else `keep`.
   */
  readonly hostField?: "keep" | "upstream";
  /**
   * True where clients can't reach the proxy but through another one that sets `Forwarded` and `X-Forwarded-*`: then
   * these are passed on and added to. Default false: they are dropped, and made anew.
   */
  readonly trustForwarded?: boolean;
}

/** Proxy options with every default filled in; what concerns the hub is checked by the hub. */
export interface ResolvedProxyOptions extends ResolvedServerOptions {
  readonly upstream: URL;
  readonly maxDocumentBytes: number;
  readonly upstreamTimeoutMs: number;
  readonly maxUpstreamConnections: number;
  readonly bodyTimeoutMs: number;
  readonly hostField: "keep" | "upstream";
  readonly trustForwarded: boolean;
}

function parseUpstream(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url;
  throw new TypeError(
    `upstream: ${JSON.stringify(text)} is no origin. Give scheme, host and port only, as in "http://localhost:3000".`,
  );
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveProxyOptions(options: ProxyOptions): ResolvedProxyOptions {
  const upstream = parseUpstream(options.upstream);
  const { hostField = upstream.protocol === "https:" ? "upstream" : "keep", trustForwarded = false } = options;
  if (hostField !== "keep" && hostField !== "upstream") {
    throw new TypeError(`hostField must be "keep" or "upstream", not ${JSON.stringify(hostField)}.`);
  }
  const { page: _, ...others } = options;
  const { allowOrigins, allowHosts, basePath, drainMs, log } = resolveServerOptions({
    ...others,
    origin: () => Promise.reject(new Error("not asked")),
  });
  return {
    ...{ upstream, hostField, trustForwarded, allowOrigins, allowHosts, basePath, drainMs, log },
    maxBodyBytes: 0,
    maxDocumentBytes: inRange("maxDocumentBytes", options.maxDocumentBytes ?? 8 * 1024 * 1024, 1024, 1024 ** 3),
    upstreamTimeoutMs: inRange("upstreamTimeoutMs", options.upstreamTimeoutMs ?? 120_000, 1_000, 86_400_000),
    maxUpstreamConnections: inRange("maxUpstreamConnections", options.maxUpstreamConnections ?? 256, 1, 100_000),
    bodyTimeoutMs: inRange("bodyTimeoutMs", options.bodyTimeoutMs ?? 60_000, 1_000, 86_400_000),
  };
}
