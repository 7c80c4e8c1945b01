import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { RocketError } from "../protocol/index.ts";
import type { Clock, Hub } from "../server/index.ts";
import type { Access } from "./access.ts";
import type { Http2Sessions } from "./http2/sessions.ts";
import { isLoopback } from "./named-host.ts";
import { StalledSockets } from "./stalled-sockets.ts";
import type { TlsCertificate } from "./tls.ts";
import { renewCertificate } from "./web-server.ts";

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** An HTTP server whose every resource can be followed over a WebSocket. */
export interface RocketServer {
  /** The server below, for what Rocket has no option for: an `https.Server` where `tls` was given. */
  readonly server: Server;
  readonly hub: Hub;
  /**
   * Starts to listen.
   *
   * @param port - 0 picks a free one. Default 8080
   * @param host - Default `127.0.0.1`
   * @throws RocketError `listen-failed` where the address can't be had
   */
  listen(port?: number, host?: string): Promise<ServerAddress>;
  /**
   * Takes another certificate, for connections from now on.
   *
   * @throws TypeError where `tls` was not given, or the certificate or its key can't be used
   */
  renewCertificate(tls: TlsCertificate): void;
  /** Stops taking requests, ends every connection gracefully, then closes. Twice is fine. */
  close(): Promise<void>;
}

/** What a host holds together: a server that already has its listeners for requests and upgrades, and the hub. */
export interface HostParts {
  readonly server: Server;
  /** Its sessions of HTTP/2. Default: it has none. */
  readonly sessions?: Http2Sessions | undefined;
  readonly hub: Hub;
  readonly access: Access;
  /** The sockets that were upgraded and are still open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Milliseconds over which connections are ended. */
  readonly drainMs: number;
  /** Default: the platform's. */
  readonly clock?: Clock | undefined;
  readonly reportError: (error: unknown, stage: string) => void;
  /** Called when the server begins to close, before its idle connections are closed. */
  readonly onClosing: () => void;
}

const garbageStatus: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};
/** How long peers may take to answer the closing handshake, and requests to be answered. */
const closeGraceMs = 1_000;

/** What the peer sent is answered where it can be, then the connection ends. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  // Before TLS is agreed on, nothing can be said.
  const isUnheard = socket instanceof TLSSocket && socket.getProtocol() === null;
  if (error.code === "ECONNRESET" || !socket.writable || isUnheard) {
    socket.destroy();
    return;
  }
  const status = garbageStatus[error.code ?? ""] ?? "400 Bad Request";
  socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroySoon();
}

function listenOn(server: Server, port: number, host: string): Promise<ServerAddress> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program listens there; choose another port" : error.message;
      reject(new RocketError("listen-failed", `Can't listen on ${host}:${port}: ${why}.`, { cause: error }));
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve({ host, port: (server.address() as AddressInfo).port });
    });
  });
}

/**
 * Makes a server of its parts: `listen`, `close`, and peers that send garbage.
 */
export function createHost(parts: HostParts): RocketServer {
  const { server, sessions, hub, access, sockets, drainMs, clock, reportError, onClosing } = parts;
  const stalled = new StalledSockets(server, hub, clock);
  server.on("clientError", (error, socket) => refuseGarbage(error, socket as Socket));
  // A connection that could not be accepted (too many open files) must not end the process.
  server.on("error", (error) => {
    if (server.listening) reportError(error, "accept");
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // The hub's own timers keep no process alive; whoever awaits this does.
    const alive = setInterval(() => {}, 60_000);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    onClosing();
    server.closeIdleConnections();
    sessions?.close();
    await hub.close(drainMs);
    const grace = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      sessions?.destroy();
    }, closeGraceMs);
    await closed;
    sessions?.destroy();
    clearTimeout(grace);
    clearInterval(alive);
    stalled.stop();
  };
  return {
    server,
    hub,
    async listen(port = 8080, host = "127.0.0.1") {
      access.isLocal = isLoopback(host);
      const address = await listenOn(server, port, host);
      // A name may stand for a loopback address, too.
      access.isLocal ||= isLoopback((server.address() as AddressInfo).address);
      return address;
    },
    renewCertificate: (tls) => renewCertificate(server, tls),
    close() {
      closing ??= close();
      return closing;
    },
  };
}
