import type { IncomingMessage } from "node:http";
import { reasonPhrase } from "../protocol/index.ts";
import type { Ending } from "./link.ts";

const maxRefusalBytes = 64 * 1024;
const readTimeoutMs = 5_000;

/** The longest wait that a peer may ask for with Retry-After. */
const maxRetryAfterMs = 3_600_000;

/** The detail of a problem (RFC 9457), or its title; `undefined` where the text is no problem. */
export function problemDetail(body: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem !== "object" || problem === null) return undefined;
    const { detail, title } = problem as { readonly detail?: unknown; readonly title?: unknown };
    return [detail, title].find((text): text is string => typeof text === "string" && text !== "");
  } catch {
    return undefined;
  }
}

/** The wait that a Retry-After asks for, in milliseconds; `undefined` where it is absent or malformed. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

/** `404 Not Found: there is no table "x"`. */
export function describeStatus(status: number, detail: string | undefined): string {
  const name = `${status} ${reasonPhrase(status)}`.trim();
  return detail === undefined ? name : `${name}: ${detail}`;
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  const timer = setTimeout(() => response.destroy(), readTimeoutMs);
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      text += chunk as string;
      if (text.length > maxRefusalBytes) break;
    }
  } catch {
    // What came until then has to do.
  } finally {
    clearTimeout(timer);
  }
  return text;
}

function notLive(status: number): string {
  return `the server answered ${describeStatus(status, undefined)} and opened no WebSocket: it does not speak Rocket`;
}

/** Reads the answer to a handshake that was refused. */
export async function readRefusal(response: IncomingMessage): Promise<Ending> {
  const status = response.statusCode ?? 0;
  const detail = problemDetail(await readText(response));
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"]);
  const { location } = response.headers;
  return {
    kind: "refused",
    status,
    detail: status < 300 ? notLive(status) : describeStatus(status, detail),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(location === undefined ? {} : { location }),
  };
}
