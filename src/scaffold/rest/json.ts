import { randomUUID } from "node:crypto";

/** A number of a JSON text that would be written otherwise, or be another one, as a double: it keeps its text. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For {@link formatJson} alone: a string that nobody can have sent. */
  toJSON(): string {
    return `${mark}${this.text}`;
  }
}

const mark = `number ${randomUUID()} `;

function keepsText(text: string): boolean {
  const number = Number(text);
  return String(number) === text && (Number.isSafeInteger(number) || !Number.isInteger(number));
}

function isNumberPart(text: string, at: number): boolean {
  const character = text[at];
  return character !== undefined && "0123456789+-.eE".includes(character);
}

/** Where the string ends that begins at a quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** JSON in which numbers that a double would change are marked strings; the same text where there are none. */
function markNumbers(json: string): string {
  const parts: string[] = [];
  let done = 0;
  for (let at = 0; at < json.length; ) {
    const character = json[at] ?? "";
    if (character === '"') {
      at = stringEnd(json, at);
    } else if (!"-0123456789".includes(character)) {
      at += 1;
    } else {
      const start = at;
      while (isNumberPart(json, at)) at += 1;
      const number = json.slice(start, at);
      if (keepsText(number)) continue;
      parts.push(json.slice(done, start), `"${mark}${number}"`);
      done = at;
    }
  }
  return parts.length === 0 ? json : [...parts, json.slice(done)].join("");
}

/**
 * Parses JSON; numbers that a double would change are {@link JsonNumber}s.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const json: unknown = JSON.parse(text);
  const marked = markNumbers(text);
  if (marked === text) return json;
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? new JsonNumber(value.slice(mark.length)) : value,
  );
}

/** Writes what {@link parseJson} has read, each number as it was. */
export function formatJson(json: unknown): string {
  const [first = "", ...rest] = JSON.stringify(json).split(`"${mark}`);
  return first + rest.map((part) => part.replace('"', "")).join("");
}

/** Whether a JSON value has members. */
export function isJsonObject(json: unknown): json is object {
  return typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);
}
