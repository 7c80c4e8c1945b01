import { fieldValue } from "../../../src/protocol/index.ts";
import type { MemoryPeer } from "../../../src/testing/index.ts";

/** What a peer was told from some message on, but for bookmarks: `201 /notes/1`. */
export function told({ messages }: MemoryPeer, from = 0): string[] {
  return messages
    .slice(from)
    .filter(({ status }) => status !== 304)
    .map(({ status, fields }) => `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim());
}

/** Waits for what comes about by itself. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("It did not come to be so.");
    await new Promise<void>((resolve) => setTimeout(resolve, 2));
  }
}
