import type { StoredWrite, Write } from "./write.ts";

/** Does nothing. */
export function ignore(): void {}

/** A write that waits for its turn. */
export function queued(
  write: StoredWrite,
  resolve: Write["resolve"],
  reject: Write["reject"],
  onConflict?: Write["onConflict"],
): Write {
  const begun = { state: "queued", after: undefined, rounds: 0, row: undefined, eventId: undefined } as const;
  return { ...write, ...begun, answeredAt: 0, resolve, reject, onConflict };
}

/** What is kept of a write over a reload. */
export function stored({ id, kind, view, url, values, etag, base, user, madeAt, batch }: StoredWrite): StoredWrite {
  return { id, kind, view, url, values, etag, base, user, madeAt, batch };
}
