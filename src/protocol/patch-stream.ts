import { jsonPart } from "./json-part.ts";
import type { Body } from "./message.ts";
import { markInHead } from "./message-mark.ts";
import { splitMessage } from "./split-message.ts";

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
 * [R-STR-11] [R-STR-12]. Those who split a stream by what they read at once, and not by its empty lines, need it written alone.
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
  return patchEvent(patch, eventId);
}

function patchEvent(operations: readonly string[], eventId: string | undefined): Uint8Array {
  const id = eventId === undefined ? "" : `id: ${eventId}\n`;
  return encoder.encode(`event: patch\n${id}data: [${operations.join(",")}]\n\n`);
}

const urlLine = /\r\ncontent-location: ([^\r]*)/i;

/**
 * A notification's part in a patch, as a line for a {@link PatchCollector}: its `Event-ID`, if it has one, a blank, and the
 * operation. The bytes may be shared by all whom the notification is for.
 *
 * @param message - a notification as `encodeResponse` wrote it, text or bytes
 * @param record - as that of {@link encodePatchEvent}
 * @throws TypeError where it is no notification, or its record is no JSON
 */
export function encodePatchLine(message: Body, record = ""): Uint8Array {
  const { head, body } = splitMessage(message);
  const { status, eventId = "" } = markInHead(head);
  const url = urlLine.exec(head)?.[1];
  const isNotification = status === 201 || status === 202 || status === 204;
  const written = url === undefined || !isNotification ? undefined : operation({ status, url, body }, record);
  if (written === undefined) throw new TypeError("The message tells of no record that is JSON.");
  return encoder.encode(`${eventId} ${written}\n`);
}

/** Makes events of whole batches out of the lines of their notifications [R-STR-11]. */
export class PatchCollector {
  readonly #decoder: TextDecoder = new TextDecoder();
  #operations: string[] = [];
  #length = 0;

  /** How much is held of a batch whose end has not come yet, in UTF-16 units. */
  get heldLength(): number {
    return this.#length;
  }

  /** Takes lines as {@link encodePatchLine} wrote them. Gives the batches that are whole by now, as one event. */
  add(lines: Uint8Array): Uint8Array | undefined {
    let whole = 0;
    let mark = "";
    for (const line of this.#decoder.decode(lines).split("\n").slice(0, -1)) {
      const blank = line.indexOf(" ");
      this.#operations.push(line.slice(blank + 1));
      this.#length += line.length;
      if (blank > 0) [whole, mark] = [this.#operations.length, line.slice(0, blank)];
    }
    if (whole === 0) return undefined;
    const event = patchEvent(this.#operations.slice(0, whole), mark);
    this.#operations = this.#operations.slice(whole);
    this.#length = this.#operations.reduce((sum, { length }) => sum + length, 0);
    return event;
  }
}
