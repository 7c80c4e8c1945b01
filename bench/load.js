// The load generator: a process of its own that opens thousands of connections and counts what comes. It is driven by
// messages of its parent, and tells a server by one byte on a connection of their own that a round has come through.
import { connect } from "node:net";
import { LoadPeer } from "./load-peer.js";

/** How many handshakes are under way at once. */
const maxOpening = 100;

/** The connections to one server. */
class Group {
  port;
  path;
  subprotocol;
  /** How many frames come before a connection stands: snapshot and bookmark, say. */
  readyFrames;
  isEngine;
  #peers = [];
  #control;
  #count;
  #ready = 0;
  #perRound = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;
  #opened;
  #broken;

  constructor({ port, controlPort, path, subprotocol, readyFrames, isEngine, count }) {
    Object.assign(this, { port, path, subprotocol, readyFrames, isEngine });
    this.#count = count;
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

  close() {
    for (const peer of this.#peers) peer.drop();
    this.#control.destroy();
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
    this.#control.write(".");
  }

  failed(error) {
    this.#broken(error);
    if (this.#ready === this.#count) throw error;
  }
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
  } else {
    group.close();
    groups.delete(id);
  }
}

process.on("message", async ({ request, ...order }) => {
  try {
    await carryOut(order);
    process.send({ request });
  } catch (error) {
    process.send({ request, error: error.message });
  }
});
process.on("disconnect", () => process.exit());
