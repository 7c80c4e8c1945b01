import { createHub, type Hub, type OriginResponse, systemClock } from "../server/index.ts";
import { errorReporter } from "../server/inner.ts";
import { Access } from "./access.ts";
import { ClientBounds } from "./client-bounds.ts";
import { deadlineOptions } from "./deadlines.ts";
import { openEntrances } from "./entrances.ts";
import { HealthDesk } from "./health.ts";
import { createHost, type RocketServer } from "./host.ts";
import { HttpListener } from "./http-listener.ts";
import { inBandOrigin, ownOrigin } from "./in-band-origin.ts";
import { LongPolls } from "./long-polls.ts";
import { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from "./options.ts";
import { PageDesk } from "./page/page-desk.ts";
import { pageKinds } from "./page/page-options.ts";
import { identityOf, peerOf } from "./peer.ts";
import { PublicFolder } from "./public-folder.ts";
import { sha256 } from "./sha256.ts";
import { StreamHandler } from "./stream-handler.ts";
import { TicketDesk } from "./tickets/ticket-desk.ts";
import { UpgradeHandler } from "./upgrade.ts";
import { createWebServer } from "./web-server.ts";

const requestTimeoutMs = 30_000;

function healthOf(
  { ready, owns, clock = systemClock }: ServerOptions,
  { basePath }: ResolvedServerOptions,
  reportError: (error: unknown, stage: string) => void,
): HealthDesk {
  return new HealthDesk({ basePath, hasShortUrls: ready !== undefined, owns, trouble: ready, clock, reportError });
}

function pageOf(
  { page: kind = "none", pageFacts: facts, publicFolder, owns = () => false }: ServerOptions,
  { basePath }: ResolvedServerOptions,
  access: Access,
  state: () => object,
): PageDesk {
  if (!pageKinds.includes(kind))
    throw new TypeError(`page must be one of ${pageKinds.join(", ")}, not ${JSON.stringify(kind)}.`);
  const isLocal = (): boolean => access.isLocal;
  // A front end has the root, and pages of its own.
  const isAtResources = publicFolder === undefined;
  return new PageDesk({ kind, facts, basePath, isAtResources, owns, isLocal, state });
}

/**
 * Makes a server over an origin and its journal: plain HTTP goes to the origin, WebSockets to the hub.
 *
 * @throws RocketError `runtime-unsupported` on Bun; TypeError | RangeError naming the option and its value
 */
export function createServer(options: ServerOptions): RocketServer {
  const resolved = resolveServerOptions(options);
  const reportError = errorReporter(options.onError, (error, stage) => {
    // What only the operator can mend is not kept quiet.
    if (stage === "records") resolved.log(String(error));
  });
  const access = new Access(resolved);
  const { basePath, maxBodyBytes } = resolved;
  const { origin, publicFolder: path, owns = () => false } = options;
  const publicFolder = path === undefined ? undefined : new PublicFolder({ path, owns, basePath, reportError });
  const wellKnown = (): OriginResponse => hub.wellKnown();
  const hub: Hub = createHub({
    identity: identityOf,
    ...options,
    origin: inBandOrigin({ origin, wellKnown, basePath, carryOut: ownOrigin(origin, maxBodyBytes) }),
    hasStreams: true,
    onError: (error, { stage }) => reportError(error, stage),
    ...(options.derived && { derived: { sha256, ...options.derived } }),
  });
  const { tls, clock } = options;
  const bounds = new ClientBounds(hub.limits, clock ?? systemClock);
  const following = { hub, bounds, clock: clock ?? systemClock, reportError, peerOf };
  const streams = new StreamHandler(following);
  const polls = new LongPolls({ ...following, identityOf });
  const { requestFields: credentialFields } = options;
  const tickets = new TicketDesk({
    ...{ ...resolved, hub, peerOf, credentialFields, clock },
    ...{ bases: [basePath], enter: (target) => basePath.enter(target) },
  });
  const followsAll = options.derived !== undefined;
  const health = healthOf(options, resolved, reportError);
  const page = pageOf(options, resolved, access, () => hub.state);
  const answering = { origin, hub, access, streams, polls, tickets, followsAll, publicFolder, reportError };
  const listener = new HttpListener({ ...resolved, ...answering, health, page });
  const requestTimeout = requestTimeoutMs;
  const { server, sessions } = createWebServer({ ...deadlineOptions, requestTimeout, tls, clock, reportError });
  const maxMessageBytes = hub.limits.maxMessageBytes;
  const upgrades = new UpgradeHandler({ server, hub, access, tickets, bounds, maxMessageBytes, reportError, peerOf });
  openEntrances(server, {
    onRequest: (request, response) => listener.handle(request, response),
    onUpgrade: (request, socket, head) => upgrades.handle(request, socket, head),
    reportError,
  });
  const onClosing = () => {
    listener.isClosing = true;
    health.isClosing = true;
  };
  const { drainMs } = resolved;
  const { sockets } = upgrades;
  return createHost({ server, sessions, hub, access, sockets, drainMs, clock, reportError, onClosing });
}
