import { AsyncResource } from "node:async_hooks";
import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { wellKnownPath } from "../../protocol/index.ts";
import { BasePath, createHub, type Hub, type HubCounts, type OriginResponse, systemClock } from "../../server/index.ts";
import { errorReporter } from "../../server/inner.ts";
import { isOwnPage } from "../access.ts";
import { ClientBounds } from "../client-bounds.ts";
import { ownPage } from "../page/page-desk.ts";
import { identityOf, peerOf } from "../peer.ts";
import { sha256 } from "../sha256.ts";
import { StreamsBeside } from "../streams-beside.ts";
import { TicketDesk, withoutTickets } from "../tickets/ticket-desk.ts";
import { UpgradeHandler } from "../upgrade.ts";
import { AttachAccess, type AttachAccessParts } from "./access.ts";
import { AppOrigin } from "./app-origin.ts";
import { Interception } from "./interception.ts";
import { type AttachOptions, type ResolvedAttachOptions, resolveAttachOptions } from "./options.ts";
import { connectionEventOf, listensOnLoopback } from "./server-kind.ts";
import { chooseTaker } from "./upgrade-choice.ts";
import { WriteWatch } from "./write-watch.ts";

/** An application that was made live. */
export interface Attachment {
  /** How many there are of what, for logs and status pages. */
  readonly counts: HubCounts;
  /**
   * Says that resources may have changed by another way than a request to this server: a job, another process, SQL.
   * Followers of these URLs, and of what is above and below, get what is new.
   *
   * @param url - a path, an absolute URL, or several
   * @throws TypeError where it is no URL
   */
  changed(url: string | readonly string[]): void;
  /**
   * Ends every subscription gracefully and leaves the server as it was. Closing the server does so, too. Twice is fine.
   */
  close(): Promise<void>;
}

/** How long followers may take to answer the closing handshake. */
const closeGraceMs = 1_000;

const attached = new WeakSet<Server>();

function checkUrls(urls: readonly unknown[]): void {
  const wrong = urls.find((url) => typeof url !== "string" || !/^(\/|https?:\/\/)/i.test(url));
  if (wrong === undefined) return;
  throw new TypeError(
    `url must be a path that begins with a slash, or an absolute http URL, not ${JSON.stringify(wrong)}.`,
  );
}

/** The target of the well-known URL without the base before it; `undefined` for any other. */
function bareTarget(target: string, bases: readonly BasePath[]): string | undefined {
  const bare = [target, ...bases.map((base) => base.remove(target))];
  return bare.find((one) => one.split("?")[0] === wellKnownPath);
}

/** What GETs of Rocket's own are answered with: of the well-known URL, and of the page. */
function ownAnswers(
  server: Server,
  parts: { readonly hub: Hub; readonly places: readonly BasePath[]; readonly isShown: boolean | undefined },
): (request: IncomingMessage) => OriginResponse | undefined {
  const { hub, places, isShown } = parts;
  const facts = { isLocal: () => listensOnLoopback(server), state: () => hub.state };
  const pages = places.map((basePath) => ownPage(isShown, basePath, facts));
  return (request) => {
    const { url = "" } = request;
    if (!url.includes(wellKnownPath)) return undefined;
    if (bareTarget(url, places) !== undefined) return hub.wellKnown();
    for (const page of pages) {
      const answer = page.answer(request);
      if (answer) return answer;
    }
    return undefined;
  };
}

/** What only the application's author can mend is not kept quiet. */
function warn(error: unknown, stage: string): void {
  if (stage === "records") process.emitWarning(String(error), "RocketWarning");
}

function accessTo(
  server: Server,
  parts: Pick<AttachAccessParts, "allowOrigins" | "allowHosts" | "onRefused">,
): AttachAccess {
  return new AttachAccess({
    ...parts,
    isLocal: () => listensOnLoopback(server),
    maxHeadersCount: () => (server as HttpServer).maxHeadersCount,
  });
}

/** One attached server: what passes through it, its hub, and the way into the application. */
class AttachedServer implements Attachment {
  readonly #server: Server;
  readonly #context: AsyncResource = new AsyncResource("RocketAttachment");
  readonly #origin: AppOrigin;
  readonly #hub: Hub;
  readonly #upgrades: UpgradeHandler;
  readonly #streams: StreamsBeside;
  readonly #interception: Interception;
  #closing: Promise<void> | undefined;

