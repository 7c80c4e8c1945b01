import type { IncomingMessage } from "node:http";

/**
 * How a client follows a URL: by a WebSocket, an event stream, an HTTP stream (`parts`), a patch stream, or GETs that wait
 * (`polls`).
 */
export type Way = "socket" | "events" | "parts" | "patches" | "polls";

/** The ways by which messages come one by one, and mean the same. */
export const messageWays: readonly Way[] = ["socket", "events", "parts"];

/** The ways over plain HTTP by which messages come. */
export const streamWays: readonly Way[] = ["events", "parts"];

/** The ways over plain HTTP. */
const httpWays: readonly Way[] = ["events", "parts", "patches", "polls"];

/** All of them. */
export const everyWay: readonly Way[] = ["socket", ...httpWays];

/** What ways are called. */
export const wayNames: Readonly<Record<Way, string>> = {
  socket: "WebSocket",
  events: "event stream",
  parts: "HTTP stream",
  patches: "patch stream",
  polls: "GETs that wait",
};

interface Range {
  readonly way: "events" | "parts" | undefined;
  readonly weight: number;
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const parameter = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  const kind = parameter("msgtype")?.replaceAll('"', "") ?? "response";
  const isParts = type === "application/http" && kind === "response";
  const way = type === "text/event-stream" ? "events" : isParts ? "parts" : undefined;
  return { way, weight: Number(parameter("q") ?? 1) };
}

/** The stream that an `Accept` asks for, by R-STR-1; `undefined` where it asks for a plain answer. */
export function streamIn(accept: string): "events" | "parts" | undefined {
  const ranges = accept.split(",").map(rangeOf);
  const plain = Math.max(0, ...ranges.filter(({ way }) => way === undefined).map(({ weight }) => weight));
  // A sort keeps the order of those that are equal.
  const best = ranges.filter(({ way }) => way !== undefined).sort((one, other) => other.weight - one.weight)[0];
  return best && best.weight > plain ? best.way : undefined;
}

/** Whether an `Accept` names a stream, though it may ask for a plain answer by R-STR-1. */
export function namesStream(accept: string): boolean {
  return accept
    .split(",")
    .map(rangeOf)
    .some(({ way, weight }) => way !== undefined && weight > 0);
}

/** By which way over HTTP a request follows; `undefined` where it is a plain one. */
export function wayOf({ method, headers }: IncomingMessage): Way | undefined {
  const stream = streamIn(headers.accept ?? "");
  if (method === "SUBSCRIBE") return stream === "events" ? "patches" : undefined;
  if (method !== "GET") return undefined;
  const isKnown = headers["last-event-id"] !== undefined || headers["if-none-match"] !== undefined;
  const waits = /(?:^|,)\s*wait=[0-9]+\s*(?:[,;]|$)/i.test(String(headers.prefer ?? ""));
  return stream ?? (isKnown && waits ? "polls" : undefined);
}
