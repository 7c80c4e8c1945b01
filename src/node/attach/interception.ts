import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2SecureServer, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { chooseStream, type HttpResponse } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import { requestFields } from "../fields.ts";
import { isWebSocketConnect } from "../http2/heads.ts";
import { openStream } from "../http2/open-stream.ts";
import { isMounted } from "../mount/mounts.ts";
import { replayPlain } from "../plain-request.ts";
import { refuseSeveralHosts } from "../request-target.ts";
import { sendAnswer } from "../send-answer.ts";
import { asksBeside, type StreamsBeside } from "../streams-beside.ts";
import { hasOtherUpgrades, Tap, type Tapped } from "../tap.ts";
import type { TicketDesk } from "../tickets/ticket-desk.ts";
import { refuseUpgrade } from "../upgrade.ts";
import { isMarked } from "./rocket-request.ts";
import type { ConnectionEvent } from "./server-kind.ts";
import { guardSessions } from "./session-store.ts";
import type { Handshake, UpgradeTaker } from "./upgrade-choice.ts";
import { VirtualSocket } from "./virtual-socket.ts";
import type { WriteWatch } from "./write-watch.ts";

/** What is done with what passes through a server. */
export interface InterceptionParts {
  readonly server: Server;
  readonly event: ConnectionEvent;
  readonly choose: (request: Handshake, hasOthers: boolean) => UpgradeTaker;
  /** What a GET or HEAD of Rocket's own is answered with, as of the well-known URL [R-WK-1]; `undefined` where it is not. */
  readonly answerOwn: (request: IncomingMessage) => OriginResponse | undefined;
  /** Takes an upgrade over. Must not throw. */
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** Refuses whose pages and hosts may not follow the application. */
  readonly admit: (request: IncomingMessage) => HttpResponse | undefined;
  readonly tickets: TicketDesk;
  /** Runs what outlasts a request outside of the application's own contexts. */
  readonly inContext: (action: () => void) => void;
  readonly writes: WriteWatch;
  readonly streams: StreamsBeside;
  /** The application closes the server. Must not throw. */
  readonly onClose: () => void;
  readonly reportError: (error: unknown, stage: string) => void;
}

type StreamEvent = [stream: ServerHttp2Stream, fields: IncomingHttpHeaders, flags: number, raw?: readonly string[]];

/** Stands between a server and the application: takes what is Rocket's, and sees what is written. */
export class Interception {
  readonly #parts: InterceptionParts;
  readonly #tap: Tap;

  constructor(parts: InterceptionParts) {
    this.#parts = parts;
    const { server, onClose } = parts;
    this.#tap = new Tap({ server, before: (tapped) => this.#before(tapped), onClose });
    this.#offerConnect(true);
  }

  /** Takes everything away again. Twice is fine. */
  stop(): void {
    this.#offerConnect(false);
    this.#tap.stop();
  }

