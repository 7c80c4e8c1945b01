import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { Replica } from "../../src/testing/index.ts";
import type { Held, Reader } from "./reader.ts";
import type { Peer, Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";

/** A client of patch streams: GETs, subscribes from there on, and GETs again whenever that ends and it can't go on. */
export class PatchReader implements Reader {
  readonly name: string;
  readonly #surroundings: Surroundings;
  readonly #target: Target;
  #records: Map<string, string> | undefined;
  #position: string | undefined;
  #peer: Peer | undefined;
  /** Counts connections: what an older one brings comes too late. */
  #nth = 0;
  isConnected = false;

  constructor(surroundings: Surroundings, name: string) {
    this.#surroundings = surroundings;
    this.name = name;
    this.#target = surroundings.drawTarget();
  }

  get isCaughtUp(): boolean {
    return !this.isConnected || (this.#peer !== undefined && this.#peer.closing === undefined);
  }

  connect(): void {
    this.isConnected = true;
    this.#nth += 1;
    void this.#open(this.#nth);
  }

  disconnect(): void {
    this.isConnected = false;
    this.#nth += 1;
    this.#peer?.disconnect();
    this.#peer = undefined;
  }

  pause(): void {
    this.#peer?.pause();
  }

  resume(): void {
    this.#peer?.resume();
  }

  change(): void {
    // It has nothing to say.
  }

  look(): void {
    if (this.#peer?.closing === undefined) return;
    const isRefused = this.#peer.closing.code >= 4000;
    this.#peer.resume();
    this.disconnect();
    // Behind the end of its record, and where it was refused, only the state tells.
    if (isRefused || this.#target.view.record !== undefined) this.#records = undefined;
    this.connect();
  }

  positions(): { url: string; position: number }[] {
    return [];
  }

  finish(): void {
    // Nothing of it is recorded.
  }

  held(): Held[] {
    const { name } = this;
    return this.#records && this.isCaughtUp ? [{ name, target: this.#target, records: this.#records }] : [];
  }

  async #open(nth: number): Promise<void> {
    if (!this.#records) await this.#get();
    const position = this.#position;
    if (nth !== this.#nth) return;
    if (position === undefined) {
      this.isConnected = false;
      return;
    }
    const onMessage = (message: HttpResponse) => {
      if (nth === this.#nth) this.#take(message);
    };
    const fields = [["Last-Event-ID", position]] as const;
    const { target } = this.#target;
    const peer = await this.#surroundings.connect({ level: 0, target, fields, onMessage, stream: "patch-stream" });
    if (nth === this.#nth) this.#peer = peer;
    else peer.disconnect();
  }

  async #get(): Promise<void> {
    const { target, view } = this.#target;
    const response = await this.#surroundings.get(target);
    this.#position = undefined;
    if (response?.status !== 200) return;
    const snapshot = new Replica(view.url);
    snapshot.take(response);
    this.#records = new Map(snapshot.records);
    this.#position = fieldValue(response.fields, "event-id");
  }

  #take({ status, fields, body }: HttpResponse): void {
    if (status >= 300) {
      this.#records = undefined;
      return;
    }
    const url = fieldValue(fields, "content-location") ?? "";
    if (status === 204) this.#records?.delete(url);
    else this.#records?.set(url, this.#target.view.record === undefined ? String(body) : `{"record":${body}}`);
    this.#position = fieldValue(fields, "event-id") ?? this.#position;
  }
}
