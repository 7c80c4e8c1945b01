import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import {
  chooseSubprotocol,
  createProblem,
  type Field,
  offeredSubprotocols,
  problemResponse,
  RocketError,
} from "../protocol/index.ts";
import {
  type Connection,
  type Handshake,
  type Hub,
  type Opening,
  type OriginResponse,
  systemClock,
} from "../server/index.ts";
import type { Access } from "./access.ts";
import { type ClientAddress, ClientBounds, transportAddress } from "./client-bounds.ts";
import { connectionEvent } from "./connection-event.ts";
import { handshakeFields } from "./fields.ts";
import { MessageMeter } from "./message-meter.ts";
import { holdReading } from "./pipelines.ts";
import { replayPlain } from "./plain-request.ts";
import { sendAnswer } from "./send-answer.ts";
import type { TicketDesk } from "./tickets/ticket-desk.ts";
import { WebSocketTransport } from "./web-socket-transport.ts";

/** What upgrades need. */
export interface UpgradeParts {
  readonly server: Server;
  readonly hub: Hub;
  /** Refuses who may not come in. */
  readonly access: Pick<Access, "admit">;
  /** Takes tickets. Default: there are none. */
  readonly tickets?: Pick<TicketDesk, "redeem"> | undefined;
  /** Bounds each client. Default: by the address at the transport. */
  readonly bounds?: ClientBounds | undefined;
  /** Where a client is. Default: what the transport says, which may be a front's. */
  readonly addressOf?: ((request: IncomingMessage) => ClientAddress) | undefined;
  readonly maxMessageBytes: number;
  readonly reportError: (error: unknown, stage: string) => void;
  /** What the origin is told of the peer at the transport. Default: nothing. */
  readonly peerOf?: (request: IncomingMessage) => unknown;
  /** As {@link Handshake.mayWrite}. Default: every peer may that comes in. */
  readonly mayWrite?: (request: IncomingMessage) => boolean;
}

const keepAliveMs = 30_000;
/** How long a peer may take to read what is unsent and answer the close. */
const closeTimeoutMs = 5_000;

/**
 * What a message may be cut into, by frames and on its way: each piece costs a hundred bytes beside its own. More is
 * closed with 1008 [R-MSG-15].
 */
const pieces = { maxFragments: 4_096, maxBufferedChunks: 16_384 };

/** The refusal of what is no handshake of RFC 6455 §4.1: ws takes HTTP/1.0, and versions that are drafts or only count as 13. */
function refuseVersions({ httpVersion, headers }: IncomingMessage): OriginResponse | undefined {
  if (httpVersion !== "1.1") return problemResponse(createProblem(400, "A WebSocket handshake is HTTP/1.1."));
  if (headers["sec-websocket-version"] === "13") return undefined;
  const problem = createProblem(400, "The Sec-WebSocket-Version is 13.");
  return problemResponse(problem, [["Sec-WebSocket-Version", "13"]]);
}

/** Answers a handshake with plain HTTP and ends the connection. */
export function refuseUpgrade(request: IncomingMessage, socket: Socket, answer: OriginResponse): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.on("error", () => socket.destroy());
  response.on("finish", () => socket.destroySoon());
  response.assignSocket(socket);
  sendAnswer(response, answer);
}

/**
 * Refuses to run where handshakes can't be taken over: Bun resets each of them without a word.
 *
 * @param versions - what runs this, as `process.versions` has it
 * @throws RocketError `runtime-unsupported` with the way that works
 */
export function requireHandshakes(versions: Readonly<Record<string, string | undefined>>): void {
  if (versions.bun === undefined) return;
  throw new RocketError(
    "runtime-unsupported",
    "On Bun, node:http gives no WebSocket away, so attach, createServer and createProxy can't work there. Use Bun.serve with " +
      "originFromFetch and connectMessageSocket of rocket-rest/server, as examples/fetch/bun.js does, or run this on Node or Deno.",
  );
}

/** Takes WebSocket handshakes over, at any URL, and connects them to the hub. */
export class UpgradeHandler {
  /** The sockets that were taken over, from the handshake on, and are still open. */
  readonly sockets: Set<Socket> = new Set();
  readonly #parts: UpgradeParts;
  readonly #webSockets: WebSocketServer;
  readonly #bounds: ClientBounds;

