import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { type Dispatcher, Pool } from "undici";
import { exchangeCarefully } from "./careful.ts";
import type { ExchangeHandler, UpstreamBody, UpstreamRequest } from "./exchange.ts";

const maxHeadBytes = 64 * 1024;
const connectTimeoutMs = 10_000;

/** The API that the proxy stands before. */
export class Upstream {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly #pool: Pool;
  readonly #serverName: string | undefined;

  constructor(url: URL, timeoutMs: number) {
    this.url = url;
    this.timeoutMs = timeoutMs;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Else the client's Host would be the name that the certificate is checked for.
    this.#serverName = url.protocol === "https:" && isIP(host) === 0 ? host : undefined;
    this.#pool = new Pool(url.origin, {
      allowH2: false,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: 0,
      connectTimeout: connectTimeoutMs,
      maxHeaderSize: maxHeadBytes,
    });
  }

  /** Begins an exchange over a kept-alive connection. Never throws. */
  exchange(request: UpstreamRequest, handler: ExchangeHandler, body: UpstreamBody | null = null): void {
    const { method, target, fields, upgrade = null } = request;
    const servername = this.#serverName;
    const options =
      servername === undefined
        ? { method, path: target, headers: fields, body, upgrade }
        : { method, path: target, headers: fields, body, upgrade, servername };
    this.#pool.dispatch(options, handler as Dispatcher.DispatchHandler);
  }

  /** Begins an exchange that needs a connection of its own: with an expectation, with trailers, about the server itself. */
  exchangeCarefully(request: UpstreamRequest, source: IncomingMessage, handler: ExchangeHandler): void {
    exchangeCarefully(this, request, source, handler);
  }

  /** Ends all exchanges. Twice is fine. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
