import { Refusal } from "./refusal.ts";

/** How much JSON may be embedded in one record, in UTF-16 units, as the database makes it: it is in memory at once. */
const maxEmbedded = 32 * 1024 * 1024;

/** @throws Refusal 422 where one record has too much embedded */
export function requireEmbeddable(json: string): void {
  if (json.length <= maxEmbedded) return;
  const detail = `One record has more than ${maxEmbedded / 1024 / 1024} MiB embedded. Say how much is wanted, as albums.limit=100.`;
  throw new Refusal(422, detail);
}
