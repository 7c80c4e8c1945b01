import type { Batch, Change, Image, Value } from "./journal.ts";

/** What a change or a value costs beside what it holds. */
const overheadBytes = 64;

function valueBytes(value: Value | undefined): number {
  if (typeof value === "string") return overheadBytes + value.length * 2;
  return value instanceof Uint8Array ? overheadBytes + value.length : overheadBytes;
}

/** About how many bytes values hold. Texts are taken for two bytes a character, as they are beyond Latin-1. */
export function valuesBytes(values: readonly (Value | undefined)[]): number {
  let bytes = overheadBytes;
  for (const value of values) bytes += valueBytes(value);
  return bytes;
}

function imageBytes(image: Image | undefined): number {
  return image ? valuesBytes(Object.values(image)) : 0;
}

/** About how many bytes a change holds. */
export function changeBytes(change: Omit<Change, "position">): number {
  return change.bytes ?? overheadBytes + imageBytes(change.before) + imageBytes(change.after);
}

/** About how many bytes a batch's changes hold, with what they are shown as: about as much once more. */
export function batchBytes(batch: Batch): number {
  let bytes = 0;
  for (const change of batch.changes) bytes += changeBytes(change);
  return bytes * 2;
}
