import type { IncomingMessage, ServerResponse } from "node:http";
import { createProblem, problemResponse } from "../../protocol/index.ts";
import { ByteCollector, type Clock, type OriginResponse } from "../../server/index.ts";
import { withoutTicket } from "./ticket-parameter.ts";

/** What somebody wants a ticket for. */
export interface TicketOrder {
  readonly url: string;
}

const maxOrderBytes = 16 * 1024;
const orderMs = 10_000;

/** True where there is no order, but why. */
export function isRefusedOrder(order: TicketOrder | OriginResponse): order is OriginResponse {
  return "status" in order;
}

function refuse(status: number, detail: string): OriginResponse {
  return problemResponse(createProblem(status, detail));
}

/** True for a path and query as they are sent: visible ASCII without `#`, and without a ticket. */
function isTarget(url: unknown): url is string {
  if (typeof url !== "string" || url.length > 8_000) return false;
  return /^\/[\x21\x22\x24-\x7e]*$/.test(url) && withoutTicket(url) === undefined;
}

function parseOrder(text: string): TicketOrder | OriginResponse {
  let url: unknown;
  try {
    url = (JSON.parse(text) as { readonly url?: unknown } | null)?.url;
  } catch {
    // Said below.
  }
  if (isTarget(url)) return { url };
  return refuse(400, 'The body says for which URL: {"url":"/artists"}, a path with its query, as it will be sent.');
}

/** Reads what a POST wants a ticket for, in bounded time and size. Never rejects. */
export function readTicketOrder(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
): Promise<TicketOrder | OriginResponse> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json[ \t]*(?:;|$)/i.test(type)) {
    request.resume();
    return Promise.resolve(refuse(415, "Send the URL as application/json."));
  }
  return new Promise((resolve) => {
    const body = new ByteCollector(maxOrderBytes);
    const end = (order: TicketOrder | OriginResponse, isLast = false): void => {
      cancel();
      if (isLast) {
        response.shouldKeepAlive = false;
        request.pause();
        request.removeAllListeners("data");
      }
      resolve(order);
    };
    const cancel = clock.setTimer(() => end(refuse(408, "The body did not come in time."), true), orderMs);
    request.on("data", (part: Buffer) => {
      if (!body.add(part)) end(refuse(413, `An order has at most ${maxOrderBytes} bytes.`), true);
    });
    request.on("end", () => end(parseOrder(Buffer.from(body.take()).toString("utf8"))));
    request.on("error", () => end(refuse(400, "The request was aborted."), true));
    if (request.headers.expect !== undefined) response.writeContinue();
  });
}
