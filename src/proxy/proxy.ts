import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  Access,
  type AddressedRequest,
  asksBeside,
  type ClientAddress,
  ClientBounds,
  createHost,
  createWebServer,
  deadlineOptions,
  HealthDesk,
  type HealthOptions,
  inBandOrigin,
  isOwnPage,
  openEntrances,
  ownPage,
  type PageDesk,
  type RocketServer,
  StreamsBeside,
  type StreamsBesideParts,
  sendAnswer,
  sha256,
  TicketDesk,
  type TicketDeskParts,
  UpgradeHandler,
} from "../node/index.ts";
import { chooseStream, wellKnownPath } from "../protocol/index.ts";
import { type BasePath, createHub, type Hub, type HubOptions, systemClock } from "../server/index.ts";
import { errorReporter } from "../server/inner.ts";
import { clientAddress } from "./client-address.ts";
import { refuseConnectionAuth } from "./connection-auth.ts";
import { Health } from "./failure.ts";
import { type Hop, pairs } from "./fields.ts";
import { Forwarding, type ForwardingParts, identityOf, peerOf } from "./forwarding.ts";
import { type ProxyOptions, resolveProxyOptions } from "./options.ts";
import { createProxyOrigin } from "./origin.ts";
import { ProxyUpgrades } from "./upgrades.ts";
import { Upstream } from "./upstream.ts";
import type { WriteListener } from "./write-watch.ts";

const serverOptions = { ...deadlineOptions, requestTimeout: 0, maxHeaderSize: 64 * 1024 };

function isStream({ rawHeaders }: IncomingMessage): boolean {
  return chooseStream(pairs(rawHeaders)) !== undefined;
}

/** Where tickets are asked for, and what for. */
function placeOf(basePath: BasePath): Pick<TicketDeskParts, "bases" | "enter"> {
  return { bases: [basePath], enter: (target) => basePath.enter(target) };
}

/** What answers beside what is passed on. */
interface Desks {
  readonly hub: Hub;
  readonly access: Access;
  readonly tickets: TicketDesk;
  readonly streams: StreamsBeside;
  readonly health: HealthDesk;
  readonly page: PageDesk;
}

type AddressOf = (request: AddressedRequest) => ClientAddress;

/** Answers what is the proxy's own, refuses what may not come in, and passes all else on. */
class RequestHandler {
  isClosing = false;
  readonly #parts: ForwardingParts;
  readonly #hub: Hub;
  readonly #access: Access;
  readonly #tickets: TicketDesk;

  readonly #streams: StreamsBeside;
  readonly #health: HealthDesk;
  readonly #page: PageDesk;

  constructor(parts: ForwardingParts, { hub, access, tickets, streams, health, page }: Desks) {
    this.#parts = parts;
    this.#health = health;
    this.#page = page;
    this.#hub = hub;
    this.#access = access;
    this.#tickets = tickets;
    this.#streams = streams;
  }

