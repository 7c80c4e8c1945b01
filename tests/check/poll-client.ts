import { setTimeout as after } from "node:timers/promises";
import type { Field } from "../../src/protocol/index.ts";
import { type Following, type Place, speed } from "./harness.ts";
import { Holding, messageFrom } from "./holding.ts";
import { refusalOf } from "./patch-client.ts";

/** What a client of GETs that wait may get wrong. */
export type PollMistake =
  | "names what it had at first"
  | "does not look at a 304"
  | "stops at a 304"
  | "never comes back"
  | "keeps its records"
  | "does not look at Retry-After";

/** A small client that asks again and again by GETs that wait, by the book but for one mistake. */
export class PollClient implements Following {
  readonly #url: string;
  readonly #mistake: PollMistake | undefined;
  readonly #holding: Holding;
  readonly #stopped: AbortController = new AbortController();
  #known: Record<string, string> = {};
  #tries = 0;

  /** @param names - by what it names what it has */
  constructor({ url }: Place, names: "Event-ID" | "ETag", mistake?: PollMistake) {
    this.#url = url;
    this.#mistake = mistake;
    this.#holding = new Holding(new URL(url).pathname);
    void this.#run(names).catch((error) => this.#stopped.signal.aborted || console.error(error));
  }

  rows(): readonly unknown[] {
    return this.#holding.rows;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(names: "Event-ID" | "ETag"): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      const answer = await fetch(this.#url, { headers: this.#known, signal }).catch(() => undefined);
      if (answer && (answer.ok || answer.status === 304)) {
        if (!(await this.#take(answer, names))) return;
        continue;
      }
      const waitMs = answer ? refusalOf(answer) : 0;
      if (waitMs === undefined || this.#mistake === "never comes back") return;
      const askedMs = this.#mistake === "does not look at Retry-After" ? 0 : waitMs;
      const ownMs = Math.random() * 500 * 2 ** this.#tries;
      this.#tries += 1;
      await after(Math.max(ownMs, askedMs) / speed, undefined, { signal });
    }
  }

  /** False where it stops. */
  async #take(answer: Response, names: "Event-ID" | "ETag"): Promise<boolean> {
    const { status, headers } = answer;
    const isFirst = this.#known.Prefer === undefined;
    const fields: Field[] = [...headers];
    const body = await answer.text();
    if (status === 304 && this.#mistake === "stops at a 304") return false;
    const isKept = this.#mistake === "keeps its records" && !isFirst;
    if (status === 200 && !isKept) this.#holding.take(messageFrom({ status, reason: "", fields, body }));
    const isOld = this.#mistake === "names what it had at first" && !isFirst;
    if (isOld || (status === 304 && this.#mistake === "does not look at a 304")) return true;
    const known = headers.get(names) ?? "";
    this.#known = { Prefer: "wait=20", [names === "ETag" ? "If-None-Match" : "Last-Event-ID"]: known };
    return true;
  }
}
