import type { SqlValue } from "./schema.ts";

/** A byte of a text that is not UTF-8, as half of a character that no UTF-8 has. */
const escapedByte = /[\udc80-\udcff]/u;
const firstEscape = 0xdc00;

/**
 * Whether a text is one that SQLite holds and that is not UTF-8. Its bytes from 0x80 on are lone surrogates here, so that
 * no two such texts are the same; as the drivers give it, it has U+FFFD in their place.
 */
export function isBrokenText(value: SqlValue): boolean {
  return typeof value === "string" && !value.isWellFormed() && escapedByte.test(value);
}

/** The text that bytes are, exactly: also where they are not UTF-8, as {@link isBrokenText} says. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    return text.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(firstEscape + byte.charCodeAt(0)));
  }
}

/** The bytes of a text that is not UTF-8; `undefined` for any other value. */
export function brokenBytes(value: SqlValue): Buffer | undefined {
  if (!isBrokenText(value)) return undefined;
  const text = String(value);
  const bytes = text.replace(/[\udc80-\udcff]/g, (half) => String.fromCharCode(half.charCodeAt(0) - firstEscape));
  return Buffer.from(bytes, "latin1");
}

/** A text as JSON has it: with U+FFFD for what is not UTF-8, as the drivers show it. */
export function shownText(text: string): string {
  return brokenBytes(text)?.toString("utf8") ?? text;
}

/** Whether a value as a driver gives it may stand for a text that is not UTF-8: then its bytes tell. */
export function mayBeBroken(value: SqlValue | undefined): boolean {
  return typeof value === "string" && value.includes("\ufffd");
}
