import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionEvent } from "./attach/server-kind.ts";
import { requestFields } from "./fields.ts";

const upgradeTokens = new Set(["upgrade", "http2-settings"]);

/** The request's head without its offer to upgrade (RFC 9110 §7.8: it may be ignored). */
function plainHead(request: IncomingMessage): string {
  let text = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  for (const [name, value] of requestFields(request)) {
    const lower = name.toLowerCase();
    if (upgradeTokens.has(lower)) continue;
    const tokens = lower === "connection" ? value.split(",").map((token) => token.trim()) : [value];
    const kept = tokens.filter((token) => !upgradeTokens.has(token.toLowerCase()));
    if (kept.length > 0) text += `${name}: ${kept.join(", ")}\r\n`;
  }
  return `${text}\r\n`;
}

/** Gives a request that offers an upgrade which nobody takes back to the server, as it would be without a listener. */
export function replayPlain(
  server: EventEmitter,
  event: ConnectionEvent,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  socket.unshift(Buffer.concat([Buffer.from(plainHead(request), "latin1"), head]));
  server.emit(event, socket);
}
