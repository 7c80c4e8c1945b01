import type { IncomingMessage } from "node:http";
import { acceptOf } from "../wire/accept.ts";
import { formatHead } from "../wire/http.ts";
import type { Flaw, Message } from "../wire/messages.ts";

/** What a server of Level 0 says first, whatever it has echoed. */
export function level0Of(target: string): string {
  const fields = [
    ["Content-Type", "application/json"],
    ["Content-Location", `${target}/4`],
  ] as const;
  return `${formatHead("HTTP/1.1 201 Created", fields)}{"item":{"id":4,"name":"four"}}`;
}

/** The answer to a request in band that is no SUBSCRIBE of a situation. */
export function answerTo({ method, target }: Message, requestId: string): string {
  if (method === "UNSUBSCRIBE") {
    return formatHead("HTTP/1.1 204 No Content", [
      ["Subscription", target],
      ["Request-ID", requestId],
    ]);
  }
  const status = method === "SUBSCRIBE" ? 404 : 501;
  const problem = { type: "about:blank", title: "Refused", status, detail: "There is nothing here." };
  const fields = [
    ["Content-Type", "application/problem+json"],
    ["Request-ID", requestId],
  ] as const;
  return formatHead(`HTTP/1.1 ${status} Refused`, fields) + JSON.stringify(problem);
}

/** The head of a 101. */
export function accept(key: string, hasEcho: boolean): string {
  return formatHead("HTTP/1.1 101 Switching Protocols", [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", acceptOf(key)],
    ...(hasEcho ? [["Sec-WebSocket-Protocol", "rocket.v1"] as const] : []),
  ]);
}

/** What is wrong with a handshake. */
export function handshakeFlaws(headers: IncomingMessage["headers"]): Flaw[] {
  const key = headers["sec-websocket-key"] ?? "";
  const isRight = Buffer.from(key, "base64").length === 16 && headers["sec-websocket-version"] === "13";
  return isRight
    ? []
    : [{ requirement: "RFC6455-4.1", what: "A handshake has no key of 16 bytes, or not the version 13." }];
}

/** The body of a request as JSON; `undefined` where it is none. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A refusal's body. */
export function refusalOf(status: number, detail: string): string {
  return JSON.stringify({ type: "about:blank", title: "Refused", status, detail });
}

/** What is said at the well-known URL. */
export function wellKnownOf(hasStreams: boolean): string {
  return JSON.stringify({
    rocket: {
      version: "1.7",
      levels: [0, 1],
      heartbeatMs: 20_000,
      limits: { maxMessageBytes: 1_064_960, maxSubscriptions: 100, maxOutstandingRequests: 64 },
      promises: ["journal", "merge-patch", "rocket-check-promise"],
      ...(hasStreams ? { streams: ["text/event-stream", "application/http"] } : {}),
      "rocket-check-member": 1,
    },
  });
}
