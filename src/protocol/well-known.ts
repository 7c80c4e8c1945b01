/** The URL for a connection with no subscription of its own [R-WK-1]. */
export const wellKnownPath = "/.well-known/rocket";

/** After so long without a message a server sends a 304 at Level 1, a ping at Level 0, in milliseconds [R-HB-1]. */
export const heartbeatMs = 20_000;

/** After so long without a message a client abandons the connection, in milliseconds [R-HB-3]. */
export const silenceMs = 27_000;
