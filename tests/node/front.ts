import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A reverse proxy that shows a server below `/api`, and nothing beside it. */
export interface Front {
  readonly url: string;
  /** The targets of the WebSocket handshakes that came. */
  readonly upgrades: readonly string[];
}

/**
 * @param url - the server behind
 * @param strips - whether `/api` is taken off what is passed on
 */
export async function front(url: string, strips: boolean): Promise<Front> {
  const { hostname, port } = new URL(url);
  const upgrades: string[] = [];
  const sockets = new Set<Socket>();
  const behind = ({ url: target = "/" }: IncomingMessage) =>
    strips ? target.replace(/^\/api(?=[/?]|$)\/?/, "/") : target;
  const server = createServer((incoming, response) => {
    if (!incoming.url?.startsWith("/api")) {
      response.writeHead(404).end("Another site.");
      return;
    }
    const { method, rawHeaders } = incoming;
    const outgoing = httpRequest({
      hostname,
      port,
      method,
      path: behind(incoming),
      headers: rawHeaders,
      setHost: false,
    });
    outgoing.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
    upgrades.push(incoming.url ?? "");
    if (!incoming.url?.startsWith("/api")) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    const lines = incoming.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
    const next = connect(Number(port), hostname, () => next.write(`GET ${behind(incoming)} HTTP/1.1\r\n${lines}\r\n`));
    for (const [one, other] of [
      [socket, next],
      [next, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, upgrades };
}
