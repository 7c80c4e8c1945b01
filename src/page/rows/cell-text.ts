import type { Column } from "../schema.ts";

/** What a cell shows. */
export interface CellText {
  readonly text: string;
  /** How it is set: numbers to the right, what is missing in grey. */
  readonly look: "text" | "number" | "null" | "empty" | "boolean" | "bytes" | "json";
}

/** A cell shows no more than this of a text. */
const maxShown = 240;

/** How many bytes a text of Base64 holds. */
export function base64Bytes(text: string): number {
  return Math.floor((text.replace(/={1,2}$/, "").length * 3) / 4);
}

/** `1.2 kB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1_000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** What a cell shows of a value: NULL is not the empty text. */
export function cellText(value: unknown, { kind }: Pick<Column, "kind">): CellText {
  if (value === null || value === undefined) return { text: "NULL", look: "null" };
  if (value === "") return { text: "empty", look: "empty" };
  if (typeof value === "boolean") return { text: String(value), look: "boolean" };
  if (kind === "bytes" && typeof value === "string") return { text: formatBytes(base64Bytes(value)), look: "bytes" };
  if (typeof value === "object") return { text: shorten(JSON.stringify(value)), look: "json" };
  const look = kind === "number" ? "number" : kind === "json" ? "json" : "text";
  return { text: shorten(String(value)), look };
}

function shorten(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** Whether two values of a cell are the same. */
export function isSameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other);
}

/** The members in which two versions of a row differ. */
export function changedMembers(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSameValue(before[name], after[name]));
}
