import type { FilePatch } from "../convergence/patched-system.ts";

/** A mistake that a client could have made, and what is seen of it. */
export interface Defect extends FilePatch {
  readonly name: string;
  readonly sees: RegExp;
  /** The way by which it is seen. Default `sockets`. */
  readonly way?: "sockets" | "streams";
}

/** Mistakes that the model has to see. */
export const defects: readonly Defect[] = [
  {
    name: "applies notifications before the commit mark",
    file: "client/feed.js",
    find: "if (isWhole || eventId !== undefined)\n                return this.#commit(eventId);",
    replace: "return this.#commit(eventId);",
    sees: /in the midst of/,
  },
  {
    name: "applies a batch that it has already",
    file: "client/feed.js",
    find: "if (eventId && this.position && isAtOrAfter(this.position, eventId))\n            return true;",
    replace: "",
    sees: /went back|another object/,
  },
  {
    name: "keeps the position though it moved on with a batch",
    file: "client/feed.js",
    find: "if (eventId)\n            this.position = eventId;\n        this.#tell(batch);",
    replace: "this.#tell(batch);",
    sees: /went back|instead of|not shown|another object/,
  },
  {
    name: "takes the first 304 for the one that says caught up",
    file: "client/feed-state.js",
    find: 'waiting: { early: "early", snapshot: "opened", bookmark: "opened"',
    replace: 'waiting: { early: "early", snapshot: "opened", bookmark: "live"',
    sees: /Live with version/,
  },
  {
    name: "does not subscribe again where the server has the subscription under another name",
    file: "client/socket-connection.js",
    find: "this.#subscribeAnew(entry, canonical);",
    replace: "sink.take(message);",
    sees: /instead of/,
  },
  {
    name: "never gives up a connection that is silent",
    file: "client/socket-connection.js",
    find: "if (leftMs <= 0)\n            this.#end({ code: 1006 });",
    replace: "if (leftMs <= 0)\n            return;",
    sees: /instead of/,
  },
  {
    name: "does not ask for a stream again that has ended",
    file: "client/stream-follower.js",
    find: "this.#backoff.wait(() => void this.#ask(), leastMs);",
    replace: "",
    sees: /instead of/,
    way: "streams",
  },
  {
    name: "never gives up a stream that is silent",
    file: "client/stream-follower.js",
    find: "else\n                this.#leave(onBuffered);",
    replace: "",
    sees: /instead of/,
    way: "streams",
  },
  {
    name: "asks with refused credentials for ever",
    file: "client/socket-connection.js",
    find: "status === 401 && !entry.isRefused",
    replace: "status === 401",
    sees: /times 401 for a subscription/,
  },
  {
    name: "repeats a write with refused credentials for ever",
    file: "client/http.js",
    find: "? response : this.fetch(path, init, true)",
    replace: "? response : this.fetch(path, init)",
    sees: /over HTTP/,
  },
  {
    name: "never waits before it tries again",
    file: "client/backoff.js",
    find: "return Math.max(waitMs, leastMs);",
    replace: "return leastMs + waitMs * 0;",
    sees: /times (?:a handshake|\w+ over HTTP)/,
  },
  {
    name: "drops what it shows ahead of time as soon as the answer is there",
    file: "client/overlay.js",
    find: "if (isPast !== undefined)\n        return isPast;",
    replace: "return true;",
    sees: /is not shown/,
  },
  {
    name: "never drops what it shows ahead of time",
    file: "client/overlay.js",
    find: "if (isPast !== undefined)\n        return isPast;",
    replace: "return false;",
    sees: /instead of/,
  },
  {
    name: "repeats a write without its key",
    file: "client/sender.js",
    find: 'headers["Idempotency-Key"]',
    replace: 'headers["X-Key"]',
    sees: /done 2 times/,
  },
  {
    name: "does not keep writes over a reload",
    file: "client/write-queue.js",
    find: "void this.#store?.put(write);",
    replace: "",
    sees: /not at all/,
  },
  {
    name: "leaves its timer behind when it is closed",
    file: "client/socket-connection.js",
    find: "this.#isOver = true;\n        this.#timer.cancel();\n        for",
    replace: "this.#isOver = true;\n        for",
    sees: /timers of a closed client/,
  },
  {
    name: "calls nobody back any more after a callback threw",
    file: "client/callbacks.js",
    find: "catch (error) {\n            failed(error);",
    replace: "catch (error) {\n            failed(error);\n            this.call = () => { };",
    sees: /nobody was told/,
  },
  {
    name: "never asks again for what was refused once",
    file: "client/feed.js",
    find: 'if (this.#state !== "failed")\n            return;',
    replace: "return;",
    sees: /instead of/,
  },
  {
    name: "sends what another user left behind",
    file: "client/storage.js",
    find: "return user === this.#user;",
    replace: "return user !== undefined;",
    sees: /was sent by/,
  },
  {
    name: "keeps what a user wrote who has logged out",
    file: "client/write-queue.js",
    find: "await this.#store?.clear();",
    replace: "",
    sees: /had logged out/,
  },
  {
    name: "leaves a row in a list whose filter it left",
    file: "client/layer.js",
    find: "if (!belongs) {",
    replace: "if (!belongs && !this.#isIn.has(url)) {",
    sees: /has another/,
  },
  {
    name: "shows a created record by its own key before the answer tells which it is",
    file: "client/layer.js",
    find: "if (come !== undefined && isPending)",
    replace: "if (come !== undefined)\n            return;\n        if (come !== undefined && isPending)",
    sees: /the key of/,
  },
  {
    name: "waits for what others have overtaken",
    file: "client/overlay.js",
    find: "feed.askAnew();",
    replace: "",
    sees: /instead of .* a moment after/,
  },
  {
    name: "ignores that a record left",
    file: "client/replica.js",
    find: "this.entries.splice(this.#find(entry), 1);",
    replace: "",
    sees: /instead of|twice|not shown/,
  },
  {
    name: "takes a delta for the record",
    file: "client/replica.js",
    find: "!== mergePatchType)",
    replace: '!== "")',
    sees: /instead of|went back|has another/,
  },
  {
    name: "takes each delta of a batch for what was before the batch",
    file: "client/replica.js",
    find: "made.has(name) ? made.get(name) : this.#known(name)",
    replace: "this.#known(name)",
    sees: /instead of/,
  },
];
