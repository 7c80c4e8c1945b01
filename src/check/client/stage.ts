import { isDeepStrictEqual } from "node:util";
import type { Checked, Outcome } from "../case.ts";
import { Fault, skip } from "../fault.ts";
import { Transcript } from "../transcript.ts";
import type { Field } from "../wire/http.ts";
import type { Flaw } from "../wire/messages.ts";
import type { Link } from "./link.ts";
import { type Resource, type Row, Visit, type VisitParts } from "./visit.ts";

/** What a server plays to a client at one URL, and what it finds wrong. */
export interface Situation extends Checked {
  /** A part of its URL. */
  readonly name: string;
  /** The records at the beginning. Default: three. */
  readonly rows?: readonly Row[];
  /** `Item-Order`. Default `id.asc`; empty for none. */
  readonly order?: string;
  /** Whether the client's records must stand in the same order. Default false. */
  readonly isOrdered?: boolean;
  /**
   * How a handshake is answered. Default: `rocket.v1` is echoed where it is offered, and spoken. `never` echoes nothing,
   * `mute` echoes and says nothing, `level-0` echoes and speaks Level 0.
   */
  readonly echo?: "never" | "mute" | "level-0";
  /** Whether it matters what the client holds at the end. Default true. */
  readonly isAboutRecords?: boolean;
  /** Plays it. @throws Fault | Skip */
  readonly play: (stage: Stage) => Promise<void>;
}

/** What a machine may be late by, whatever the speed is. */
const graceMs = 1_000;

const threeRows: readonly Row[] = [
  { id: 1, name: "one" },
  { id: 2, name: "two" },
  { id: 3, name: "three" },
];

/** One situation as it is played: its resource, who comes, and what is wrong. */
export class Stage implements Resource {
  readonly situation: Situation;
  /** Path of the resource. */
  readonly target: string;
  readonly transcript: Transcript = new Transcript();
  /** Every position that was given out. */
  readonly given: Set<string> = new Set(["*"]);
  readonly flaws: Flaw[] = [];
  /** How often the resource was asked for over HTTP, and when last. */
  gets = 0;
  /** What a GET over HTTP is answered with: 200, or the status of a refusal. */
  getStatus = 200;
  /** How many handshakes there were. */
  handshakes = 0;
  /** `undefined` until it is over. */
  outcome: Outcome | undefined;
  /** What the client said that it held, judged. */
  heldOutcome: Outcome | undefined;
  readonly over: Promise<void>;
  readonly #speed: number;
  readonly #visits: Visit[] = [];
  readonly #waiting: Set<() => void> = new Set();
  #rows: Row[];
  #segment = "c1";
  #place = 1;
  #end: () => void = () => {};

  /** @param speed - how much faster than the protocol's its times are, for tests */
  constructor(situation: Situation, speed: number) {
    this.situation = situation;
    this.target = `/${situation.name}/items`;
    this.#speed = speed;
    this.#rows = [...(situation.rows ?? threeRows)];
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.given.add(this.position);
  }

  get position(): string {
    return `${this.#segment}:${this.#place}.${this.#place * 7}`;
  }

  /** Milliseconds of the protocol as this stage counts them. */
  ms(protocolMs: number): number {
    return protocolMs / this.#speed;
  }

  /** The next position. */
  advance(): string {
    this.#place += 1;
    this.given.add(this.position);
    return this.position;
  }

  /** Another history: positions of another segment. */
  restart(rows: readonly Row[]): void {
    this.#segment = `${this.#segment}x`;
    this.#rows = [...rows];
    this.given.add(this.position);
  }

  /** Takes a change in. */
  put(status: number, row: Row): void {
    const at = this.#rows.findIndex(({ id }) => id === row.id);
    if (status === 204) this.#rows = this.#rows.filter(({ id }) => id !== row.id);
    else if (at >= 0) this.#rows[at] = row;
    else this.#rows.push(row);
  }

