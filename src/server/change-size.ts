import type { Batch, Change, Image, Value } from "./ports/journal.ts";

/** What a change and a value cost beside what they hold. */
const changeOverhead = 64;
const valueOverhead = 16;

function valueBytes(value: Value | undefined): number {
  if (typeof value === "string") return valueOverhead + value.length * 2;
  return value instanceof Uint8Array ? valueOverhead + value.length : valueOverhead;
}

/** About how many bytes values hold. Texts are taken for two bytes a character, as they are beyond Latin-1. */
export function valuesBytes(values: readonly (Value | undefined)[]): number {
  let bytes = changeOverhead;
  for (const value of values) bytes += valueBytes(value);
  return bytes;
}

function imageBytes(image: Image | undefined): number {
  return image ? valuesBytes(Object.values(image)) : 0;
}

/** About how many bytes a change holds. */
export function changeBytes(change: Omit<Change, "position" | "represent" | "representBefore">): number {
  return change.bytes ?? changeOverhead + imageBytes(change.before) + imageBytes(change.after);
}

/** About how many bytes a batch's changes hold, with what they are shown as: about as much once more. */
export function batchBytes(batch: Batch): number {
  let bytes = 0;
  for (const change of batch.changes) bytes += changeBytes(change);
  return bytes * 2;
}
