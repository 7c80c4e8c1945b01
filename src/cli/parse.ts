import { InvalidArgumentError } from "commander";
import { isToken, trimBlanks } from "../protocol/index.ts";
import { BasePath } from "../server/index.ts";
import { type Action, actions } from "./serve-options.ts";

function wholeNumber(text: string, low: number, high: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= low && value <= high) return value;
  throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
}

/** The path of a database or a folder. */
export function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("Give a path.");
  return text;
}

/** Claims: a JSON object. */
export function parseClaims(text: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === "object" && claims !== null && !Array.isArray(claims)) return { ...claims };
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Give a JSON object, as in {"role":"editor"}.');
}

/** One more path. */
export function parsePaths(text: string, before: readonly string[] = []): string[] {
  return [...before, parsePath(text)];
}

/** A port; 0 means any free one. */
export function parsePort(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

/** A number of MiB, as bytes. */
export function parseMebibytes(text: string): number {
  return wholeNumber(text, 1, 1024) * 1024 * 1024;
}

/** A number of seconds, as milliseconds. */
export function parseSeconds(text: string): number {
  return wholeNumber(text, 1, 3600) * 1000;
}

/** How many threads; 0 means none. */
export function parseThreads(text: string): number {
  return wholeNumber(text, 0, 16);
}

/** The path below which clients see a server. */
export function parseBasePath(text: string): string {
  try {
    return new BasePath(text).text;
  } catch {
    throw new InvalidArgumentError('Give a path of letters, digits, "-", ".", "_" and "~", as in "/api".');
  }
}

/** How many messages to print. */
export function parseCount(text: string): number {
  return wholeNumber(text, 1, 1e15 - 1);
}

/** `a,b,c`, added to what was given before. */
export function parseNames(text: string, before: readonly string[] = []): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("Give names, separated by commas.");
  return [...before, ...names];
}

/** `read,subscribe`, added to what was given before. */
export function parseActions(text: string, before: readonly Action[] = []): Action[] {
  const found = parseNames(text).map((name) => {
    const action = actions.find((one) => one === name);
    if (action === undefined) {
      throw new InvalidArgumentError(`There is no action ${JSON.stringify(name)}: there are ${actions.join(", ")}.`);
    }
    return action;
  });
  return [...before, ...found];
}

/** One more `https://app.example.com`. */
export function parseOrigin(text: string, before: readonly string[] = []): string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/` || url.username !== "") {
    throw new InvalidArgumentError('Give scheme, host and port only, as in "https://app.example.com".');
  }
  return [...before, url.origin];
}

/** One more host name. */
export function parseHostName(text: string, before: readonly string[] = []): string[] {
  if (!/^[\w.-]+$|^\[[\da-f:.]+\]$/i.test(text)) {
    throw new InvalidArgumentError('Give a host name without port, as in "db.example.com".');
  }
  return [...before, text];
}

const handshakeFields = /^(?:upgrade|connection|content-length|transfer-encoding|last-event-id|sec-websocket-.*)$/i;

/** One more `Name: value`. */
export function parseHeader(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(colon, 0));
  const value = trimBlanks(text.slice(colon + 1));
  if (!isToken(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new InvalidArgumentError('Give a field as "Name: value".');
  }
  if (/^last-event-id$/i.test(name)) throw new InvalidArgumentError("Give it as --last-event-id.");
  if (handshakeFields.test(name)) throw new InvalidArgumentError(`${name} belongs to the handshake itself.`);
  return [...before, [name, value]];
}

/** The URL to follow, as `ws:` or `wss:`; without a scheme it is `http:`. */
export function parseTarget(text: string): string {
  const full = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || !/^(?:http|https|ws|wss):$/.test(url.protocol)) {
    throw new InvalidArgumentError("Give an http:, https:, ws: or wss: URL.");
  }
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url.href;
}

/** The value of `--last-event-id`. */
export function parseEventId(text: string): string {
  if (/^(?:\*|[A-Za-z0-9._~:-]{1,128})$/.test(text)) return text;
  throw new InvalidArgumentError("Give the Event-ID of an earlier message, or * for no snapshot.");
}

/** The value of `--level`. */
export function parseLevel(text: string): 0 | 1 {
  if (text === "0" || text === "1") return text === "0" ? 0 : 1;
  throw new InvalidArgumentError("There are 0 and 1.");
}
