import type { Server } from "node:http";

/** The event by which a server has a connection that requests come on: with TLS `connection` is what lies below. */
export function connectionEvent(server: Server): "connection" | "secureConnection" {
  return "setSecureContext" in server ? "secureConnection" : "connection";
}