  #before({ event, parameters, isOther, proceed }: Tapped): boolean {
    if (isOther && (event === "upgrade" || event === "stream")) return false;
    if (event === "upgrade") return this.#upgrade(...(parameters as [IncomingMessage, Socket, Buffer]));
    if (event === "stream") return this.#stream(...(parameters as StreamEvent));
    if (event === "request" || event === "checkContinue" || event === "checkExpectation") {
      const [request, response] = parameters as [IncomingMessage, ServerResponse];
      if (isMounted(this.#parts.server, request)) return false;
      if (this.#request(request, response)) return true;
      if (event !== "request" || !this.#mayAskStream(request)) return false;
      return this.#parts.streams.see(request, response, { proceed });
    }
    return false;
  }

  /** True where the request is not the application's: one that no server may answer otherwise [R-SEC-9]. */
  #request(request: IncomingMessage, response: ServerResponse): boolean {
    const refusal = refuseSeveralHosts(request);
    if (refusal) {
      response.shouldKeepAlive = false;
      sendAnswer(response, refusal);
      return true;
    }
    if (this.#ticket(request, response)) return true;
    const isRead = request.method === "GET" || request.method === "HEAD";
    const own = isRead ? this.#parts.answerOwn(request) : undefined;
    if (own) {
      sendAnswer(response, own);
      return true;
    }
    if (isMarked(request.socket)) guardSessions(request);
    this.#watch(request, response);
    return false;
  }

  /** True where a request asks for a ticket, or has one that is not good. A good one is gone, and its credentials are there. */
  #ticket(request: IncomingMessage, response: ServerResponse): boolean {
    const { tickets, admit, inContext } = this.#parts;
    const isOrder = tickets.isAt(request);
    if ((!isOrder && !tickets.isPresented(request)) || isMarked(request.socket)) return false;
    const refusal = admit(request);
    const ticket = refusal ?? tickets.redeem(request, chooseStream(requestFields(request)) !== undefined);
    if (typeof ticket === "object") sendAnswer(response, ticket);
    else if (isOrder) inContext(() => void tickets.serve(request, response).catch(() => response.destroy()));
    else return false;
    return true;
  }

  /** Whether a request may ask for a stream, and is neither Rocket's own, nor one in band. */
  #mayAskStream(request: IncomingMessage): boolean {
    const { socket } = request;
    return asksBeside(request) && !isMarked(socket) && !(socket instanceof VirtualSocket);
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "GET" || isMarked(request.socket)) return;
    try {
      this.#parts.writes.see(request, response);
    } catch (error) {
      this.#parts.reportError(error, "watch");
    }
  }

  /** Has sessions from now on say whether WebSockets are opened on their streams (RFC 8441 §3), where there is HTTP/2. */
  #offerConnect(enableConnectProtocol: boolean): void {
    const server = this.#parts.server as Partial<Http2SecureServer>;
    if (enableConnectProtocol || !this.#takesConnect) server.updateSettings?.({ enableConnectProtocol });
  }

  /** Whether the application takes CONNECT itself. */
  get #takesConnect(): boolean {
    return this.#parts.server.listenerCount("connect") > 0;
  }

  /** True where a stream opens a WebSocket: then it is told as an upgrade, as over HTTP/1.1. */
  #stream(
    stream: ServerHttp2Stream,
    fields: IncomingHttpHeaders,
    _flags: number,
    raw: readonly string[] = [],
  ): boolean {
    const { server, choose, tickets, reportError } = this.#parts;
    if (!isWebSocketConnect(fields)) return false;
    try {
      const handshake = { headers: { ...fields, upgrade: "websocket" }, method: "GET", url: fields[":path"] ?? "" };
      const isTheirs = this.#takesConnect && choose(handshake, true) !== "rocket";
      if (isTheirs && !tickets.isPresented(handshake)) return false;
      const { socket } = stream.session ?? {};
      if (socket) openStream(server, socket as TLSSocket, stream, raw);
    } catch (error) {
      reportError(error, "upgrade");
      stream.destroy();
    }
    return true;
  }

  /** True where the upgrade is not the other listeners'. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const { server, event, choose, onUpgrade, reportError } = this.#parts;
    if (isMounted(server, request)) return false;
    try {
      const taker = refuseSeveralHosts(request) ? "nobody" : choose(request, hasOtherUpgrades(server));
      if (taker === "others") return this.#refuseTicket(request, socket);
      if (taker === "rocket") onUpgrade(request, socket, head);
      else replayPlain(server, event, request, socket, head);
    } catch (error) {
      reportError(error, "upgrade");
      socket.destroy();
    }
    return true;
  }

  /** True where an upgrade that is others' has a ticket that is no good. They see no ticket, as they would see none in a GET. */
  #refuseTicket(request: IncomingMessage, socket: Socket): boolean {
    const { tickets, admit } = this.#parts;
    if (!tickets.isPresented(request)) return false;
    const refusal = admit(request) ?? tickets.redeem(request, true);
    if (typeof refusal !== "object") return false;
    refuseUpgrade(request, socket, refusal);
    return true;
  }
}
