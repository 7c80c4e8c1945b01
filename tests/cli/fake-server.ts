import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

/** How a fake server treats a handshake. */
export interface FakeServerOptions {
  /** Echo the first subprotocol that is offered, whatever it is. Default false: none is echoed. */
  readonly isNaive?: boolean;
  /** Called for each connection; the connection's number counts from 0. */
  onConnection(socket: WebSocket, number: number, request: IncomingMessage): void;
}

/** A server that knows of no Rocket; ended with the test. Gives its URL. */
export async function startFakeServer({ isNaive = false, onConnection }: FakeServerOptions): Promise<string> {
  const server = createServer((_request, response) => response.end("[]"));
  const sockets = new WebSocketServer({ server, handleProtocols: (offered) => isNaive && ([...offered][0] ?? false) });
  let number = 0;
  sockets.on("connection", (socket, request) => onConnection(socket, number++, request));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A plain HTTP server that answers everything, handshakes too, with one status and body; ended with the test. */
export async function startRefusingServer(statuses: readonly number[], body: string): Promise<string> {
  const left = [...statuses];
  const server = createServer((_request, response) => {
    response.writeHead(left.length > 1 ? (left.shift() ?? 500) : (left[0] ?? 500), {
      "Content-Type": "application/problem+json",
      Connection: "close",
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
