import { subscribe, unsubscribe } from "node:diagnostics_channel";
import FayeWebSocket from "faye-websocket";
import reconnectingWebSocket from "reconnecting-websocket";
import { type Agent, ping, WebSocket as UndiciWebSocket } from "undici";
import websocket from "websocket";
import { type ClientOptions, WebSocket } from "ws";
import { allBut, type Ears, fullAbilities, type Opening, type PeerKind, unable, type Wire } from "./peer.ts";

/** The package `ws`, with options of its own: certificates, a name that is looked up here. */
export function wsPeer(options: ClientOptions = {}): PeerKind {
  return {
    name: "ws",
    abilities: new Set(fullAbilities),
    missing: "",
    open({ url, protocols, fields }, ears) {
      const socket = new WebSocket(url, [...protocols], { ...options, headers: fields });
      socket.on("open", () => ears.opened(socket.protocol));
      socket.on("message", (data: Buffer, isBinary) =>
        ears.received(isBinary ? new Uint8Array(data) : data.toString()),
      );
      socket.on("pong", (data) => ears.ponged(data.toString()));
      socket.on("unexpected-response", (_request, response) => {
        response.resume();
        ears.ended({ status: response.statusCode ?? 0 });
      });
      socket.on("error", () => {});
      socket.on("close", (code, reason) => ears.ended({ code, reason: reason.toString() }));
      return {
        send: (data) => socket.send(data),
        ping: (data) => socket.ping(data),
        close: (code, reason) => socket.close(code, reason),
        drop: () => socket.terminate(),
      };
    },
  };
}

const websocketNode: PeerKind = {
  name: "websocket",
  abilities: allBut("deflate"),
  missing: "",
  open({ url, protocols, fields }, ears) {
    const client = new websocket.client();
    let connection: websocket.connection | undefined;
    client.on("connectFailed", (error) => ears.ended({ status: Number(/status: (\d{3})/.exec(error.message)?.[1]) }));
    client.on("connect", (opened) => {
      connection = opened;
      opened.on("message", (message) => {
        ears.received(message.type === "utf8" ? message.utf8Data : new Uint8Array(message.binaryData));
      });
      opened.on("pong", (data) => ears.ponged(data.toString()));
      opened.on("error", () => {});
      opened.on("close", (code, reason) => ears.ended({ code, reason }));
      ears.opened(opened.protocol ?? "");
    });
    client.connect(url, [...protocols], undefined, { ...fields });
    return {
      send: (data) => (typeof data === "string" ? connection?.sendUTF(data) : connection?.sendBytes(Buffer.from(data))),
      ping: (data) => connection?.ping(data),
      close: (code, reason) => connection?.close(code, reason),
      drop: () => (connection ? connection.drop() : client.abort()),
    };
  },
};

const faye: PeerKind = {
  name: "faye-websocket",
  abilities: allBut("deflate"),
  missing: "",
  open({ url, protocols, fields }, ears) {
    const socket = new FayeWebSocket.Client(url, [...protocols], { headers: fields });
    let status: number | undefined;
    socket.on("open", () => ears.opened(socket.protocol));
    socket.on("message", ({ data }) => ears.received(typeof data === "string" ? data : new Uint8Array(data)));
    socket.on("error", ({ message }) => {
      const found = /Unexpected response code: (\d{3})/.exec(message)?.[1];
      if (found !== undefined) status = Number(found);
    });
    socket.on("close", ({ code, reason }) => ears.ended(status === undefined ? { code, reason } : { status }));
    return {
      send: (data) => void socket.send(typeof data === "string" ? data : Buffer.from(data)),
      ping: (data) => void socket.ping(data, () => ears.ponged(data)),
      close: (code, reason) => void socket.close(code, reason),
      drop: () => void socket.close(1000, ""),
    };
  },
};

/** What the WebSockets of browsers, of Node 22 and of undici have in common. */
interface StandardSocket {
  readonly protocol: string;
  readonly readyState: number;
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

function openStandard(socket: StandardSocket, ears: Ears): Wire {
  socket.binaryType = "arraybuffer";
  socket.onopen = () => ears.opened(socket.protocol);
  socket.onmessage = ({ data }) => {
    ears.received(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  };
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => ears.ended({ code, reason });
  return {
    send: (data) => socket.send(typeof data === "string" ? data : new Uint8Array(data)),
    ping: unable("ping"),
    close: (code, reason) => socket.close(code, reason),
    drop: () => socket.close(),
  };
}

const pongs = "undici:websocket:pong";

const undici: PeerKind = {
  name: "undici",
  abilities: allBut("status"),
  missing: "",
  open: openUndici,
};

/** @param dispatcher - what it opens its connection by */
export function openUndici({ url, protocols, fields }: Opening, ears: Ears, dispatcher?: Agent): Wire {
  const more = dispatcher ? { dispatcher } : {};
  const socket = new UndiciWebSocket(url, { protocols: [...protocols], headers: fields, ...more });
  return {
    ...openStandard(socket as unknown as StandardSocket, ears),
    ping(data) {
      // undici tells of pongs here only, and of those of all its sockets.
      const take = (message: unknown): void => {
        const { payload } = message as { readonly payload: Uint8Array };
        if (Buffer.from(payload).toString() !== data) return;
        unsubscribe(pongs, take);
        ears.ponged(data);
      };
      subscribe(pongs, take);
      ping(socket, Buffer.from(data));
    },
  };
}

/** A WebSocket of a browser's kind, which takes a URL and subprotocols and nothing else. */
function standard(name: string, create: (opening: Opening) => unknown): PeerKind {
  return {
    name,
    abilities: allBut("fields", "ping", "status"),
    missing: "",
    open: (opening, ears) => openStandard(create(opening) as StandardSocket, ears),
  };
}

/** The package is CommonJS, and its types are not. */
export const ReconnectingWebSocket: typeof reconnectingWebSocket.default = reconnectingWebSocket as never;

const reconnecting = standard("reconnecting-websocket", ({ url, protocols }) => {
  return new ReconnectingWebSocket(url, [...protocols], { WebSocket, maxRetries: 0 });
});

const builtIn = standard("Node's own WebSocket", ({ url, protocols }) => {
  return new globalThis.WebSocket(url, [...protocols]);
});

/** The clients that run in Node. Only Node 22 and later have a WebSocket of their own; it is undici's. */
export const nodePeers: readonly PeerKind[] = [
  ...[wsPeer(), websocketNode, faye, undici, reconnecting],
  ...("WebSocket" in globalThis ? [builtIn] : []),
];
