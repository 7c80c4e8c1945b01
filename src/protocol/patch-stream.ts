import { jsonPart } from "./json-part.ts";
import type { Body } from "./message.ts";

/** What became of one record, as a notification says it. */
export interface PatchStep {
  /** 201 entered, 202 changed, 204 left. */
  readonly status: 201 | 202 | 204;
  /** The record's URL, as in `Content-Location`. */
  readonly url: string;
  /** What a GET of the record answers; without meaning on 204. */
  readonly body?: Body;
}

const encoder = new TextEncoder();
const operations = { 201: "add", 202: "replace", 204: "remove" } as const;

function textOf(body: Body): string | undefined {
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** JSON on one line. Not even what only some clients take for a line's end stays in it. */
function onOneLine(json: string): string {
  const isBreak = /[\x85\u2028\u2029]/g;
  // In JSON, these two stand between values only, and the others in strings only.
  const joined = json.replace(/[\r\n]/g, "");
  return joined.replace(isBreak, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function operation({ status, url, body = "" }: PatchStep, record: string): string | undefined {
  const start = `{"op":"${operations[status]}","path":${JSON.stringify(url.replaceAll("~", "~0"))}`;
  if (status === 204) return `${start}}`;
  const text = textOf(body);
  const value = text === undefined ? undefined : jsonPart(text, record);
  return value === undefined ? undefined : `${start},"value":${onOneLine(value)}}`;
}

/**
 * Writes a batch of changes as one event with a JSON Patch (RFC 6902): `add`, `replace` or `remove` for each, in order
 * [R-STR-12] [R-STR-13]. Those who split a stream by what they read at once, and not by its empty lines, need it written alone.
 *
 * @param eventId - the batch's commit mark
 * @param record - where a record is in its own body, as in `Items`; the whole body unless given
 * @returns `undefined` where a record can't be given so: its body is no JSON, or has nothing there
 */
export function encodePatchEvent(
  steps: readonly PatchStep[],
  eventId: string | undefined,
  record = "",
): Uint8Array | undefined {
  const patch: string[] = [];
  for (const step of steps) {
    const written = operation(step, record);
    if (written === undefined) return undefined;
    patch.push(written);
  }
  const id = eventId === undefined ? "" : `id: ${eventId}\n`;
  return encoder.encode(`event: patch\n${id}data: [${patch.join(",")}]\n\n`);
}
