import { isDeepStrictEqual } from "node:util";
import type { Checked, Outcome } from "../case.ts";
import { Fault, Skip, skip } from "../fault.ts";
import { Transcript } from "../transcript.ts";
import type { Field } from "../wire/http.ts";
import type { Flaw } from "../wire/messages.ts";
import type { Channel } from "./channel.ts";
import { type Resource, type Row, Visit, type VisitParts } from "./visit.ts";
import { type Way, wayNames } from "./way.ts";

/** What a server plays to a client at one URL, and what it finds wrong. */
export interface Situation extends Checked {
  /** A part of its URL. */
  readonly name: string;
  /** The ways to follow that it is about. Default: WebSockets. */
  readonly ways?: readonly Way[];
  /** What stands before the number in the URLs of records. Default: nothing. */
  readonly prefix?: string;
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

/** The number of a record, whatever a client took for one; -1 for what has none. */
function idOf(row: unknown): number {
  const id = typeof row === "object" && row !== null && "id" in row ? row.id : undefined;
  return typeof id === "number" ? id : -1;
}

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
  /** True once a client asked for what follows a position that it had been given. */
  hasResumed = false;
  /** What the client said that it held, judged. */
  heldOutcome: Outcome | undefined;
  readonly over: Promise<void>;
  readonly #speed: number;
  readonly #visits: Visit[] = [];
  /** Those that were served. */
  readonly #served: Visit[] = [];
  /** Whether it was waited for nobody to come. */
  #hasWatched = false;
  #isShown = false;
  readonly #waiting: Set<() => void> = new Set();
  #rows: Row[];
  #segment = "c1";
  #place = 1;
  #version = 1;
  #left: Skip | undefined;
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

  /** Whether it is about clients that come so. */
  isAbout(way: Way): boolean {
    return (this.situation.ways ?? ["socket"]).includes(way);
  }

  /** A client came by a way that this is not about. */
  leave(way: Way): void {
    this.#leave(`The client follows by ${wayNames[way]}, and this is about another way.`);
  }

  /** A client named a stream, and asked for none. */
  leavePlain(accept: string): void {
    this.#leave(`The client came with a plain GET, by R-STR-1: in "Accept: ${accept}" the stream is not wanted most.`);
  }

  #leave(why: string): void {
    this.#left ??= new Skip(why);
    this.wake();
  }

  get etag(): string {
    return `"${this.#version}"`;
  }

  urlOf({ id }: Row): string {
    return `${this.target}/${this.situation.prefix ?? ""}${id}`;
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
    this.arrange(rows);
    this.given.add(this.position);
  }

  /** Takes a change in. */
  put(status: number, row: Row): void {
    this.#version += 1;
    const at = this.#rows.findIndex(({ id }) => id === row.id);
    if (status === 204) this.#rows = this.#rows.filter(({ id }) => id !== row.id);
    else if (at >= 0) this.#rows[at] = row;
    else this.#rows.push(row);
  }

  /** Puts the records into an order that a client has to find by itself. */
  arrange(rows: readonly Row[]): void {
    this.#version += 1;
    this.#rows = [...rows];
  }

  /** What a GET answers now. */
  document(): { readonly fields: readonly Field[]; readonly body: string } {
    const { order = "id.asc" } = this.situation;
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Items", `list="/items", record="/item", url="${this.target}/${this.situation.prefix ?? ""}{id}"`],
      ...(order === "" ? [] : [["Item-Order", order] as const]),
    ];
    return { fields, body: JSON.stringify({ items: this.#rows }) };
  }

  /** Takes a visit note of. */
  arrive(parts: Omit<VisitParts, "stage">): void {
    const { lastEventId } = parts;
    this.hasResumed ||= lastEventId !== undefined;
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
    this.#served.push(visit);
    return visit;
  }

  /** The first visit; waits as long as it takes. @throws Skip where the client comes by another way */
  async first(): Promise<Visit> {
    await this.until(() => this.#visits.length > 0 || this.#left !== undefined, Number.POSITIVE_INFINITY);
    if (this.#left) throw this.#left;
    return this.visit(0, "A visit.");
  }

  /** Whether somebody has come and was not served yet. */
  get isVisited(): boolean {
    return this.#visits.length > 0;
  }

  /**
   * Whether something of how it was taken has shown: a client came again or stayed away, or ended the stream itself. Else it
   * shows only in what it holds.
   */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** Whether somebody has followed, by whichever way. */
  get isMet(): boolean {
    return this.handshakes > 0 || this.isVisited || this.#served.length > 0;
  }

  /** Waits for the first handshake at or below the situation's URL, whatever becomes of it. @throws Skip */
  async met(): Promise<void> {
    await this.until(() => this.handshakes > 0 || this.#left !== undefined, Number.POSITIVE_INFINITY);
    if (this.#left) throw this.#left;
  }

  /** The first visit, where the client speaks Level 1. @throws Skip */
  async firstOfLevel1(): Promise<Visit> {
    const visit = await this.first();
    if (visit.level === 0) skip("The client speaks Level 0 only.");
    return visit;
  }

  /** Makes sure that nobody comes in that time. @throws Fault */
  async nobody(forMs: number, expected: string): Promise<void> {
    this.#hasWatched = true;
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
  async settle(link: Channel): Promise<void> {
    if (!(await link.fence())) {
      const closed = link.way === "socket" ? `It has closed with ${link.closedWith}.` : "The client has gone.";
      const came = link.closedWith === undefined ? "No pong comes." : closed;
      throw new Fault("The connection goes on.", came);
    }
  }

  /** Judges what a client says that it holds. */
  judge(rows: unknown): void {
    if (!Array.isArray(rows) || this.situation.isAboutRecords === false) return;
    const sorted = (list: readonly unknown[]) =>
      this.situation.isOrdered ? list : [...list].sort((one, other) => idOf(one) - idOf(other));
    const isRight = isDeepStrictEqual(sorted(rows), sorted(this.#rows));
    const expected = `It holds ${JSON.stringify(sorted(this.#rows))}.`;
    const came = `It holds ${JSON.stringify(sorted(rows))}.`;
    this.heldOutcome = isRight
      ? { kind: "passed" }
      : { kind: "failed", expected, came, transcript: this.transcript.lines };
  }

  /** Says how it went. */
  finish(outcome: Outcome): void {
    this.outcome = outcome;
    const hasLeft = this.#served.some(({ link }) => link.closedWith !== undefined);
    const isAboutRecords = this.situation.isAboutRecords !== false;
    this.#isShown = !isAboutRecords || this.#served.length > 1 || this.#hasWatched || hasLeft;
    this.#end();
  }
}