  constructor(parts: UpgradeParts) {
    requireHandshakes(process.versions);
    this.#parts = parts;
    this.#bounds = parts.bounds ?? new ClientBounds(parts.hub.limits, systemClock);
    // The types of ws don't have these yet.
    const options: ServerOptions & typeof pieces & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: parts.maxMessageBytes,
      closeTimeout: closeTimeoutMs,
      ...pieces,
      handleProtocols: (offered) => chooseSubprotocol([...offered]).echo ?? false,
    };
    this.#webSockets = new WebSocketServer(options);
  }

  /** Resolves once all sockets are gone; those that have not gone by themselves after `graceMs` milliseconds are made to. */
  async ended(graceMs: number): Promise<void> {
    const gone = [...this.sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    const grace = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, graceMs);
    await Promise.all(gone);
    clearTimeout(grace);
  }

  /** Handles one `upgrade` event. Never throws. */
  handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      const { server } = this.#parts;
      replayPlain(server, connectionEvent(server), request, socket, head);
      return;
    }
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.sockets.delete(socket));
    this.#accept(request, socket, head).catch((error: unknown) => {
      this.#parts.reportError(error, "upgrade");
      socket.destroy();
    });
  }

  async #accept(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const refusal = this.#parts.access.admit(request, true) ?? refuseVersions(request) ?? this.#refuseWhenFull();
    const ticket = refusal ?? this.#parts.tickets?.redeem(request, true);
    if (typeof ticket === "object") {
      refuseUpgrade(request, socket, ticket);
      return;
    }
    const { level, bearer } = chooseSubprotocol(offeredSubprotocols(request.headers["sec-websocket-protocol"]));
    const fields: Field[] = handshakeFields(request);
    // A ticket's credentials are all.
    if (ticket !== "used" && bearer !== undefined && request.headers.authorization === undefined) {
      fields.push(["Authorization", `Bearer ${bearer}`]);
    }
    const bound = this.#bounds.enter((this.#parts.addressOf ?? transportAddress)(request), fields);
    if (typeof bound !== "function") {
      refuseUpgrade(request, socket, bound);
      return;
    }
    socket.once("close", bound);
    const peer = this.#parts.peerOf?.(request);
    const mayWrite = this.#parts.mayWrite?.(request) ?? true;
    const handshake: Handshake = { level, target: request.url ?? "/", fields, peer, mayWrite };
    let opening: Opening | undefined;
    if (level === 0) {
      opening = await this.#parts.hub.authorise(handshake);
      if (opening.kind === "refused") {
        refuseUpgrade(request, socket, opening.response);
        return;
      }
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#connect(webSocket, socket, handshake, opening);
    });
  }

  #refuseWhenFull(): OriginResponse | undefined {
    const { hub } = this.#parts;
    // Handshakes count too: they hold a socket, and the origin's time.
    if (!hub.isFull && this.sockets.size <= hub.limits.maxConnections) return undefined;
    const problem = createProblem(503, "The server has as many connections as it takes. Try again later.");
    return problemResponse(problem, [["Retry-After", "5"]]);
  }

  #connect(webSocket: WebSocket, socket: Socket, handshake: Handshake, opening: Opening | undefined): void {
    const { hub, reportError } = this.#parts;
    socket.setKeepAlive(true, keepAliveMs);
    const connection = hub.connect(new WebSocketTransport(webSocket, socket), handshake, opening);
    webSocket.on("message", (data: Buffer, isBinary: boolean) => {
      try {
        connection.receive(isBinary ? data : data.toString("utf8"));
      } catch (error) {
        reportError(error, "receive");
        webSocket.close(1011);
      }
    });
    this.#meter(socket, connection);
    // ws closes with the right code by itself: 1002, 1007 or 1009.
    webSocket.on("error", () => {});
    webSocket.on("close", () => this.#guard(() => connection.closed()));
    socket.on("drain", () => this.#guard(() => connection.drained()));
  }

  /** Tells the hub what of a message has come: ws tells of whole ones. */
  #meter(socket: Socket, connection: Connection): void {
    const meter = new MessageMeter();
    const count = (piece: Buffer): void => {
      meter.add(piece);
      this.#guard(() => connection.receiving(meter.bytes));
      if (!connection.isClosed || meter.bytes === 0) return;
      // What still comes of it would be kept until the closing handshake ends.
      socket.off("data", count);
      holdReading(socket);
      socket.destroySoon();
    };
    // Behind ws's own listener: what is whole by then is not kept any more.
    socket.on("data", count);
  }

  /** What is called by an event of a connection must not end the process [R-SEC-4]. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#parts.reportError(error, "connection");
    }
  }
}
