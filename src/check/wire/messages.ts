import { type Field, fieldValue } from "./http.ts";

/** What is wrong with a message, and by which requirement. */
export interface Flaw {
  readonly requirement: string;
  readonly what: string;
}

/** A message as it came. What could not be read is empty or 0. */
export interface Message {
  readonly isText: boolean;
  /** Of an answer or notification. */
  readonly status: number;
  /** Of a request. */
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  /** All of it, one character for each octet of the head. */
  readonly text: string;
  readonly flaws: readonly Flaw[];
}

const banned = new Set(["transfer-encoding", "connection", "upgrade", "te", "trailer"]);
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The head with its empty line, and where the body begins. */
function splitHead(text: string): { readonly lines: string[]; readonly bodyAt: number; readonly flaws: Flaw[] } {
  const strict = text.indexOf("\r\n\r\n");
  const loose = /\r?\n\r?\n/.exec(text);
  if (!loose) {
    const what = "It has no empty line after the head.";
    return { lines: text.split(/\r?\n/), bodyAt: text.length, flaws: [{ requirement: "R-MSG-1", what }] };
  }
  const flaws: Flaw[] = [];
  if (loose.index !== strict || /[^\r]\n/.test(text.slice(0, loose.index))) {
    flaws.push({ requirement: "R-MSG-4", what: "A line of the head does not end with CRLF." });
  }
  return { lines: text.slice(0, loose.index).split(/\r?\n/), bodyAt: loose.index + loose[0].length, flaws };
}

/** Takes SP and HTAB off both ends, and nothing else [R-MSG-8]. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] === " " || text[start] === "\t")) start += 1;
  while (end > start && (text[end - 1] === " " || text[end - 1] === "\t")) end -= 1;
  return text.slice(start, end);
}

function readFields(lines: readonly string[], flaws: Flaw[]): Field[] {
  return lines.map((line): Field => {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : trimBlanks(line.slice(colon + 1));
    const shown = JSON.stringify(line.slice(0, 60));
    if (colon < 0 || !tokenPattern.test(name)) {
      flaws.push({ requirement: "R-MSG-7", what: `A line of the head is no field: ${shown}.` });
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      flaws.push({ requirement: "R-MSG-9", what: `A value has a character that is not allowed: ${shown}.` });
    }
    return [name, value];
  });
}

function framingFlaws(fields: readonly Field[], body: Buffer): Flaw[] {
  const flaws: Flaw[] = [];
  for (const [name] of fields) {
    if (banned.has(name.toLowerCase())) flaws.push({ requirement: "R-MSG-11", what: `It has a field ${name}.` });
  }
  const lengths = fields.filter(([name]) => name.toLowerCase() === "content-length");
  if (lengths.length > 1) flaws.push({ requirement: "R-MSG-10", what: "It has more than one Content-Length." });
  const length = lengths[0]?.[1];
  if (length !== undefined && !(/^[0-9]+$/.test(length) && Number(length) === body.length)) {
    const what = `Content-Length says ${JSON.stringify(length)}, and the body has ${body.length} bytes.`;
    flaws.push({ requirement: "R-MSG-10", what });
  }
  return flaws;
}

function statusFlaws(start: string, status: number, body: Buffer): Flaw[] {
  const flaws: Flaw[] = [];
  const shown = JSON.stringify(start.slice(0, 60));
  if (!/^HTTP\/1\.1 [0-9]{3} [\t -~\x80-\xff]*$/.test(start) || status < 200 || status > 599) {
    flaws.push({ requirement: "R-MSG-6", what: `The first line is no status line of 200 to 599: ${shown}.` });
  }
  if ((status === 204 || status === 304) && body.length > 0) {
    flaws.push({ requirement: "R-MSG-12", what: `A ${status} has a body.` });
  }
  return flaws;
}

/**
 * Reads a WebSocket message strictly, whatever it is, and says all that is wrong with it.
 *
 * @param kind - what it should be
 */
export function readMessage(bytes: Buffer, isText: boolean, kind: "request" | "response"): Message {
  const text = bytes.toString(isText ? "utf8" : "latin1");
  const { lines, bodyAt, flaws } = splitHead(text);
  if (isText && /[^\0-\xff]/.test(text.slice(0, bodyAt))) {
    flaws.push({ requirement: "R-MSG-2", what: "The head has a character above U+00FF." });
  }
  const [start = "", ...rest] = lines;
  const fields = readFields(rest, flaws);
  const body = Buffer.from(text.slice(bodyAt), isText ? "utf8" : "latin1");
  flaws.push(...framingFlaws(fields, body));
  const status = kind === "response" ? Number(/^HTTP\/1\.1 ([0-9]{3})(?: |$)/.exec(start)?.[1] ?? 0) : 0;
  const [, method = "", target = ""] = /^([^ ]+) (\/[!"$-~]*) HTTP\/1\.1$/.exec(start) ?? [];
  if (kind === "response") flaws.push(...statusFlaws(start, status, body));
  else if (!tokenPattern.test(method)) {
    flaws.push({
      requirement: "R-MSG-5",
      what: `The first line is no request line: ${JSON.stringify(start.slice(0, 60))}.`,
    });
  }
  return { isText, status, method, target, fields, body, text, flaws };
}

/** The first value of a message's field. */
export function fieldOf(message: Message, name: string): string | undefined {
  return fieldValue(message.fields, name);
}

/** A message's body as JSON; `undefined` where it is none. */
export function jsonOf({ body }: { readonly body: Buffer }): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
