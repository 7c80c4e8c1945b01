import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { server as certificate } from "./attach/certificates.ts";

/** What was answered on a stream. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One session of `node:http2`, and what is asked on its streams. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  readonly url: string;

  private constructor(url: string, options: SecureClientSessionOptions) {
    this.url = url;
    this.session = connect(url, { ca: certificate.cert, ...options });
    this.session.on("error", () => {});
    onTestFinished(() => void this.session.destroy());
  }

  /** A session whose server has said what it takes. @param port - of a server with the tests' certificate */
  static async open(port: number, options: SecureClientSessionOptions = {}): Promise<Http2Client> {
    const client = new Http2Client(`https://localhost:${port}`, options);
    await once(client.session, "remoteSettings");
    return client;
  }

  /** A stream, its request not ended where there is a body to come. */
  request(headers: OutgoingHttpHeaders, endStream = true): ClientHttp2Stream {
    const stream = this.session.request(headers, { endStream });
    stream.on("error", () => {});
    return stream;
  }

  async ask(headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<StreamAnswer> {
    const stream = this.request(headers, body === undefined);
    if (body !== undefined) stream.end(body);
    return answerOf(stream);
  }

  /** An extended CONNECT (RFC 8441), as a browser sends it. */
  connect(path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const opening = { ":method": "CONNECT", ":protocol": "websocket", ":path": path, "sec-websocket-version": "13" };
    return this.request({ ...opening, ...headers }, false);
  }

  /** A WebSocket on a stream, by `ws`. @throws Error with the status where it is refused */
  async webSocket(path: string, headers: OutgoingHttpHeaders = {}): Promise<WebSocket> {
    const stream = this.connect(path, headers);
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
    if (Number(answer[":status"]) !== 200) throw new Error(`refused with ${answer[":status"]}`);
    return webSocketOn(stream, answer);
  }
}

/** What was answered on a stream. @throws Error where it was cut off before the head */
export async function answerOf(stream: ClientHttp2Stream): Promise<StreamAnswer> {
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("close", () => reject(new Error(`closed with ${stream.rstCode}`)));
  });
  let body = "";
  for await (const piece of stream.setEncoding("utf8")) body += String(piece);
  return { status: Number(headers[":status"]), headers, body };
}

interface Inside {
  _isServer: boolean;
  _protocol: string;
  setSocket(stream: unknown, head: Buffer, options: object): void;
}

/** `ws` on a stream that a 200 has opened: it has no entrance of its own for that. */
export function webSocketOn(stream: ClientHttp2Stream, answer: IncomingHttpHeaders): WebSocket {
  const Bare = WebSocket as unknown as new (address: null, protocols: undefined, options: object) => WebSocket;
  const socket = new Bare(null, undefined, { autoPong: true, closeTimeout: 5_000 });
  const inside = socket as unknown as Inside;
  inside._isServer = false;
  inside._protocol = String(answer["sec-websocket-protocol"] ?? "");
  inside.setSocket(stream, Buffer.alloc(0), { maxPayload: 0, allowSynchronousEvents: true });
  socket.on("error", () => {});
  return socket;
}