  close(): void {
    this.isClosing = true;
    this.#health.isClosing = true;
    this.#streams.close();
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.isClosing) response.shouldKeepAlive = false;
    const asked = this.#health.answer(request);
    if (asked) {
      void asked.then((answer) => sendAnswer(response, answer)).catch(() => response.destroy());
      return;
    }
    const tickets = this.#tickets;
    const isTicketed = tickets.isPresented(request);
    const refusal = this.#access.admit(request, isTicketed) ?? refuseConnectionAuth(request.rawHeaders);
    const page = refusal ? undefined : this.#page.answer(request);
    const ticket = refusal ?? (isTicketed ? tickets.redeem(request, isStream(request)) : undefined);
    if (page) sendAnswer(response, page);
    else if (typeof ticket === "object") sendAnswer(response, ticket);
    else if (tickets.isAt(request)) void tickets.serve(request, response).catch(() => response.destroy());
    else if (this.#isWellKnown(request)) sendAnswer(response, this.#hub.wellKnown());
    else this.#forward(request, response);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    let forwarding: Forwarding | undefined;
    const proceed = (): void => {
      forwarding = new Forwarding(this.#parts, request, response);
      forwarding.start();
    };
    const dropped = (): void => forwarding?.drop();
    if (!asksBeside(request) || !this.#streams.see(request, response, { proceed, dropped })) proceed();
  }

  #isWellKnown({ method, url = "" }: IncomingMessage): boolean {
    return url.startsWith(wellKnownPath) && url.split("?")[0] === wellKnownPath && /^(?:GET|HEAD)$/.test(method ?? "");
  }
}

/** What of the options is the hub's, as far as it was given. */
function givenOf({
  limits,
  clock,
  requestFields,
  requestsInBand,
  promises,
}: ProxyOptions): Pick<HubOptions, "clock" | "limits" | "promises" | "requestFields" | "requestsInBand"> {
  return {
    ...(limits && { limits }),
    ...(clock && { clock }),
    ...(promises && { promises }),
    ...(requestFields && { requestFields }),
    ...(requestsInBand !== undefined && { requestsInBand }),
  };
}

function streamsOf({
  access,
  ...parts
}: Omit<StreamsBesideParts, "admit" | "identityOf" | "isFollowed" | "peerOf" | "run"> & {
  readonly access: Access;
}): StreamsBeside {
  return new StreamsBeside({
    ...parts,
    ...{ peerOf, identityOf },
    isFollowed: () => true,
    admit: (request) => access.admit(request, true),
    run: (action) => action(),
  });
}

function questionsOf(upstream: Upstream, parts: Pick<HealthOptions, "basePath" | "clock" | "reportError">): HealthDesk {
  const trouble = async (): Promise<string | undefined> =>
    (await upstream.isReached()) ? undefined : "The upstream can't be reached.";
  return new HealthDesk({ ...parts, hasShortUrls: false, trouble });
}

/**
 * Makes a reverse proxy that passes everything through to an API, and makes every URL that can be read with GET live.
 *
 * @throws RocketError `runtime-unsupported` on Bun; TypeError | RangeError naming the option and its value
 */
export function createProxy(options: ProxyOptions): RocketServer {
  const resolved = resolveProxyOptions(options);
  const reportError = errorReporter(options.onError, (error, stage) => {
    // What only the operator can mend is not kept quiet.
    if (stage === "records") resolved.log(String(error));
  });
  const { upstream: url, hostField, basePath, trustForwarded, drainMs, maxDocumentBytes } = resolved;
  const via = `1.1 rocket-${randomBytes(6).toString("hex")}`;
  const hop: Hop = { via, trustForwarded, basePath, ...(hostField === "upstream" && { host: url.host }) };
  const upstream = new Upstream(url, resolved.upstreamTimeoutMs, resolved.maxUpstreamConnections, basePath);
  const outages = new Health(url.origin, resolved.log);
  const staleness: WriteListener = {
    isHeard: () => hub.needsChanges,
    changed: (urls, writer) => hub.changed(urls, writer),
  };
  const parts: ForwardingParts = { upstream, hop, health: outages, staleness, bodyTimeoutMs: resolved.bodyTimeoutMs };
  const origin = createProxyOrigin({ ...parts, maxDocumentBytes });
  const hub: Hub = createHub({
    origin: inBandOrigin({ origin, wellKnown: () => hub.wellKnown(), basePath }),
    derived: { sha256, ...options },
    identity: identityOf,
    hasStreams: true,
    ...givenOf(options),
    onError: (error, { stage }) => reportError(error, stage),
  });
  const access = new Access(resolved);
  const { tls, clock, requestFields: credentialFields } = options;
  const addressOf: AddressOf = (request) => clientAddress(request, trustForwarded);
  const place = placeOf(basePath);
  const tickets = new TicketDesk({ ...resolved, ...place, addressOf, hub, peerOf, clock, credentialFields });
  const bounds = new ClientBounds(hub.limits, clock ?? systemClock);
  const streams = streamsOf({ hub, clock: clock ?? systemClock, bounds, addressOf, access, reportError });
  const health = questionsOf(upstream, { basePath, clock: clock ?? systemClock, reportError });
  const page = ownPage(options.page, basePath, { isLocal: () => access.isLocal, state: () => hub.state });
  const handler = new RequestHandler(parts, { hub, access, tickets, streams, health, page });
  const { server, sessions } = createWebServer({ ...serverOptions, tls, clock, reportError });
  const { maxMessageBytes } = hub.limits;
  const rocket = new UpgradeHandler({
    ...{ server, hub, access, tickets, maxMessageBytes, reportError, peerOf },
    mayWrite: isOwnPage,
    ...{ bounds, addressOf },
  });
  const upgrades = new ProxyUpgrades({ ...parts, hub, access, tickets, rocket });
  openEntrances(server, {
    onRequest: (request, response) => handler.handle(request, response),
    onUpgrade: (request, socket, head) => upgrades.handle(request, socket, head),
    takesExpectations: true,
    reportError,
  });
  const onClosing = () => handler.close();
  const { sockets } = rocket;
  const host = createHost({ server, sessions, hub, access, sockets, drainMs, clock, reportError, onClosing });
  return {
    ...host,
    async close() {
      await host.close();
      await upstream.close();
    },
  };
}
