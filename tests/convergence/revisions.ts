import type { Entry, History, Stream } from "./history.ts";

function revisionsOf({ url, row, rows }: Entry): [url: string, revision: unknown][] {
  if (rows) return [...rows].map(([each, { revision }]) => [each, revision]);
  return row && url !== undefined ? [[url, row.revision]] : [];
}

function checkStream({ name, asked, entries }: Stream): { readonly count: number; readonly violations: string[] } {
  const last = new Map<string, number>();
  const violations: string[] = [];
  let count = 0;
  const held: Entry[] =
    entries[0]?.status === 304 && asked.held ? [{ at: 0, head: 0, status: 200, rows: asked.held }] : [];
  for (const entry of [...held, ...entries]) {
    for (const [url, revision] of revisionsOf(entry)) {
      if (typeof revision !== "number") continue;
      const former = last.get(url) ?? 0;
      // A whole may show what is known; news are newer.
      if (revision < former || (revision === former && entry.row)) {
        violations.push(`${name}: ${url} went from revision ${former} to ${revision}`);
      }
      last.set(url, revision);
      count += 1;
    }
  }
  return { count, violations };
}

/**
 * No record goes back in time, for any reader: by `revision`, which the database counts up with each write of a record. It
 * needs no journal to be told. `count` says how many records were looked at.
 */
export function checkRevisions({ streams }: History): { readonly count: number; readonly violations: string[] } {
  const checked = streams.map(checkStream);
  return {
    count: checked.reduce((sum, { count }) => sum + count, 0),
    violations: checked.flatMap(({ violations }) => violations),
  };
}
