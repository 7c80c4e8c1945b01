import type { Patch } from "./patched-system.ts";
import type { PromiseName } from "./validators.ts";

/** A fault that somebody could make, and who has to notice. */
export interface Defect extends Patch {
  /** What is wrong, in words. */
  readonly name: string;
  /** The promise whose validator must report it; `GET` where it must be seen in what replicas hold at the end. */
  readonly breaks: PromiseName | "GET";
}

/** Defects of the hub and of a store under it. */
export const defects: readonly Defect[] = [
  {
    name: "the state is read before the position",
    breaks: "P8",
    in: "InMemoryStore.constructor",
    find: "            return answer;",
    replace: "            return answer.view ? { ...answer, view: { ...answer.view, ...this.journal.head } } : answer;",
  },
  {
    name: "a subscription starts where the hub stands and not where its state was read",
    breaks: "P3",
    in: "DirectFollowing.constructor",
    find: "this.#cursor = cursor;",
    replace: "this.#cursor = stream.bookmark.position;",
  },
  {
    name: "a resume skips one change",
    breaks: "P3",
    in: "Authoriser.#openDirect",
    find: "start: start(located ?? view.position),",
    replace: "start: start(located === undefined ? view.position : Math.min(located + 1, view.position)),",
  },
  {
    name: "a resume repeats one change",
    breaks: "P2",
    in: "Authoriser.#openDirect",
    find: "start: start(located ?? view.position),",
    replace: "start: start(located === undefined ? view.position : Math.max(located - 1, 0)),",
  },
  {
    name: "an unknown position is taken for the current one",
    breaks: "P6",
    in: "Authoriser.#openDirect",
    find: 'const isUnknown = !direct || (located === undefined && lastEventId !== "*");',
    replace: "const isUnknown = lastEventId === undefined;",
  },
  {
    name: "an unknown position is met with silence",
    breaks: "P3",
    in: "Authoriser.#openDirect",
    find: "    const needsState = ",
    replace:
      "    if (isResume && located === undefined)\n        await new Promise(() => { });\n    const needsState = ",
  },
  {
    name: "a strict client is given a 200 where the history is lost",
    breaks: "P6",
    in: "openingMessage",
    find: 'if (lastEventId !== undefined && lastEventId !== "*" && isStrict) {',
    replace: "if (false) {",
  },
  {
    name: "any entity tag is taken for the current one",
    breaks: "P8",
    in: "openingMessage",
    find: "etag !== undefined && matchesEntityTag(ifNoneMatch, etag)",
    replace: "etag !== undefined",
  },
  {
    name: "a record that leaves a filter is judged by what it is now",
    breaks: "P3",
    in: "View.#statusOf",
    find: "this.#has(change.before);",
    replace: "this.#has(change.after ?? change.before);",
  },
  {
    name: "a deletion is told to every filter",
    breaks: "P9",
    in: "View.#statusOf",
    find: 'change.kind !== "create" && this.#has(change.before);',
    replace: 'change.kind !== "create" && (change.kind === "delete" || this.#has(change.before));',
  },
  {
    name: 'a filter takes 1 and "1" for equal',
    breaks: "P9",
    in: "valueKey",
    find: '"string" ? "s" : "t"',
    replace: '"string" ? "n" : "t"',
  },
  {
    name: "a record that moves from one filter to another does not enter the second",
    breaks: "P3",
    in: "ViewIndex.visit",
    find: "if (after !== undefined && after !== before)",
    replace: "if (after !== undefined && before === undefined)",
  },
  {
    name: "each message of a batch has the position",
    breaks: "P5",
    in: "DirectStream.#match",
    find: "last.eventId ??= batch.eventId;",
    replace: "for (const each of notifications)\n                    each.eventId ??= batch.eventId;",
  },
  {
    name: "no message has the position",
    breaks: "P5",
    in: "DirectStream.#match",
    find: "last.eventId ??= batch.eventId;",
    replace: "last.eventId ??= undefined;",
  },
  {
    name: "a page that ends within a transaction is marked as its end",
    breaks: "P5",
    in: "DirectFollowing.#give",
    find: "(more || isShort ? undefined : this.#mark(batch.eventId))",
    replace: "this.#mark(batch.eventId)",
  },
  {
    name: "a transaction comes in pieces",
    breaks: "P5",
    in: "InMemoryJournal.commit",
    find: "                listener(batch);",
    replace:
      "                for (const change of committed)\n" +
      "                    listener({ ...this.#bookmark(change.position), after: change.position - 1, changes: [change] });",
  },
  {
    name: "the last message of a page is forgotten where the page ends at the head",
    breaks: "P3",
    in: "DirectFollowing.advance",
    find: 'this.#mark(bookmark.eventId) ?? "arrived"',
    replace: '"arrived"',
  },
  {
    name: "the batch that a snapshot fell into is replayed whole",
    breaks: "P2",
    in: "DirectFollowing.#give",
    find: "if (told.position <= cursor)\n                continue;",
    replace: "",
  },
  {
    name: "what was trimmed is skipped",
    breaks: "P3",
    in: "DirectFollowing.#nextPage",
    find: 'if (!page || page.position <= begun) return "restart";',
    replace: 'if (!page) { this.#cursor = stream.bookmark.position; return "more"; }',
  },
  {
    name: "positions of a lost history go on to count",
    breaks: "P3",
    in: "DirectFollowing.advance",
    find: 'if (this.#epoch !== epoch) return "restart";',
    replace: "",
  },
  {
    name: "a reset is ignored",
    breaks: "P3",
    in: "DirectStream.#match",
    find: "for (const view of this.#index.all(change.collection))\n                    reset.add(view);",
    replace: "",
  },
  {
    name: "Level 0 goes on where it can't know what happened",
    breaks: "P3",
    in: "Subscription.opened",
    find: "this.#lose();",
    replace: "this.begin(opening);",
  },
  {
    name: "what a parked reader missed is dropped",
    breaks: "P3",
    in: "DirectFollowing.deliver",
    find: "if (outlet.isCongested) { this.#fallBehind(delivery.from); return; }",
    replace: "if (outlet.isCongested) return;",
  },
  {
    name: "a reader that does not read is written to without bound",
    breaks: "P10",
    in: "Connection.isCongested",
    find: "return this.#unsentBytes > (held.isFull ? Math.min(smallBytes, limits.maxUnsentBytes) : limits.maxUnsentBytes);",
    replace: "return false;",
  },
  {
    name: "a bookmark is sent while a subscription is behind",
    breaks: "P3",
    in: "SubscriptionSet.sendBookmark",
    find: "const isTrue = (!this.#own || this.#own.isCaughtUp) && !this.#hasMissing;",
    replace: "const isTrue = true;",
  },
  {
    name: "a record's 204 does not end its subscription",
    breaks: "P9",
    in: "DirectFollowing.deliver",
    find: "if (isGone)",
    replace: "if (false)",
  },
  {
    name: "a subscription that was taken off gets on",
    breaks: "P9",
    in: "SubscriptionSet.remove",
    find: "subscription.end();",
    replace: "",
  },
  {
    name: "messages of a subscription in band lack its name",
    breaks: "P9",
    in: "Subscription.form",
    find: 'return this.isOwn ? "level1" : "labelled";',
    replace: 'return "level1";',
  },
  {
    name: "there is no heartbeat",
    breaks: "P7",
    in: "Connection.beat",
    find: "beat() {",
    replace: "beat() { return;",
  },
  {
    name: "what was rolled back is published",
    breaks: "P4",
    in: "InMemoryStore.transaction",
    find: "            throw error;",
    replace: "            this.journal.commit(changes);\n            throw error;",
  },
  {
    name: "a delta leads from the record as it is now",
    breaks: "GET",
    in: "makeDelta",
    find: "const before = change.representBefore?.();",
    replace: "const before = change.represent();",
  },
  {
    name: "a delta is given the wrong base",
    breaks: "P9",
    in: "makeDelta",
    find: "{ patch, base }",
    replace: "{ patch, base: etag }",
  },
  {
    name: "what was missed is told by deltas",
    breaks: "P9",
    in: "DirectFollowing.#frame",
    find: "const { form, outlet } = this.follower;",
    replace:
      'const { form: whole, outlet } = this.follower;\nconst form = whole === "level0" ? whole : whole + " with deltas";',
  },
  {
    name: "who did not ask for deltas is told by them",
    breaks: "P9",
    in: "Subscription.liveForm",
    find: "|| !this.#request.takesDeltas",
    replace: "",
  },
  {
    name: "a member that becomes null is told by a delta",
    breaks: "GET",
    in: "difference",
    find: "if (value === null)\n                return undefined;",
    replace: "",
  },
];