  /** Puts the records into an order that a client has to find by itself. */
  arrange(rows: readonly Row[]): void {
    this.#rows = [...rows];
  }

  /** What a GET answers now. */
  document(): { readonly fields: readonly Field[]; readonly body: string } {
    const { order = "id.asc" } = this.situation;
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Items", `list="/items", record="/item", url="${this.target}/{id}"`],
      ...(order === "" ? [] : [["Item-Order", order] as const]),
    ];
    return { fields, body: JSON.stringify({ items: this.#rows }) };
  }

  /** Takes a visit note of. */
  arrive(parts: Omit<VisitParts, "stage">): void {
    const { lastEventId } = parts;
    if (lastEventId !== undefined && !this.given.has(lastEventId)) {
      this.flaws.push({ requirement: "R-RES-5", what: `It resumes at ${lastEventId}, which this URL never gave out.` });
    }
    this.#visits.push(new Visit({ ...parts, stage: this }));
    this.wake();
  }

  /** Something happened that somebody may wait for. */
  wake(): void {
    for (const one of [...this.#waiting]) one();
  }

  /** The next visit. @throws Fault where none comes within so many milliseconds of the protocol, and a moment */
  async visit(withinMs: number, expected: string): Promise<Visit> {
    await this.until(() => this.#visits.length > 0, withinMs + graceMs * this.#speed);
    const visit = this.#visits.shift();
    if (!visit) throw new Fault(expected, `None comes within ${withinMs / 1_000} s.`);
    return visit;
  }

  /** The first visit; waits as long as it takes. */
  async first(): Promise<Visit> {
    await this.until(() => this.#visits.length > 0, Number.POSITIVE_INFINITY);
    return this.visit(0, "A visit.");
  }

  /** Whether somebody has come and was not served yet. */
  get isVisited(): boolean {
    return this.#visits.length > 0;
  }

  /** Waits for the first handshake at or below the situation's URL, whatever becomes of it. */
  async met(): Promise<void> {
    await this.until(() => this.handshakes > 0, Number.POSITIVE_INFINITY);
  }

  /** The first visit, where the client speaks Level 1. @throws Skip */
  async firstOfLevel1(): Promise<Visit> {
    const visit = await this.first();
    if (visit.level === 0) skip("The client speaks Level 0 only.");
    return visit;
  }

  /** Makes sure that nobody comes in that time. @throws Fault */
  async nobody(forMs: number, expected: string): Promise<void> {
    await this.until(() => this.#visits.length > 0, forMs);
    if (this.#visits.length > 0) throw new Fault(expected, "It asks again.");
  }

  /** Waits until something holds, at most so many milliseconds of the protocol. */
  async until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const endsAt = performance.now() + this.ms(withinMs);
    while (!holds()) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(leftMs, 2 ** 30));
        this.#waiting.add(done);
      });
    }
    return true;
  }

  /** Makes sure that a client has read all, and is still there. @throws Fault */
  async settle(link: Link): Promise<void> {
    if (!(await link.fence())) {
      const came = link.closedWith === undefined ? "No pong comes." : `It has closed with ${link.closedWith}.`;
      throw new Fault("The connection goes on.", came);
    }
  }

  /** Judges what a client says that it holds. */
  judge(rows: unknown): void {
    const members = (row: unknown) => row as Row;
    if (!Array.isArray(rows) || this.situation.isAboutRecords === false) return;
    const held = rows.map(members);
    const sorted = (list: readonly Row[]) =>
      this.situation.isOrdered ? list : [...list].sort((one, other) => Number(one.id) - Number(other.id));
    const isRight = isDeepStrictEqual(sorted(held), sorted(this.#rows));
    const expected = `It holds ${JSON.stringify(sorted(this.#rows))}.`;
    const came = `It holds ${JSON.stringify(sorted(held))}.`;
    this.heldOutcome = isRight
      ? { kind: "passed" }
      : { kind: "failed", expected, came, transcript: this.transcript.lines };
  }

  /** Says how it went. */
  finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.#end();
  }
}
