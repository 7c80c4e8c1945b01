import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../../src/server/index.ts";
import type { Random } from "../../../src/testing/index.ts";

interface Item {
  readonly id: number;
  readonly v: string;
}

/** Documents of several shapes over one list. */
export const targets = [
  "/items",
  "/items?limit=4",
  "/items?limit=3&offset=2",
  "/array",
  "/counted",
  "/linked",
  "/whole",
] as const;

/** An API of which only the answers are known. What is written shows when it is committed, which may be later. */
export class DocumentStore {
  items: readonly Item[] = [];
  isDown = false;
  latencyMs: () => number = () => 0;
  readonly #clock: Clock;
  readonly #random: Random;
  #nextId = 1;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Writes something, and says at which URLs.
   *
   * @param lagMs - how much later than the answer it is committed
   */
  write(lagMs: number): readonly string[] {
    const random = this.#random;
    const kind = random.below(this.items.length > 12 ? 6 : 5);
    const isNew = kind <= 1 || this.items.length === 0;
    const id = isNew ? this.#nextId++ : random.pick(this.items).id;
    const place = random.next();
    const value = `v${random.below(1_000)}`;
    const commit = (): void => {
      const others = this.items.filter((item) => item.id !== id);
      const before = this.items.find((item) => item.id === id);
      const at = kind === 2 && before ? this.items.indexOf(before) : Math.floor(place * (others.length + 1));
      const isKept = isNew || (before !== undefined && kind <= 3);
      const after = isNew || kind === 2 ? { id, v: value } : before;
      this.items = isKept && after ? [...others.slice(0, at), after, ...others.slice(at)] : others;
    };
    if (lagMs > 0) this.#clock.setTimer(commit, lagMs);
    else commit();
    const record = [`/items/${id}`, `/array/${id}`, `/counted/${id}`, `/linked/x${id}`, "/whole"];
    // A list that is posted to is named as well.
    return isNew ? ["/items", ...record] : record;
  }

  /** What a GET returns now. */
  document(target: string): unknown {
    const [path = "", query = ""] = target.split("?");
    const { items } = this;
    // `/array` has no records of its own.
    const [, list, id] = /^\/(items|counted)\/(\d+)$/.exec(path) ?? [];
    if (list) return items.find((item) => item.id === Number(id)) ?? null;
    if (path === "/array") return items;
    if (path === "/counted") return { rows: items, total: items.length };
    if (path === "/linked") return { data: items.map(({ id, v }) => ({ href: `/linked/x${id}`, v })) };
    if (path === "/whole") return { ids: items.map(({ id }) => id), last: items.at(-1)?.v ?? null };
    const parameters = new URLSearchParams(query);
    const offset = Number(parameters.get("offset") ?? 0);
    const limit = Number(parameters.get("limit") ?? items.length);
    return { items: items.slice(offset, offset + limit) };
  }

  readonly origin = async (request: OriginRequest): Promise<OriginResponse> => {
    const answer = this.#answer(request);
    const latency = this.latencyMs();
    if (latency > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, latency));
    return answer;
  };

  #answer({ target, fields }: OriginRequest): OriginResponse {
    if (this.isDown) return { status: 503, fields: [["Retry-After", "1"]], body: "" };
    const body = JSON.stringify(this.document(target));
    if (target === "/array") return { status: 200, fields: [["Content-Type", "application/json"]], body };
    const etag: Field = ["ETag", `"${body.length}-${this.items.map(({ id, v }) => `${id}${v}`).join("")}"`];
    if (fieldValue(fields, "if-none-match") === etag[1]) return { status: 304, fields: [etag], body: "" };
    return { status: 200, fields: [["Content-Type", "application/json"], etag], body };
  }
}
