import type { CommittedChange, Entry, Mark, Stream } from "./history.ts";
import type { Model } from "./model.ts";

/** A message and the change that it tells of, as far as one can be found. */
export interface Step {
  readonly entry: Entry;
  readonly change?: CommittedChange;
}

/** What a subscription got from one opening, or one fresh 200, to the next. */
export interface Stretch {
  readonly stream: Stream;
  /** The 200 or 304 that it starts with; none at Level 0, and where the server began with something else. */
  readonly opening?: Entry;
  /** Where it starts; absent where nobody can say. */
  readonly base?: Mark;
  readonly steps: readonly Step[];
  readonly isLast: boolean;
}

/** True for 201, 202 and 204. */
export function isChange({ status }: Entry): boolean {
  return status === 201 || status === 202 || status === 204;
}

/**
 * @param after - up to where the record was told of
 * @param last - up to where anything was
 */
function findChange(
  model: Model,
  { view }: Stream,
  entry: Entry,
  { after, last }: { readonly after: number; readonly last: number },
): CommittedChange | undefined {
  const { url, row } = entry;
  if (url === undefined || !isChange(entry)) return undefined;
  if (entry.status === 204) {
    const left = model.leave(view, url, after, entry.head)?.change;
    // A record that was created again outside of the view may leave it there.
    return left && left.position < last ? (model.again(left) ?? left) : left;
  }
  const change = row && model.byVersion.get(row.version);
  return change?.url === url ? change : undefined;
}

function resolveSteps(model: Model, stream: Stream, base: Mark | undefined, entries: readonly Entry[]): Step[] {
  const last = new Map<string, number>();
  let furthest = 0;
  return entries.map((entry) => {
    const after = last.get(entry.url ?? "") ?? base?.position ?? 0;
    const change = findChange(model, stream, entry, { after, last: furthest });
    if (!change) return { entry };
    furthest = Math.max(furthest, change.position);
    last.set(change.url, Math.max(after, change.position));
    return { entry, change };
  });
}

/**
 * Level 0 does not say where it starts: the last place between the request and the 101 that explains what came. Where no
 * GET told a position after the 101, it may be any after the request.
 */
function level0Start(model: Model, { view, asked, openedHead = Number.POSITIVE_INFINITY, entries }: Stream): number {
  const ends = model.history.transactions.map(({ last }) => last);
  const candidates = [asked.head, ...ends.filter((end) => end > asked.head && end <= openedHead)];
  const explains = (start: number): boolean => {
    const expected = [...model.expected(view, start, model.head)];
    return entries.every(({ status, url, row }) => {
      for (let next = expected.shift(); next; next = expected.shift()) {
        const { change } = next;
        const isSame = url === change.url && row?.version === (row && change.after?.version);
        if (isSame && (status === 204) === (next.status === 204)) return true;
        // A delete may have been told together with the create that follows it.
        if (!model.again(change)) return false;
      }
      return false;
    });
  };
  return candidates.findLast(explains) ?? asked.head;
}

/** A 200 without a position is an opening together with all up to the first mark: there, all that it shows has one [R-POS-3]. */
function withMark(opening: Entry, following: readonly Entry[]): readonly [Entry, readonly Entry[]] {
  const at = following.findIndex(({ mark }) => mark);
  const first = following[at];
  if (opening.status !== 200 || opening.eventId !== undefined || !first?.mark) return [opening, following];
  const rows = new Map(opening.rows);
  for (const { url = "", row, status } of following.slice(0, at + 1)) {
    if (row) rows.set(url, row);
    else if (status === 204) rows.delete(url);
  }
  return [{ ...opening, rows, mark: first.mark }, following.slice(first.status === 304 ? at : at + 1)];
}

/** Cuts a subscription's messages at each opening and fresh 200, and finds what they tell of. */
export function stretchesOf(model: Model, stream: Stream): Stretch[] {
  const { entries, asked, level } = stream;
  if (level === 0) {
    const base: Mark = { epoch: asked.epoch, position: level0Start(model, stream) };
    return [{ stream, base, steps: resolveSteps(model, stream, base, entries), isLast: true }];
  }
  const starts = entries.flatMap(({ status }, at) => (at === 0 || status === 200 ? [at] : []));
  return starts.map((start, nth) => {
    const following = entries.slice(start + 1, starts[nth + 1]);
    const [opening, rest] =
      entries[start] && model.history.showsAhead ? withMark(entries[start], following) : [entries[start], following];
    const isLast = nth === starts.length - 1;
    if (!opening || (opening.status !== 200 && opening.status !== 304)) {
      return { stream, steps: resolveSteps(model, stream, undefined, entries.slice(start, starts[nth + 1])), isLast };
    }
    const base = opening.mark;
    const steps = resolveSteps(model, stream, base, rest);
    return { stream, opening, ...(base ? { base } : {}), steps, isLast };
  });
}
