import { setTimeout as after } from "node:timers/promises";
import { EventStreamDecoder, type Field } from "../../src/protocol/index.ts";
import { type Following, type Place, speed } from "./harness.ts";
import { Holding, messageFrom } from "./holding.ts";

/** What a client of patch streams may get wrong. */
export type PatchMistake =
  | "takes the first operation only"
  | "does not know ~0"
  | "takes each piece for whole events"
  | "takes half an event"
  | "takes comments for data"
  | "never comes back"
  | "waits for ever"
  | "begins anew without a GET"
  | "gives up at a 410"
  | "comes back at the same after a 410"
  | "does not look at what is lost";

interface Operation {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

const statuses = { add: 201, replace: 202, remove: 204 };

/** A small client of patch streams by the book, but for one mistake: it GETs, and subscribes from there. */
export class PatchClient implements Following {
  readonly #url: string;
  readonly #mistake: PatchMistake | undefined;
  readonly #holding: Holding;
  readonly #stopped: AbortController = new AbortController();
  #id: string | undefined;
  #tries = 0;

  constructor({ url }: Place, mistake?: PatchMistake) {
    this.#url = url;
    this.#mistake = mistake;
    this.#holding = new Holding(new URL(url).pathname);
    void this.#run().catch((error) => this.#stopped.signal.aborted || console.error(error));
  }

  rows(): readonly unknown[] {
    return this.#holding.rows;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #does(mistake: PatchMistake): boolean {
    return this.#mistake === mistake;
  }

  async #run(): Promise<void> {
    for (;;) {
      const waitMs = this.#id === undefined ? await this.#get() : 0;
      const thenMs = waitMs === 0 ? await this.#subscribe() : waitMs;
      if (thenMs === undefined || this.#does("never comes back")) return;
      const ownMs = Math.random() * 500 * 2 ** this.#tries;
      this.#tries += 1;
      await after(Math.max(ownMs, thenMs) / speed, undefined, { signal: this.#stopped.signal });
    }
  }

  /** The whole. Gives the wait that was asked for; 0 where it is there, `undefined` where it is refused for good. */
  async #get(): Promise<number | undefined> {
    const { signal } = this.#stopped;
    const answer = await fetch(this.#url, { headers: { Accept: "application/json" }, signal });
    if (!answer.ok) return refusalOf(answer);
    const fields: Field[] = [...answer.headers];
    this.#holding.take(messageFrom({ status: 200, reason: "", fields, body: await answer.text() }));
    this.#id = this.#holding.position;
    return 0;
  }

  async #subscribe(): Promise<number | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopped.signal]);
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.#id !== undefined && this.#id !== "none") headers["Last-Event-ID"] = this.#id;
    const answer = await fetch(this.#url, { method: "SUBSCRIBE", headers, signal }).catch(() => undefined);
    if (!answer) return 0;
    if (answer.status === 410 && !this.#does("gives up at a 410")) {
      if (!this.#does("comes back at the same after a 410")) this.#id = undefined;
      return 0;
    }
    if (!answer.ok || !answer.body) return refusalOf(answer);
    try {
      await this.#listen(answer.body.getReader());
    } catch {
      return undefined;
    } finally {
      over.abort();
    }
    if (this.#does("begins anew without a GET")) this.#id = "none";
    return 0;
  }

  async #listen(body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    let decoder = new EventStreamDecoder();
    let tail = "";
    for (;;) {
      const silent = after(this.#does("waits for ever") ? 2 ** 30 : 27_000 / speed, undefined, { ref: false });
      const piece = (await Promise.race([body.read().catch(() => undefined), silent]))?.value;
      if (this.#does("takes each piece for whole events")) decoder = new EventStreamDecoder();
      const isSpoilt = this.#does("takes comments for data");
      const text = isSpoilt
        ? Buffer.from(piece ?? "")
            .toString("latin1")
            .replace(/^:/gm, "data:")
        : "";
      const bytes = isSpoilt ? Buffer.from(text, "latin1") : (piece ?? new Uint8Array());
      const last = !piece && this.#does("takes half an event") ? decoder.decode(Buffer.from("\n\n")) : [];
      for (const event of [...decoder.decode(bytes), ...last]) {
        if (event.type === "patch") this.#apply(event.data, event.id);
      }
      tail = (tail + Buffer.from(piece ?? "").toString("latin1")).slice(-40);
      if (piece) continue;
      // An id that is no position: what follows can't be told.
      if (/^id: lost\n\n/m.test(tail) && !this.#does("does not look at what is lost")) this.#id = "lost";
      return;
    }
  }

  #apply(data: string, id: string): void {
    const patch = JSON.parse(data) as readonly Operation[];
    const steps = this.#does("takes the first operation only") ? patch.slice(0, 1) : patch;
    for (const [at, { op, path, value }] of steps.entries()) {
      const url = this.#does("does not know ~0") ? path : path.replaceAll("~0", "~");
      const fields: Field[] = [["Content-Location", url]];
      if (at === steps.length - 1) fields.push(["Event-ID", id]);
      this.#holding.take(
        messageFrom({ status: statuses[op], reason: "", fields, body: JSON.stringify({ item: value }) }),
      );
    }
    this.#id = id;
  }
}

/** The wait that a refusal asks for; `undefined` where it holds. */
export function refusalOf({ status, headers }: Response): number | undefined {
  if (status < 500 && ![408, 413, 425, 429].includes(status)) return undefined;
  return Math.max(1, Number(headers.get("retry-after") ?? 0) * 1_000);
}
