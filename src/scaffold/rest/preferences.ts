import { type Field, parsePreferences } from "../../protocol/index.ts";

/** Whether a GET asks how many records there are in all: `Prefer: count=exact`, as PostgREST has it. */
export function prefersCount(fields: readonly Field[]): boolean {
  return parsePreferences(fields).get("count") === "exact";
}
