import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { Agent } from "undici";
import type { ClientOptions } from "ws";
import { server as certificate } from "../node/attach/certificates.ts";
import { webSocketOn } from "../node/http2-client.ts";
import { openUndici, wsPeer } from "./node-peers.ts";
import { allBut, type Ears, type PeerKind, type Wire } from "./peer.ts";

const ca = certificate.cert;

const ws: PeerKind = { ...wsPeer({ ca } as ClientOptions), abilities: allBut("plain") };

/** `ws` on a stream of HTTP/2 that `node:http2` opens by extended CONNECT. */
const wsOnStream: PeerKind = {
  name: "ws by HTTP/2",
  abilities: allBut("deflate", "plain"),
  missing: "",
  open({ url, protocols, fields }, ears) {
    const { host, origin, pathname, search } = new URL(url.replace("wss:", "https:"));
    const session = connect(origin, { ca });
    session.on("error", () => ears.ended({ code: 1006, reason: "" }));
    const wire = { socket: undefined as ReturnType<typeof webSocketOn> | undefined };
    session.once("remoteSettings", () => {
      openStream(session, { host, path: pathname + search, protocols, fields }, ears, (socket) => {
        wire.socket = socket;
      });
    });
    return {
      send: (data) => wire.socket?.send(data),
      ping: (data) => wire.socket?.ping(data),
      close: (code, reason) => wire.socket?.close(code, reason),
      drop: () => session.destroy(),
    } satisfies Wire;
  },
};

interface Asked {
  readonly host: string;
  readonly path: string;
  readonly protocols: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
}

function openStream(
  session: ClientHttp2Session,
  { host, path, protocols, fields }: Asked,
  ears: Ears,
  opened: (socket: ReturnType<typeof webSocketOn>) => void,
): void {
  const stream = session.request(
    {
      ...{ ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":authority": host, ":path": path },
      "sec-websocket-version": "13",
      ...(protocols.length > 0 && { "sec-websocket-protocol": protocols.join(", ") }),
      ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value])),
    },
    { endStream: false },
  );
  stream.on("error", () => {});
  stream.once("response", (headers: IncomingHttpHeaders) => {
    const status = Number(headers[":status"]);
    if (status !== 200) {
      ears.ended({ status });
      return;
    }
    const socket = webSocketOn(stream, headers);
    socket.on("message", (data: Buffer, isBinary) => ears.received(isBinary ? new Uint8Array(data) : data.toString()));
    socket.on("pong", (data) => ears.ponged(data.toString()));
    socket.on("close", (code, reason) => ears.ended({ code, reason: reason.toString() }));
    opened(socket);
    ears.opened(socket.protocol);
  });
}

const undici: PeerKind = {
  name: "undici",
  abilities: allBut("status", "plain"),
  missing: "",
  open: (opening, ears) => openUndici(opening, ears, new Agent({ connect: { ca } })),
};

/** The clients that speak TLS to a place: by HTTP/1.1, and on a stream of HTTP/2. */
export const securePeers: readonly PeerKind[] = [ws, wsOnStream, undici];
