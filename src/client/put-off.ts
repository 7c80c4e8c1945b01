import type { ClientClock } from "./clock.ts";
import { DocumentFollower } from "./document-follower.ts";
import type { Http } from "./http.ts";
import { RowLooks } from "./row-looks.ts";
import type { Sink } from "./transport.ts";

/** What is refused for a while so often is looked at until it is asked for again. */
const lookAfter = 2;

/** What the server refuses for a while, though there is a socket: it is looked at by GETs meanwhile. */
export class PutOff {
  readonly #options: { readonly clock: ClientClock; readonly http: Http };
  readonly #rows: RowLooks;
  readonly #refusals: WeakMap<Sink, number> = new WeakMap();
  readonly #looks: Map<Sink, DocumentFollower> = new Map();

  constructor(options: { readonly clock: ClientClock; readonly http: Http }) {
    this.#options = options;
    this.#rows = new RowLooks(options);
  }

  /** It is refused. */
  refused(sink: Sink): void {
    const count = (this.#refusals.get(sink) ?? 0) + 1;
    this.#refusals.set(sink, count);
    if (count < lookAfter) return;
    this.end(sink);
    // That a GET fails says nothing about the socket.
    const look = { ...this.#options, sink, looks: this.#rows, open: undefined, onUnreachable: () => {} };
    this.#looks.set(sink, new DocumentFollower(look));
  }

  /** Looks at it no more: it is asked for, or not wanted any more. */
  end(sink: Sink): void {
    this.#looks.get(sink)?.stop();
    this.#looks.delete(sink);
  }

  /** Looks at nothing any more. */
  stop(): void {
    for (const sink of this.#looks.keys()) this.end(sink);
  }
}
