import { webSocketFraming } from "../dist/server/index.js";

/** A clock whose turns of the event loop end when it is told. */
export class ManualClock {
  #deferred = [];

  now() {
    return 0;
  }

  setTimer() {
    return () => {};
  }

  defer(callback) {
    this.#deferred.push(callback);
  }

  random() {
    return 0.5;
  }

  endTurn() {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const callback of deferred) callback();
  }
}

/** The other end of a connection: counts what is written, over all. */
export class CountingTransport {
  static written = 0;
  static bytes = 0;
  framing = webSocketFraming;
  unsentBytes = 0;

  write({ length }) {
    CountingTransport.written += 1;
    CountingTransport.bytes += length;
  }

  ping() {}
  close() {}
  abort() {}
  setReading() {}
}
