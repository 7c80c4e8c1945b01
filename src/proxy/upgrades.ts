import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Access, sendAnswer, type TicketDesk, type UpgradeHandler } from "../node/index.ts";
import {
  createProblem,
  type HttpResponse,
  offeredSubprotocols,
  problemResponse,
  subprotocolName,
} from "../protocol/index.ts";
import type { Hub } from "../server/index.ts";
import { refuseConnectionAuth } from "./connection-auth.ts";
import { upstreamFields } from "./fields.ts";
import { Forwarding, type ForwardingParts, peerOf } from "./forwarding.ts";
import { hasBody } from "./request-body.ts";
import { Tunnel } from "./tunnel.ts";

/** What upgrades need. */
export interface ProxyUpgradesParts extends ForwardingParts {
  readonly hub: Hub;
  readonly access: Access;
  readonly tickets: TicketDesk;
  /** Takes what is Rocket's own. */
  readonly rocket: UpgradeHandler;
}

/** How long an upstream may take to say whether a WebSocket without a subprotocol is its own. */
const askMs = 5_000;

/** True where every offered subprotocol is Rocket's, or `rocket.v1` is among them. */
function isRocket(offered: readonly string[]): boolean {
  if (offered.includes(subprotocolName)) return true;
  return offered.length > 0 && offered.every((name) => name.startsWith("rocket."));
}

/** A response on a connection that asked for another protocol: the last one there. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.on("finish", () => socket.destroySoon());
  response.assignSocket(socket);
  return response;
}

/**
 * Sorts upgrades: a WebSocket that offers `rocket.v1` is Rocket's; one that offers other subprotocols is the
 * upstream's; one that offers none is the upstream's where the upstream takes it, else Level 0. Other protocols are the
 * upstream's, too, but for `h2c`: it would hide requests from the proxy.
 */
export class ProxyUpgrades {
  readonly #parts: ProxyUpgradesParts;

  constructor(parts: ProxyUpgradesParts) {
    this.#parts = parts;
  }

  /** Handles one `upgrade` event. Never throws. */
  handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { rocket } = this.#parts;
    const protocol = request.headers.upgrade?.toLowerCase() ?? "";
    const offered =
      protocol === "websocket" ? offeredSubprotocols(request.headers["sec-websocket-protocol"]) : undefined;
    const isPlain = !offered && (/^(?:h2c?|tls|http)\b/.test(protocol) || hasBody(request));
    // What is no WebSocket is given back to the server as plain HTTP.
    if (isPlain || (offered && isRocket(offered))) rocket.handle(request, socket, head);
    else this.#tunnel(request, socket, head, offered?.length === 0);
  }

  #tunnel(request: IncomingMessage, socket: Socket, head: Buffer, isOpen: boolean): void {
    const { rocket, upstream, hop } = this.#parts;
    rocket.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => rocket.sockets.delete(socket));
    const refusal = this.#refuse(request);
    if (refusal) {
      sendAnswer(responseOn(request, socket), refusal);
      return;
    }
    const upgrade = request.headers.upgrade ?? "";
    const fields = upstreamFields(request.rawHeaders, peerOf(request), hop);
    const sent = { method: request.method ?? "GET", target: request.url ?? "/", fields, upgrade };
    if (isOpen) {
      const otherwise = () => rocket.handle(request, socket, head);
      upstream.exchange(sent, new Tunnel(request, socket, head, { kind: "otherwise", otherwise, waitMs: askMs }));
    } else {
      const answer = () => new Forwarding(this.#parts, request, responseOn(request, socket), false);
      upstream.exchange(sent, new Tunnel(request, socket, head, { kind: "answer", answer }));
    }
  }

  #refuse(request: IncomingMessage): HttpResponse | undefined {
    const { access, hub, hop, rocket, tickets } = this.#parts;
    if (rocket.sockets.size > hub.limits.maxConnections) {
      return problemResponse(createProblem(503, "The server has as many connections as it takes. Try again later."), [
        ["Retry-After", "5"],
      ]);
    }
    if (request.headers.via?.includes(hop.via)) {
      return problemResponse(createProblem(508, "The proxy's upstream leads back to the proxy."));
    }
    const refusal = access.admit(request, true) ?? refuseConnectionAuth(request.rawHeaders);
    const ticket = refusal ?? tickets.redeem(request, true);
    return typeof ticket === "object" ? ticket : undefined;
  }
}
