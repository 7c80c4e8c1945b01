import type { IncomingMessage } from "node:http";

/** The query parameter that a ticket comes in. */
const ticketParameter = "rocket-ticket";

/** A target without its ticket. */
export interface WithoutTicket {
  readonly target: string;
  /** Empty where there was more than one, or one that is none. */
  readonly ticket: string;
}

/** Takes a ticket out of a target, and leaves every other character as it is; `undefined` where there is none. */
export function withoutTicket(url: string): WithoutTicket | undefined {
  const at = url.indexOf("?");
  if (at < 0 || !url.includes(ticketParameter, at)) return undefined;
  const pairs = url.slice(at + 1).split("&");
  const isTicket = (pair: string): boolean => pair === ticketParameter || pair.startsWith(`${ticketParameter}=`);
  const tickets = pairs.filter(isTicket);
  if (tickets.length === 0) return undefined;
  const rest = pairs.filter((pair) => !isTicket(pair)).join("&");
  const [, ticket = ""] = tickets.length === 1 ? (/=([\w-]{43})$/.exec(tickets[0] ?? "") ?? []) : [];
  return { target: url.slice(0, at) + (rest === "" ? "" : `?${rest}`), ticket };
}

/** Has a request be for a target, wherever it is said. */
export function setTarget(request: IncomingMessage, target: string): void {
  const { headers, rawHeaders } = request;
  request.url = target;
  // HTTP/2 says it among the fields, too.
  if (":path" in headers) headers[":path"] = target;
  for (let at = 0; at + 1 < rawHeaders.length && rawHeaders[at]?.startsWith(":"); at += 2) {
    if (rawHeaders[at] === ":path") rawHeaders[at + 1] = target;
  }
}
