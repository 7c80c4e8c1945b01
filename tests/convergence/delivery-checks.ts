import type { CommittedChange, Transaction } from "./history.ts";
import type { Expected, Model } from "./model.ts";
import { isChange, type Stretch } from "./stretch.ts";

/** P1: changes and bookmarks of a stretch come in the order of the commits. */
export function checkOrdered(_model: Model, { steps, base }: Stretch): string[] {
  const seen = new Set<CommittedChange>();
  const found: string[] = [];
  let last = 0;
  let mark = base;
  for (const { entry, change } of steps) {
    if (change && !seen.has(change)) {
      seen.add(change);
      if (change.position < last) found.push(`${change.url} at ${change.position} came after what is at ${last}`);
      last = Math.max(last, change.position);
    }
    if (entry.mark && mark && entry.mark.epoch === mark.epoch && entry.mark.position < mark.position) {
      found.push(`the position went back from ${mark.position} to ${entry.mark.position}`);
    }
    mark = entry.mark ?? mark;
  }
  return found;
}

/** P2: no change comes twice, nor one that the state already had. */
export function checkUnique(_model: Model, { steps, base }: Stretch): string[] {
  const seen = new Set<CommittedChange>();
  const urls = new Set<string>();
  return steps.flatMap(({ entry, change }) => {
    if (!isChange(entry)) return [];
    const { url = "" } = entry;
    if (!change) {
      return entry.status === 204 && urls.has(url) ? [`${url} left twice`] : [];
    }
    const isTwice = seen.has(change);
    seen.add(change);
    urls.add(url);
    if (isTwice) return [`${url} at ${change.position} came twice`];
    if (base && change.position <= base.position) {
      return [`${url} at ${change.position} came again, after the position ${base.position}`];
    }
    return [];
  });
}

function gapText(gap: Expected | undefined): string | undefined {
  return gap && `${gap.status} of ${gap.change.url} at ${gap.change.position} never came`;
}

function checkLevel0(model: Model, { stream, base, steps }: Stretch, seen: ReadonlySet<CommittedChange>): string[] {
  const { view, openedHead, isOpenAtEnd } = stream;
  if (openedHead === undefined) return [];
  if (isOpenAtEnd && base?.epoch !== model.history.finalEpoch) return ["it was not closed when the history was lost"];
  const lastSeen = Math.max(openedHead, ...steps.map(({ change }) => change?.position ?? 0));
  const upTo = isOpenAtEnd ? model.head : lastSeen;
  if (model.reset(view, openedHead, upTo)) return ["it was not closed when its collection was reset"];
  const gap = gapText(model.missing(view, { after: openedHead, upTo }, seen));
  return gap ? [gap] : [];
}

/** P3: between two positions nothing is missing, and what can't be told is told by a fresh 200. */
export function checkGapless(model: Model, stretch: Stretch): string[] {
  const { stream, base, opening, steps, isLast } = stretch;
  const { view, level, isOpenAtEnd } = stream;
  const seen = new Set<CommittedChange>();
  if (level === 0) {
    for (const { change } of steps) if (change) seen.add(change);
    return checkLevel0(model, stretch, seen);
  }
  if (!opening) return steps.some(({ entry }) => isChange(entry)) ? ["it began without a 200 or 304"] : [];
  const hasEnded = !isLast || !isOpenAtEnd;
  if (!base && model.history.showsAhead && opening.status === 200 && opening.eventId === undefined && hasEnded)
    return [];
  if (!base) return [`its opening has no position that is known: ${opening.eventId ?? "none"}`];
  for (const { entry, change } of steps) {
    if (change) seen.add(change);
    const { mark, eventId } = entry;
    if (!mark && eventId !== undefined) return [`${eventId} is no position of any history`];
    if (!mark) continue;
    // The server had not noticed yet that this history was lost; nobody can resume from there.
    if (mark.epoch < base.epoch && entry.status === 304) continue;
    if (mark.epoch !== base.epoch) return ["it went on in another history without a fresh 200"];
    if (model.reset(view, base.position, mark.position)) return ["it went on after a reset without a fresh 200"];
    const gap = gapText(model.missing(view, { after: base.position, upTo: mark.position }, seen));
    if (gap) return [`${gap}, and the position is ${mark.position}`];
  }
  if (!isLast || !isOpenAtEnd) return [];
  if (base.epoch !== model.history.finalEpoch) return ["its history was lost without a fresh 200"];
  if (!steps.some(({ entry }) => entry.status === 304 && !entry.isAnswer))
    return ["it was never told that it is caught up"];
  const gap = gapText(model.missing(view, { after: base.position, upTo: model.head }, seen));
  return gap ? [gap] : [];
}

/** Where one transaction ends and another begins in the order that a stretch had. */
class Contiguity {
  readonly #done: Set<Transaction> = new Set();
  #current: Transaction | undefined;

  take(transaction: Transaction): string[] {
    if (transaction === this.#current) return [];
    if (this.#current) this.#done.add(this.#current);
    this.#current = transaction;
    return this.#done.has(transaction) ? [`the transaction up to ${transaction.last} was split by another`] : [];
  }
}

/** P5: transactions are contiguous, and only the last message of whole ones carries the position. */
export function checkAtomic(model: Model, { stream, base, steps, isLast }: Stretch): string[] {
  if (stream.level === 0) return [];
  const contiguity = new Contiguity();
  const found: string[] = [];
  let unmarked = 0;
  let marked = base?.position ?? 0;
  for (const { entry, change } of steps) {
    const transaction = change && model.transactionOf.get(change);
    const { mark, status } = entry;
    if (transaction) {
      found.push(...contiguity.take(transaction));
      if (change.position <= marked && change.position > (base?.position ?? 0)) {
        found.push(`the position ${marked} came before ${change.url} at ${change.position}`);
      }
      if (mark && mark.position < transaction.last) {
        found.push(`${mark.position} was given within the transaction up to ${transaction.last}`);
      }
    }
    if (mark && entry.isAnswer && unmarked > 0) found.push(`an answer gave ${mark.position} within a transaction`);
    if (mark && !model.isEnd(mark.position)) found.push(`no transaction ends at ${mark.position}`);
    if (isChange(entry)) unmarked += 1;
    else if (status === 304 && !entry.isAnswer && unmarked > 0)
      found.push(`${unmarked} messages before a 304 have no position`);
    if (mark) {
      marked = Math.max(marked, mark.position);
      unmarked = 0;
    }
  }
  if (isLast && stream.isOpenAtEnd && unmarked > 0) found.push(`the last ${unmarked} messages have no position`);
  return found;
}