  constructor(server: Server, options: ResolvedAttachOptions) {
    const { paths, bases, allowOrigins, allowHosts, derived, limits, maxDocumentBytes, inBand } = options;
    const { page, promises, onError } = options;
    const reportError = errorReporter(onError, warn);
    const event = connectionEventOf(server);
    const context = this.#context;
    this.#server = server;
    this.#origin = new AppOrigin({ server, event, context, paths, maxDocumentBytes, reportError });
    const writes = new WriteWatch({
      isNeeded: () => hub.needsChanges,
      onWritten: (urls, writer) => context.runInAsyncScope(() => hub.changed(urls, writer)),
      reportError,
    });
    const places = [new BasePath(), ...bases];
    const hub = createHub({
      origin: withoutTickets((request) => {
        writes.seeAll();
        return this.#origin.ask(request);
      }, places),
      derived: { sha256, ...derived },
      identity: identityOf,
      hasStreams: true,
      ...{ ...inBand, promises, limits },
      onError: (error, { stage }) => reportError(error, stage),
    });
    this.#hub = hub;
    const onRefused = onError && ((error: Error): void => reportError(error, "access"));
    const access = accessTo(server, { allowOrigins, allowHosts, onRefused });
    const enter = (target: string): string => bareTarget(target, bases) ?? target;
    const tickets = new TicketDesk({
      ...{ hub, enter, peerOf, allowOrigins, credentialFields: inBand.requestFields },
      bases: places,
    });
    const bounds = new ClientBounds(hub.limits, systemClock);
    this.#upgrades = new UpgradeHandler({
      ...{ hub, access, tickets, bounds, maxMessageBytes: hub.limits.maxMessageBytes, reportError, peerOf },
      mayWrite: isOwnPage,
      // Only asked for other protocols than WebSocket, which it is never given.
      server: server as HttpServer,
    });
    const run = (action: () => void): void => context.runInAsyncScope(action);
    this.#streams = new StreamsBeside({
      ...{ hub, bounds, clock: systemClock, peerOf, identityOf, run, reportError },
      isFollowed: (target) => paths?.includes(target) ?? true,
      admit: (request) => access.admit(request),
    });
    this.#interception = new Interception({
      ...{ server, event, reportError, writes, streams: this.#streams },
      choose: (request, hasOthers) => chooseTaker(request, paths, hasOthers),
      onUpgrade: (request, socket, head) => {
        request.url = enter(request.url ?? "");
        run(() => this.#upgrades.handle(request, socket, head));
      },
      answerOwn: ownAnswers(server, { hub, places, isShown: page }),
      admit: (request) => context.runInAsyncScope(() => access.admit(request)),
      ...{ tickets, inContext: run },
      onClose: () => void this.close(),
    });
  }

  get counts(): HubCounts {
    return this.#hub.counts;
  }

  changed(url: string | readonly string[]): void {
    const urls = typeof url === "string" ? [url] : url;
    if (!Array.isArray(urls)) throw new TypeError(`url must be a string or several, not ${typeof urls}.`);
    checkUrls(urls);
    this.#context.runInAsyncScope(() => this.#hub.changed(urls));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#streams.close();
    await this.#hub.close();
    await Promise.all([this.#upgrades.ended(closeGraceMs), this.#streams.ended(closeGraceMs)]);
    this.#interception.stop();
    this.#origin.close();
    attached.delete(this.#server);
  }
}

/**
 * Makes an application live: every URL that it answers to a GET can be followed over a WebSocket, by whoever may GET it.
 * The application stays as it is; it is asked by requests of its own kind, with the follower's fields.
 *
 * @param server - what `app.listen()` or `http.createServer()` returns: an `http.Server`, an `https.Server`, or a secure
 * server of `http2` with `allowHTTP1`; before or after it listens
 * @throws RocketError `runtime-unsupported` on Bun; TypeError | RangeError where the server can't take WebSockets or was attached to already, and naming an
 * option and its value
 */
export function attach(server: Server, options: AttachOptions = {}): Attachment {
  const resolved = resolveAttachOptions(options);
  connectionEventOf(server);
  if (attached.has(server)) throw new TypeError("server was attached to already: once is enough.");
  const attachment = new AttachedServer(server, resolved);
  attached.add(server);
  return attachment;
}
