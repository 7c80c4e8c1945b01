import { Server as HttpServer } from "node:http";
import type { Server as NetServer } from "node:net";
import { Server as TlsServer } from "node:tls";
import { isLoopback } from "../named-host.ts";

/** The event by which a server takes a connection that it did not accept itself. */
export type ConnectionEvent = "connection" | "secureConnection";

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor?.name ?? "value"}`;
}

/**
 * How connections are brought into a server.
 *
 * @throws TypeError where it can't take WebSockets by HTTP/1.1, or is no server
 */
export function connectionEventOf(server: NetServer): ConnectionEvent {
  if (server instanceof HttpServer) return "connection";
  // Only servers that speak HTTP/1.1 have this limit: an https.Server, and one of http2 with allowHTTP1.
  if (server instanceof TlsServer && "headersTimeout" in server) return "secureConnection";
  if (/^Http2(Secure)?Server$/.test(server?.constructor?.name ?? "")) {
    throw new TypeError(
      "server speaks only HTTP/2, which browsers open no WebSockets by. Make it by http2.createSecureServer({ allowHTTP1: true, … }).",
    );
  }
  throw new TypeError(
    `server must be an HTTP server, as app.listen() or http.createServer() returns it, not ${describe(server)}.`,
  );
}

/** True for a server that only this machine reaches by an address. */
export function listensOnLoopback(server: NetServer): boolean {
  const address = server.address();
  return typeof address === "object" && address !== null && isLoopback(address.address);
}
