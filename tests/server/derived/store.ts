import { createProblem, type Field, fieldValue, problemResponse } from "../../../src/protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../../src/server/index.ts";

/** A row of the list at `/items`. */
export interface Item {
  readonly id: number;
  readonly v: string;
}

/** An API of which only the answers are known: `/items`, and a record at `/items/{id}`. */
export class DocumentStore {
  items: Item[] = [];
  gets = 0;
  running = 0;
  mostRunning = 0;
  latencyMs: () => number = () => 0;
  /** Says something else than the document, where it wants to. */
  answer: (request: OriginRequest) => OriginResponse | undefined = () => undefined;
  fields: readonly Field[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  body(): string {
    return JSON.stringify({ items: this.items });
  }

  readonly origin = async (request: OriginRequest): Promise<OriginResponse> => {
    this.gets += 1;
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const answer = this.answer(request) ?? this.#document(request);
    const latency = this.latencyMs();
    if (latency > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, latency));
    this.running -= 1;
    return answer;
  };

  #document({ target, fields }: OriginRequest): OriginResponse {
    const [path = "", query = ""] = target.split("?");
    const json: Field[] = [["Content-Type", "application/json"], ...this.fields];
    const id = /^\/items\/(\d+)$/.exec(path)?.[1];
    if (id !== undefined) {
      const item = this.items.find((candidate) => candidate.id === Number(id));
      if (!item) return problemResponse(createProblem(404, "There is no such item."));
      return { status: 200, fields: json, body: JSON.stringify(item) };
    }
    const limit = Number(new URLSearchParams(query).get("limit") ?? this.items.length);
    const body = JSON.stringify({ items: this.items.slice(0, limit) });
    const etag = `"${body.length}-${this.items.map(({ id: key, v }) => `${key}${v}`).join("")}"`;
    if (fieldValue(fields, "if-none-match") === etag) return { status: 304, fields: [["ETag", etag]], body: "" };
    return { status: 200, fields: [...json, ["ETag", etag]], body };
  }
}
