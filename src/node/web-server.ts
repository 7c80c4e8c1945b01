import { createServer as createHttpServer, type Server, type ServerOptions } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { type Clock, systemClock } from "../server/index.ts";
import { canSpeakHttp2, Http2Sessions } from "./http2/sessions.ts";
import { checkCertificate, type TlsCertificate } from "./tls.ts";

/** What a server of HTTP is made of. */
export interface WebServerParts extends ServerOptions {
  /** Absent: plain HTTP/1.1. */
  readonly tls?: TlsCertificate | undefined;
  readonly clock?: Clock | undefined;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** A server that has no listeners for requests yet, with what it has for HTTP/2. */
export interface WebServer {
  readonly server: Server;
  /** Absent where it has no TLS, by which it would be agreed on. */
  readonly sessions?: Http2Sessions | undefined;
}

const handshakeTimeoutMs = 10_000;
/** As Node's own, where nothing else was said. */
const usualHeadBytes = 16 * 1024;

/** Node's server has one listener for secure connections, which takes them for HTTP/1.1: others go elsewhere. */
function divert(server: HttpsServer, sessions: Http2Sessions): void {
  const listeners = server.listeners("secureConnection");
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") sessions.accept(socket);
    else for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  });
}

/**
 * Makes the server below: of plain HTTP/1.1, or with TLS of HTTP/1.1 and HTTP/2, whose streams it takes for connections
 * of HTTP/1.1.
 *
 * @throws TypeError naming the option where the certificate or its key can't be used
 */
export function createWebServer({ tls, clock = systemClock, reportError, ...options }: WebServerParts): WebServer {
  if (tls === undefined) return { server: createHttpServer(options) };
  checkCertificate(tls);
  const ALPNProtocols = canSpeakHttp2() ? ["h2", "http/1.1"] : ["http/1.1"];
  const cert = Buffer.from(tls.cert);
  const key = Buffer.from(tls.key);
  const server = createHttpsServer({ ...options, cert, key, ALPNProtocols, handshakeTimeout: handshakeTimeoutMs });
  const { maxHeaderSize: maxHeadBytes = usualHeadBytes } = options;
  const sessions = new Http2Sessions({ server, maxHeadBytes, clock, reportError });
  divert(server, sessions);
  return { server, sessions };
}

/**
 * Has a server take another certificate, for connections from now on.
 *
 * @throws TypeError where it has no TLS, or naming the option where the certificate or its key can't be used
 */
export function renewCertificate(server: Server, tls: TlsCertificate): void {
  if (!("setSecureContext" in server)) throw new TypeError("tls: this server speaks plain HTTP.");
  checkCertificate(tls);
  (server as HttpsServer).setSecureContext({ cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) });
}
