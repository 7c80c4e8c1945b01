import type { Entry, Stream } from "./history.ts";
import type { Outcome } from "./runner.ts";

function line({ at, head, status, url, row, rows, eventId, isShared, isAnswer }: Entry): string {
  const version = row ? `version ${row.version}` : rows ? `${rows.size} rows` : "";
  const kind = isShared ? "for all" : isAnswer ? "answer" : "";
  const words = [`${at} ms`, `head ${head}`, status, url, version, eventId ?? "no position", kind];
  return `  ${words.filter((word) => word !== undefined && word !== "").join(" | ")}`;
}

function streamStory({ name, asked, entries, isOpenAtEnd, openedHead, connection }: Stream): string {
  const { held, ...rest } = asked;
  const wish = JSON.stringify({ ...rest, held: held && [...held.keys()], openedHead, isOpenAtEnd });
  return [`${name} asked ${wish}, closed with ${connection.closeCode ?? "nothing"}`, ...entries.map(line)].join("\n");
}

/** The transactions of a run, and all that the subscriptions got that a violation names. */
export function storyOf({ violations, history }: Pick<Outcome, "violations" | "history">): string {
  const named = history.streams.filter(({ name }) => violations.some((text) => text.includes(`${name}: `)));
  const transactions = history.transactions.map(({ at, first, last, changes, resets }) => {
    const each = changes.map(({ url, after }) => `${url}=${after?.version ?? "gone"}`);
    return `${at} ms ${first} to ${last}: ${each.join(", ")}${resets.length > 0 ? ` (reset of ${resets})` : ""}`;
  });
  return [...transactions, ...named.map(streamStory)].join("\n");
}
