/** The event by which a server has a connection that requests come on: with TLS `connection` is what lies below. */
export function connectionEvent(server: object): "connection" | "secureConnection" {
  return "setSecureContext" in server ? "secureConnection" : "connection";
}
