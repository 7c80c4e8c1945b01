import { styleText } from "node:util";
import { type Body, type Field, fieldValue, type HttpResponse } from "../protocol/index.ts";

/** How messages are shown. */
export interface MessageStyle {
  /** Lay JSON out, show control characters, name binary bodies instead of writing them. */
  readonly isTerminal: boolean;
  readonly isColoured: boolean;
}

type Paint = Extract<Parameters<typeof styleText>[0], string>;

function paint(format: Paint | Paint[], text: string, { isColoured }: MessageStyle): string {
  return isColoured ? styleText(format, text, { validateStream: false }) : text;
}

function statusPaint(status: number): Paint {
  if (status === 201) return "green";
  if (status === 202) return "yellow";
  if (status === 204) return "magenta";
  if (status < 300) return "cyan";
  return status < 400 ? "gray" : "red";
}

/** Bytes that a terminal would obey become visible: a peer must not move the cursor or change the title. */
function showControls(text: string): string {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function formatHead({ status, reason, fields }: HttpResponse, style: MessageStyle): string {
  const clean = style.isTerminal ? showControls : (text: string) => text;
  const line = `HTTP/1.1 ${paint(["bold", statusPaint(status)], clean(`${status} ${reason}`).trimEnd(), style)}`;
  const lines = fields.map(([name, value]) => `${paint("cyan", `${name}:`, style)} ${clean(value)}`.trimEnd());
  return `${[line, ...lines].join("\n")}\n\n`;
}

function isJson(fields: readonly Field[]): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(fieldValue(fields, "Content-Type") ?? "");
}

function layOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function formatForTerminal(body: Body, fields: readonly Field[]): string {
  if (typeof body !== "string") return `(${body.length} bytes)`;
  return showControls(isJson(fields) ? layOut(body) : body);
}

/** A message as `curl -i` prints it: status line, fields, empty line, body, and an empty line after it. */
export function formatMessage(message: HttpResponse, style: MessageStyle): (string | Uint8Array)[] {
  const head = formatHead(message, style);
  const { body, fields } = message;
  if (body.length === 0) return [head];
  if (style.isTerminal) return [`${head}${formatForTerminal(body, fields)}\n\n`];
  return typeof body === "string" ? [`${head}${body}\n\n`] : [head, body, "\n\n"];
}

/** A line about the connection, told apart from messages. */
export function formatNote(text: string, isColoured: boolean): string {
  return paint("dim", `* ${showControls(text)}`, { isTerminal: true, isColoured });
}
