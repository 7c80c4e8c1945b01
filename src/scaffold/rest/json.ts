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
const tokens = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/gs;
const marked = new RegExp(`"${mark}([^"]*)"`, "g");

function keepsText(text: string): boolean {
  const number = Number(text);
  return String(number) === text && (Number.isSafeInteger(number) || !Number.isInteger(number));
}

/**
 * Parses JSON; numbers that a double would change are {@link JsonNumber}s.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const json: unknown = JSON.parse(text);
  let isExact = true;
  const kept = text.replace(tokens, (token) => {
    if (token.startsWith('"') || keepsText(token)) return token;
    isExact = false;
    return `"${mark}${token}"`;
  });
  if (isExact) return json;
  return JSON.parse(kept, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? new JsonNumber(value.slice(mark.length)) : value,
  );
}

/** Writes what {@link parseJson} has read, each number as it was. */
export function formatJson(json: unknown): string {
  return JSON.stringify(json).replace(marked, "$1");
}

/** Whether a JSON value has members. */
export function isJsonObject(json: unknown): json is object {
  return typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);
}
