import { fieldValue } from "../../src/protocol/index.ts";
import { Replica } from "../../src/testing/index.ts";
import type { Held, Reader } from "./reader.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";

/** A client that has neither a socket nor a stream: it asks, and waits for the answer. */
export class PollReader implements Reader {
  readonly name: string;
  readonly #surroundings: Surroundings;
  readonly #target: Target;
  #records: Map<string, string> | undefined;
  #position: string | undefined;
  #abort: AbortController | undefined;
  #isWaiting = false;

  constructor(surroundings: Surroundings, name: string) {
    this.#surroundings = surroundings;
    this.name = name;
    this.#target = surroundings.drawTarget();
  }

  get isConnected(): boolean {
    return this.#abort !== undefined;
  }

  get isCaughtUp(): boolean {
    return this.#isWaiting;
  }

  connect(): void {
    this.#abort = new AbortController();
    void this.#run(this.#abort.signal);
  }

  disconnect(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#isWaiting = false;
  }

  pause(): void {
    // Who waits for one answer is never behind with reading.
  }

  resume(): void {
    // As above.
  }

  change(): void {
    // It follows one view.
  }

  look(): void {
    // It goes on by itself.
  }

  positions(): { url: string; position: number }[] {
    return [];
  }

  finish(): void {
    // Nothing of it is recorded.
  }

  held(): Held[] {
    const { name } = this;
    return this.#records ? [{ name, target: this.#target, records: this.#records }] : [];
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { target, view } = this.#target;
    while (!signal.aborted) {
      this.#isWaiting = true;
      // A position that nobody knows is answered at once, with the state.
      const response = await this.#surroundings.poll?.(target, this.#position ?? "none:1.1", signal);
      if (signal.aborted) return;
      this.#isWaiting = false;
      if (response?.status === 304) this.#position = fieldValue(response.fields, "event-id") ?? this.#position;
      else if (response?.status === 200) {
        const snapshot = new Replica(view.url);
        snapshot.take(response);
        this.#records = new Map(snapshot.records);
        this.#position = fieldValue(response.fields, "event-id");
      } else {
        this.#records = new Map();
        this.#position = undefined;
      }
    }
  }
}
