import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { createProblem, problemResponse } from "../../protocol/index.ts";
import type { HubCounts } from "../../server/index.ts";
import { listensOnLoopback } from "../attach/server-kind.ts";
import type { ServerOptions } from "../options.ts";
import { Pipelines } from "../pipelines.ts";
import { mostFieldsOf } from "../request-target.ts";
import { sendAnswer } from "../send-answer.ts";
import { createServing, type Serving } from "../serving.ts";
import { Tap, type Tapped } from "../tap.ts";
import type { UpgradeHandler } from "../upgrade.ts";
import { isBelow, isMounted, noteMount } from "./mounts.ts";

/** What can be mounted: an origin below a path, with its journal. A scaffold is one that has a `basePath`. */
export type Mountable = Pick<
  ServerOptions,
  "basePath" | "derived" | "journal" | "origin" | "owns" | "promises" | "ready" | "revocations"
>;

/** How something is mounted. Nothing here is needed. */
export interface MountOptions
  extends Pick<
    ServerOptions,
    | "allowHosts"
    | "allowOrigins"
    | "drainMs"
    | "limits"
    | "maxBodyBytes"
    | "onError"
    | "refreshMs"
    | "requestFields"
    | "requestsInBand"
  > {
  /**
   * How requests come: `taken`, before the application sees them; or `handled`, by {@link Mount.handle}, behind what the
   * application has before that. WebSockets are taken in both cases. Default `taken`.
   */
  readonly requests?: "taken" | "handled";
}

/** Something that is mounted on a server. */
export interface Mount {
  /** How many there are of what, for logs and status pages. */
  readonly counts: HubCounts;
  /**
   * Answers a request, with `requests: "handled"`: `app.use("/api", api.handle)` in Express. Its body must not have been read:
   * put what parses bodies behind it. Never throws.
   */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Ends every connection gracefully, and leaves the server as it was. Closing the server does so, too. What is mounted is not
   * closed. Twice is fine.
   */
  close(): Promise<void>;
}

/** How long peers may take to answer the closing handshake. */
const closeGraceMs = 1_000;

function requireServer(server: NetServer): asserts server is HttpServer {
  if (server instanceof HttpServer) return;
  const isSecure = server instanceof TlsServer && "headersTimeout" in server;
  if (isSecure && !/^Http2/.test(server.constructor.name)) return;
  throw new TypeError(
    "server must be one of node:http or node:https, as app.listen() or http.createServer() returns it.",
  );
}

/** The whole URL of a request, of which frameworks take off what they have matched. */
function originalUrl(request: IncomingMessage): string {
  const { originalUrl: original } = request as { readonly originalUrl?: unknown };
  return typeof original === "string" ? original : (request.url ?? "/");
}

class ServerMount implements Mount {
  readonly #server: HttpServer;
  readonly #serving: Serving;
  readonly #upgrades: UpgradeHandler;
  readonly #tap: Tap;
  readonly #pipelines: Pipelines = new Pipelines();
  readonly #isTaking: boolean;
  readonly #forget: () => void;
  #closing: Promise<void> | undefined;

  constructor(server: HttpServer, { requests = "taken", ...options }: ServerOptions & MountOptions) {
    if (requests !== "taken" && requests !== "handled") {
      throw new TypeError(`requests must be "taken" or "handled", not ${JSON.stringify(requests)}.`);
    }
    this.#server = server;
    this.#isTaking = requests === "taken";
    this.#serving = createServing(options);
    const { basePath } = this.#serving.resolved;
    if (basePath.text === "")
      throw new TypeError('basePath is missing: give the scaffold one, as in basePath: "/api".');
    if (isMounted(server, { url: basePath.text }))
      throw new TypeError(`Something is mounted at ${basePath.text} already.`);
    this.#upgrades = this.#serving.upgradesOf(server);
    this.#forget = noteMount(server, basePath);
    this.#tap = new Tap({ server, before: (tapped) => this.#before(tapped), onClose: () => void this.close() });
  }

  get counts(): HubCounts {
    return this.#serving.hub.counts;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    request.url = originalUrl(request);
    const { listener, reportError } = this.#serving;
    this.#settle();
    if (request.readableDidRead) {
      const told = `${request.method} ${request.url}: its body was read before handle() got it. Put what parses bodies behind it.`;
      reportError(new Error(told), "mount");
      sendAnswer(response, problemResponse(createProblem(500, "The request could not be answered.")));
      return;
    }
    this.#pipelines.enter(request, response, () => listener.handle(request, response));
  };

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** True where an event is for what is mounted. */
  #before({ event, parameters, isOther }: Tapped): boolean {
    if (event !== "request" && event !== "checkContinue" && event !== "upgrade") return false;
    const [request, response] = parameters as [IncomingMessage, ServerResponse];
    const { basePath } = this.#serving.resolved;
    if (!isBelow(basePath, request)) return false;
    if (event === "upgrade") return !isOther && this.#upgrade(...(parameters as [IncomingMessage, Socket, Buffer]));
    if (!this.#isTaking) return false;
    if (event === "checkContinue") response.writeContinue();
    this.handle(request, response);
    return true;
  }

  /** What the application may have set since. */
  #settle(): void {
    const { access } = this.#serving;
    access.isLocal = listensOnLoopback(this.#server);
    access.mostFields = mostFieldsOf(this.#server.maxHeadersCount);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    this.#settle();
    try {
      this.#upgrades.handle(request, socket, head);
    } catch (error) {
      this.#serving.reportError(error, "upgrade");
      socket.destroy();
    }
    return true;
  }

  async #end(): Promise<void> {
    const { hub, resolved, onClosing } = this.#serving;
    onClosing();
    await hub.close(resolved.drainMs);
    await this.#upgrades.ended(closeGraceMs);
    this.#tap.stop();
    this.#forget();
  }
}

/**
 * Mounts a scaffold below its `basePath` on the server of an application: requests and WebSockets there are the scaffold's, and all
 * else is the application's, as before. {@link attach} may make that live on the same server, before or after.
 *
 * @param server - what `app.listen()` or `http.createServer()` returns: an `http.Server` or `https.Server`, before or after it listens
 * @param mounted - what is mounted: a scaffold with a `basePath`. It is not closed with the server
 * @throws RocketError `runtime-unsupported` on Bun; TypeError | RangeError naming the option and its value
 */
export function mount(server: NetServer, mounted: Mountable, options: MountOptions = {}): Mount {
  requireServer(server);
  const { basePath, derived, journal, origin, owns, promises, ready, revocations } = mounted;
  const given = { basePath, derived, journal, origin, owns, promises, ready, revocations };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return new ServerMount(server, { ...(known as Mountable), ...options });
}
