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
    in: "beginSubscription",
    find: "subscription.cursor = start.cursor;",
    replace: "subscription.cursor = connection.hub.bookmark.position;",
  },
  {
    name: "a resume skips one change",
    breaks: "P3",
    in: "openDirect",
    find: "start: start(located ?? view.position),",
    replace: "start: start(located === undefined ? view.position : Math.min(located + 1, view.position)),",
  },
  {
    name: "a resume repeats one change",
    breaks: "P2",
    in: "openDirect",
    find: "start: start(located ?? view.position),",
    replace: "start: start(located === undefined ? view.position : Math.max(located - 1, 0)),",
  },
  {
    name: "an unknown position is taken for the current one",
    breaks: "P6",
    in: "openDirect",
    find: 'const needsState = !journal || (located === undefined && lastEventId !== "*");',
    replace: "const needsState = lastEventId === undefined;",
  },
  {
    name: "an unknown position is met with silence",
    breaks: "P3",
    in: "openDirect",
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
    in: "View.judge",
    find: "this.#has(change.before);",
    replace: "this.#has(change.after ?? change.before);",
  },
  {
    name: "a deletion is told to every filter",
    breaks: "P9",
    in: "View.judge",
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
    in: "LiveHub.#match",
    find: "last.eventId ??= batch.eventId;",
    replace: "for (const each of notifications)\n                    each.eventId ??= batch.eventId;",
  },
  {
    name: "no message has the position",
    breaks: "P5",
    in: "LiveHub.#match",
    find: "last.eventId ??= batch.eventId;",
    replace: "last.eventId ??= undefined;",
  },
  {
    name: "a page that ends within a transaction is marked as its end",
    breaks: "P5",
    in: "CatchUp.#give",
    find: "return more || this.#mark(",
    replace: "return this.#mark(",
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
    in: "CatchUp.#arrive",
    find: "if (!this.#mark(subscription, this.#connection.hub.bookmark.eventId))\n            return false;",
    replace: "",
  },
  {
    name: "the batch that a snapshot fell into is replayed whole",
    breaks: "P2",
    in: "CatchUp.#give",
    find: "if (change.position <= cursor)\n                continue;",
    replace: "",
  },
  {
    name: "what was trimmed is skipped",
    breaks: "P3",
    in: "CatchUp.#follow",
    find: "if (!this.#page || this.#page.position <= cursor)\n                return this.#startOver(subscription);",
    replace:
      "if (!this.#page) {\n                subscription.cursor = hub.bookmark.position;\n                return true;\n            }",
  },
  {
    name: "positions of a lost history go on to count",
    breaks: "P3",
    in: "CatchUp.#advance",
    find: "if (subscription.epoch !== hub.epoch)\n            return this.#startOver(subscription);",
    replace: "",
  },
  {
    name: "a reset is ignored",
    breaks: "P3",
    in: "LiveHub.#match",
    find: "for (const view of this.#index.all(change.collection))\n                    reset.add(view);",
    replace: "",
  },
  {
    name: "Level 0 goes on where it can't know what happened",
    breaks: "P3",
    in: "openSubscription",
    find: "            connection.close(1012, lostHistory);",
    replace: "            beginSubscription(subscription, opening);",
  },
  {
    name: "what a parked reader missed is dropped",
    breaks: "P3",
    in: "Connection.deliver",
    find: "if (this.isCongested) {\n            this.#park(subscription, delivery.from);\n            return;",
    replace: "if (this.isCongested) {\n            return;",
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
    in: "Connection.sendBookmark",
    find: "const isTrue = (!this.own || this.own.caughtUp) && !this.#hasBehind;",
    replace: "const isTrue = true;",
  },
  {
    name: "a record's 204 does not end its subscription",
    breaks: "P9",
    in: "Connection.deliver",
    find: "if (view?.record !== undefined && delivery.notifications.at(-1)?.status === 204)",
    replace: "if (false)",
  },
  {
    name: "a subscription that was taken off gets on",
    breaks: "P9",
    in: "Connection.remove",
    find: "this.#forget(subscription);\n        this.#settleOwn();",
    replace: "this.#settleOwn();",
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
];
