import { isDeepEqual } from "./deep-equal.ts";
import { type Feed, isAtOrAfter } from "./feed.ts";
import { temporaryUrl, type Write } from "./write.ts";

/** Where positions can't tell, a message or bookmark so long after the answer does. */
const settleMs = 1_000;
/** Further back than this nothing of a live connection lies: the clock was set back. */
const clockSetBackMs = -60_000;

/** True once the stream of a feed shows what a write did, or would have by now. */
export function isShown(write: Write, feed: Feed, url: string, seen: ReadonlySet<string>): boolean {
  if (write.state !== "answered") return false;
  const { eventId } = write;
  const isPast = eventId === undefined ? undefined : isAtOrAfter(feed.position, eventId);
  if (isPast !== undefined) return isPast;
  // Nothing to compare: another segment, a derived view, a server without positions.
  const elapsedMs = feed.heardAt - write.answeredAt;
  return seen.has(url) || (feed.isCaughtUp && (elapsedMs >= settleMs || elapsedMs < clockSetBackMs));
}

/** The writes of a client. */
interface OwnWrites {
  /** Oldest first. */
  readonly writes: readonly Write[];
  /** Real URLs by temporary ones. */
  readonly created: ReadonlyMap<string, string>;
}

/** A list with writes shown ahead of time. */
export interface Overlaid {
  readonly rows: readonly unknown[];
  /** The URL of each row that the overlay made. */
  readonly urls: ReadonlyMap<unknown, string>;
  /** The rows that the server has not confirmed. */
  readonly pending: ReadonlySet<unknown>;
}

function merge(row: unknown, values: Readonly<Record<string, unknown>>): unknown {
  return { ...(row as object), ...values };
}

/** True where a row that came in the stream must be the record that a create is about to make. */
function isSameRecord(row: unknown, write: Write): boolean {
  return (
    typeof row === "object" &&
    row !== null &&
    Object.entries(write.values).every(([name, value]) => isDeepEqual(Reflect.get(row, name), value))
  );
}

/**
 * Shows writes on top of a feed's rows: created records at the end, changed ones changed, destroyed ones gone.
 *
 * @param isOpen - whether the feed does not show a write yet
 * @param entered - rows that entered since the write was made, by its id
 * @param before - what was shown before: rows that are equal keep their identity
 */
export function overlay(
  feed: Feed,
  outbox: OwnWrites,
  isOpen: (write: Write) => boolean,
  entered: ReadonlyMap<string, ReadonlySet<string>>,
  before: Overlaid | undefined,
): Overlaid {
  const { replica } = feed;
  const byUrl = new Map<string, unknown>();
  for (const row of replica.rows) byUrl.set(replica.urlOf(row) ?? "", row);
  const pending = new Set<unknown>();
  const made = new Map<unknown, string>();
  const kept = new Map([...(before?.urls ?? [])].map(([row, url]) => [url, row]));
  const show = (url: string, shown: unknown, isPending: boolean): void => {
    const row = [kept.get(url), replica.get(url)].find((one) => isDeepEqual(one, shown)) ?? shown;
    pending.delete(byUrl.get(url));
    made.delete(byUrl.get(url));
    byUrl.set(url, row);
    made.set(row, url);
    if (isPending) pending.add(row);
  };
  for (const write of outbox.writes.filter(isOpen)) {
    const url = outbox.created.get(write.url) ?? write.url;
    const isPending = write.state !== "answered";
    if (write.kind === "create") {
      const temporary = temporaryUrl + write.id;
      const real = outbox.created.get(temporary);
      const come = [...(entered.get(write.id) ?? [])].some((one) => isSameRecord(replica.get(one), write));
      if (write.view !== feed.target || come || (real !== undefined && replica.get(real) !== undefined)) continue;
      show(real ?? temporary, isPending ? { ...write.values } : (write.row ?? { ...write.values }), isPending);
    } else if (!byUrl.has(url)) continue;
    else if (write.kind === "destroy") byUrl.delete(url);
    else
      show(
        url,
        isPending ? merge(byUrl.get(url), write.values) : (write.row ?? merge(byUrl.get(url), write.values)),
        isPending,
      );
  }
  return { rows: [...byUrl.values()], urls: made, pending };
}
