import type { IncomingMessage } from "node:http";
import { connect, isIP } from "node:net";
import { Client, type Dispatcher, Pool } from "undici";
import type { BasePath } from "../server/index.ts";
import { exchangeCarefully } from "./careful.ts";
import type { ExchangeControl, ExchangeHandler, UpstreamBody, UpstreamRequest } from "./exchange.ts";
import { BusyError } from "./failure.ts";
import { PlacedExchange } from "./placed-exchange.ts";
import { type FreePlace, Places } from "./places.ts";

const maxHeadBytes = 64 * 1024;
const connectTimeoutMs = 10_000;
/** How many exchanges may wait for a connection. */
const mostWaiting = 1_024;

function ignore(): void {}

/** The control of an exchange that was not begun. */
const idle: ExchangeControl = { abort: ignore, pause: ignore, resume: ignore, rawHeaders: [], rawTrailers: [] };

/** A request that can't be written as HTTP: the client's own mistake, as undici has it. */
class Unsendable extends Error {
  readonly code = "UND_ERR_INVALID_ARG";

  constructor(cause: unknown) {
    super("The request can't be passed on.", { cause });
  }
}

/** The API that the proxy stands before. */
export class Upstream {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly #pool: Pool;
  readonly #fresh: Set<Client> = new Set();
  readonly #places: Places;
  readonly #basePath: BasePath;
  readonly #serverName: string | undefined;

  /**
   * @param mostConnections - how many exchanges may run at once, streams and tunnels not counted
   * @param basePath - what clients have before the upstream's own paths
   */
  constructor(url: URL, timeoutMs: number, mostConnections: number, basePath: BasePath) {
    this.url = url;
    this.#basePath = basePath;
    this.timeoutMs = timeoutMs;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Else the client's Host would be the name that the certificate is checked for.
    this.#serverName = url.protocol === "https:" && isIP(host) === 0 ? host : undefined;
    this.#places = new Places(mostConnections, mostWaiting);
    this.#pool = new Pool(url.origin, this.#connectionOptions);
  }

  get #connectionOptions(): Client.Options {
    return {
      allowH2: false,
      pipelining: 1,
      headersTimeout: this.timeoutMs,
      bodyTimeout: 0,
      connectTimeout: connectTimeoutMs,
      maxHeaderSize: maxHeadBytes,
    };
  }

  /** Begins an exchange over a kept-alive connection, when there is a place for it. Never throws. */
  exchange(request: UpstreamRequest, handler: ExchangeHandler, body: UpstreamBody | null = null): void {
    this.#place(handler, (placed) => this.#dispatch(this.#pool, request, placed, body));
  }

  /** As `exchange`, over a connection that nothing was sent on before. */
  #exchangeAnew(request: UpstreamRequest, handler: ExchangeHandler, body: UpstreamBody | null = null): void {
    this.#place(handler, (placed) => {
      const client = new Client(this.url.origin, this.#connectionOptions);
      this.#fresh.add(client);
      this.#dispatch(client, request, placed, body);
      // It ends once the exchange is over.
      const forget = (): unknown => this.#fresh.delete(client);
      client.close().then(forget, forget);
    });
  }

  /** Sends again what a connection was lost for, `left` times more if need be. */
  repeat(left: number, request: UpstreamRequest, handler: ExchangeHandler, body: UpstreamBody | null = null): void {
    if (left > 0) this.exchange(request, handler, body);
    else this.#exchangeAnew(request, handler, body);
  }

  #dispatch(over: Dispatcher, request: UpstreamRequest, placed: ExchangeHandler, body: UpstreamBody | null): void {
    const { method, fields, upgrade = null } = request;
    const path = this.#basePath.remove(request.target);
    const servername = this.#serverName;
    const options = { method, path, headers: fields, body, upgrade, ...(servername !== undefined && { servername }) };
    over.dispatch(options, placed as Dispatcher.DispatchHandler);
  }

  /**
   * Begins an exchange that needs a connection of its own: with an expectation, with trailers, about the server itself.
   * Never throws.
   */
  exchangeCarefully(request: UpstreamRequest, source: IncomingMessage, handler: ExchangeHandler): void {
    const target = this.#basePath.remove(request.target);
    this.#place(handler, (placed) => exchangeCarefully(this, { ...request, target }, source, placed));
  }

  #place(handler: ExchangeHandler, begin: (placed: ExchangeHandler) => void): void {
    const isTaken = this.#places.take((free: FreePlace) => {
      const placed = new PlacedExchange(handler, free);
      try {
        begin(placed);
      } catch (error) {
        placed.onResponseError(idle, new Unsendable(error));
      }
    });
    if (!isTaken) handler.onResponseError(idle, new BusyError());
  }

  /** Whether a connection to it comes about. Nothing is asked over it. */
  isReached(): Promise<boolean> {
    const { hostname, port, protocol } = this.url;
    const place = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (protocol === "https:" ? 443 : 80) };
    return new Promise((resolve) => {
      const socket = connect({ ...place, timeout: connectTimeoutMs });
      const end = (isReached: boolean): void => {
        socket.destroy();
        resolve(isReached);
      };
      socket.once("connect", () => end(true));
      socket.once("error", () => end(false));
      socket.once("timeout", () => end(false));
    });
  }

  /** Ends all exchanges. Twice is fine. */
  async close(): Promise<void> {
    await Promise.all([this.#pool, ...this.#fresh].map((one) => one.destroy()));
  }
}
