// The load generator: a process of its own that opens thousands of connections and counts what comes. It is driven by
// messages of its parent, and tells a server by one byte on a connection of their own that a round has come through.
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { LoadPeer } from "./load-peer.js";
import { RequestConnection, requestBytes } from "./load-writer.js";

/** How many handshakes are under way at once. */
const maxOpening = 100;
const sharedCookie = "5f1c0a9d3b7e46c28d0f6a1b2c3d4e5f";

/** The connections to one server. */
class Group {
  port;
  path;
  subprotocol;
  /** How many frames come before a connection stands: snapshot and bookmark, say. */
  readyFrames;
  isEngine;
  /** Who the peers are: all one user, unless it is `own` (each another) or `none`. */
  cookies;
  #peers = [];
  #control;
  #count;
  #ready = 0;
  #perRound = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;
  #opened;
  #broken;
  #roundDone;
  #cookies = 0;

  constructor({ port, controlPort, path, subprotocol, readyFrames, isEngine, cookies, count }) {
    Object.assign(this, { port, path, subprotocol, readyFrames, isEngine, cookies });
    this.#count = count;
    if (controlPort === undefined) return;
    this.#control = connect({ host: "127.0.0.1", port: controlPort, noDelay: true });
    this.#control.on("error", () => {});
  }

  open() {
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#broken = reject;
      for (let n = 0; n < Math.min(maxOpening, this.#count); n += 1) this.#peers.push(new LoadPeer(this));
    });
  }

  /** From now on, each `deliveries` deliveries are a round. */
  expect(deliveries) {
    this.#perRound = deliveries;
    this.#left = deliveries;
  }

  /**
   * Sends writes, each `gapMs` after the one before has come through to all, and takes the time of each in milliseconds.
   */
  async write({ target, count, gapMs, deliveries }) {
    this.expect(deliveries);
    const writer = new RequestConnection(this.port);
    await writer.opened();
    const millis = [];
    for (let n = 0; n < count; n += 1) {
      const come = new Promise((resolve) => {
        this.#roundDone = () => resolve(performance.now());
      });
      const bytes = nextWrite(target);
      const sent = performance.now();
      const [arrived] = await Promise.all([come, writer.ask(bytes)]);
      millis.push(arrived - sent);
      await wait(gapMs);
    }
    writer.close();
    return { millis };
  }

  /** Sends writes one after the other for so long, whatever comes. Gives how long it was and how many. */
  async burst({ target, millis }) {
    const writer = new RequestConnection(this.port);
    await writer.opened();
    const started = performance.now();
    let writes = 0;
    while (performance.now() - started < millis) {
      await writer.ask(nextWrite(target));
      writes += 1;
    }
    writer.close();
    return { tookMs: performance.now() - started, writes };
  }

  nextCookie() {
    if (this.cookies === "none") return undefined;
    this.#cookies += 1;
    return this.cookies === "own" ? `${sharedCookie}${this.#cookies}` : sharedCookie;
  }

  close() {
    for (const peer of this.#peers) peer.drop();
    this.#control?.destroy();
  }

  ready() {
    this.#ready += 1;
    if (this.#ready === this.#count) this.#opened();
    else if (this.#peers.length < this.#count) this.#peers.push(new LoadPeer(this));
  }

  delivered() {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = this.#perRound;
    this.#control?.write(".");
    this.#roundDone?.();
  }

  failed(error) {
    this.#broken(error);
    if (this.#ready === this.#count) throw error;
  }
}

let plays = 0;

/** A write like no other before it. */
function nextWrite(target) {
  plays += 1;
  return requestBytes("POST", target, JSON.stringify({ plays: 2_000_000 + plays }));
}

const groups = new Map();

async function carryOut({ action, id, ...options }) {
  const group = groups.get(id);
  if (action === "open") {
    const opened = new Group(options);
    groups.set(id, opened);
    await opened.open();
  } else if (action === "expect") {
    group.expect(options.deliveries);
  } else if (action === "write" || action === "burst") {
    return group[action](options);
  } else {
    group.close();
    groups.delete(id);
  }
}

process.on("message", async ({ request, ...order }) => {
  try {
    process.send({ request, ...(await carryOut(order)) });
  } catch (error) {
    process.send({ request, error: error.message });
  }
});
process.on("disconnect", () => process.exit());
