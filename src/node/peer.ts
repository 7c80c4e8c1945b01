import type { IncomingMessage } from "node:http";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { PeerIdentity } from "../server/index.ts";

/** Who made a handshake, at the transport: what the application is shown for the requests made on the follower's behalf. */
export interface SocketPeer {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** What TLS knew; absent on a plain connection. */
  readonly tls?: TlsFacts;
}

/** What TLS knows of a connection. */
export interface TlsFacts {
  readonly authorized: boolean;
  readonly authorizationError: unknown;
  readonly servername: string | false | null | undefined;
  readonly certificate: PeerCertificate;
  readonly cipher: unknown;
  readonly protocol: string | null;
}

function tlsFacts(socket: TLSSocket): TlsFacts {
  const shown = socket.getPeerCertificate(false);
  const { authorized, authorizationError } = socket;
  return {
    authorized,
    authorizationError,
    servername: (socket as { readonly servername?: string | false | null }).servername,
    // The chain costs more to read than most connections have use for.
    certificate: shown?.fingerprint256 ? socket.getPeerCertificate(true) : shown,
    cipher: socket.getCipher(),
    protocol: socket.getProtocol(),
  };
}

/** Takes down who made a handshake, for as long as the follower stays. */
export function peerOf({ socket }: Pick<IncomingMessage, "socket">): SocketPeer {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = socket;
  const peer: SocketPeer = { remoteAddress, remotePort, remoteFamily, localAddress, localPort };
  if (!("encrypted" in socket)) return peer;
  const tls = tlsFacts(socket as TLSSocket);
  return { ...peer, tls };
}

/** What tells one peer from another: everything that an application sees of the connection but its port [R-DER-1]. */
export function identityOf(peer: unknown): PeerIdentity {
  const { remoteAddress, localAddress, localPort, tls } = peer as SocketPeer;
  const certificate = tls?.certificate?.fingerprint256;
  return { address: JSON.stringify([remoteAddress, localAddress, localPort, tls?.servername]), certificate };
}
