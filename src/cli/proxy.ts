import { once } from "node:events";
import { showsPageByDefault } from "../node/index.ts";
import { createProxy, type ProxyOptions } from "../proxy/index.ts";
import { CommandFailure, explain } from "./failure.ts";
import { listen } from "./listen.ts";
import { onOutputClosed, processOutput } from "./output.ts";
import { isLoopbackHost } from "./serve-options.ts";
import { onStopSignal } from "./signals.ts";
import { onCertificateSignal, readTlsFiles, type TlsOptions } from "./tls-files.ts";

/** What `rocket proxy` stands before, and how. */
export interface ProxyCommandOptions extends TlsOptions {
  /** Scheme, host and port of the API. */
  readonly upstream: string;
  /** Default 8080; 0 picks a free one. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** The path below which clients see the API. Default: the root. */
  readonly basePath?: string;
  /** Web origins beside the proxy's own whose pages may write and open WebSockets. Default none. */
  readonly allowOrigins?: readonly string[];
  /** Host names beside loopback ones under which it may be reached. Default none. */
  readonly allowHosts?: readonly string[];
  /** Whose `Host` the upstream is sent. Default the upstream's where its scheme is https, else the client's. */
  readonly hostField?: "keep" | "upstream";
  /** Whether `Forwarded` and `X-Forwarded-*` of the peer count. Default false. */
  readonly trustForwarded?: boolean;
  /** Whether what is answered without credentials is the same for everybody. Default false. */
  readonly shareAnonymous?: boolean;
  /** Whether the API does a write once that comes again with the same `Idempotency-Key`. Default false. */
  readonly idempotencyKeys?: boolean;
  /** Where records are, by the list's path as clients see it. Default: found by looking. */
  readonly records?: NonNullable<ProxyOptions["records"]>;
  /** Whether there is a page to look around. Default: unless `NODE_ENV` is `production`. */
  readonly page?: boolean;
  /** Seconds until what is followed is looked at without a write. Default 60. */
  readonly refresh?: number;
  /** Seconds that the upstream may take to begin an answer. Default 120. */
  readonly timeout?: number;
}

function introduce(url: string, { upstream, host = "127.0.0.1", page }: ProxyCommandOptions): string {
  const lines = [
    url,
    "",
    `Passes everything on to ${upstream}. Each URL there that answers a GET can be followed:`,
    `  rocket tail ${url}/…`,
    ...((page ?? showsPageByDefault())
      ? ["To look around, with a browser:", `  ${url}/.well-known/rocket/inspector`]
      : []),
  ];
  if (!isLoopbackHost(host)) lines.push("", `Everyone who can reach this machine can now reach ${upstream}.`);
  return `${lines.join("\n")}\n`;
}

/**
 * Runs `rocket proxy`: passes everything on to an API, and makes it live, until the process is asked to stop.
 *
 * @returns the exit code: 0 after a graceful stop, 1 after a failure
 */
export async function runProxy(options: ProxyCommandOptions): Promise<number> {
  const output = processOutput;
  // A proxy goes on when nobody reads its log any more.
  onOutputClosed(() => {});
  const { upstream, allowOrigins = [], allowHosts = [], hostField, basePath = "" } = options;
  const { trustForwarded = false, shareAnonymous = false, idempotencyKeys = false, records = {} } = options;
  const { refresh = 60, timeout = 120 } = options;
  const stop = new AbortController();
  const forget = [onStopSignal(() => stop.abort())];
  try {
    const tls = readTlsFiles(options);
    const server = createProxy({
      ...{ upstream, allowOrigins, allowHosts, trustForwarded, basePath, records },
      ...(hostField && { hostField }),
      ...(tls && { tls }),
      ...(options.page !== undefined && { page: options.page }),
      ...(shareAnonymous && { anonymous: "shared" }),
      ...(idempotencyKeys && { promises: ["idempotency-key"] }),
      refreshMs: refresh * 1_000,
      upstreamTimeoutMs: timeout * 1_000,
      log: (line) => output.note(`rocket: ${line}`),
      onError: (error, { stage }) => output.note(`rocket: ${stage}: ${explain(error)}`),
    });
    forget.push(onCertificateSignal(server, options, output.note));
    const url = (await listen(server, options)) + basePath;
    output.write(introduce(url, options));
    if (!stop.signal.aborted) await once(stop.signal, "abort");
    output.note("Stopping: every connection is told to come back later. Once more stops at once.");
    await server.close();
    return 0;
  } catch (error) {
    output.note(`rocket: ${explain(error)}`);
    return error instanceof CommandFailure ? error.exitCode : 1;
  } finally {
    for (const one of forget) one();
  }
}
