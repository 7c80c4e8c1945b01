import type { Clock } from "../ports/clock.ts";
import type { Member, Members } from "./members.ts";

/** How many members of one view are asked at once, and how often that is done at most. */
const maxAsked = 8;
const minWaitMs = 10;
/** A round takes this part of the refresh time, less a jitter of a tenth: what is late is still in time. */
const roundPart = 0.9;

/** Has each member of a view asked as once per refresh time: that ends who may not see the document any more. */
export class Rounds {
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #members: Members;
  readonly #ask: (member: Member) => Promise<void>;
  readonly #asked: Set<Member> = new Set();
  #pacedFor = 0;
  #cancel: (() => void) | undefined;

  /** @param ask - asks as one member; must not reject */
  constructor(clock: Clock, refreshMs: number, members: Members, ask: (member: Member) => Promise<void>) {
    this.#clock = clock;
    this.#refreshMs = refreshMs;
    this.#members = members;
    this.#ask = ask;
  }

  /** Keeps the pace where there are many more members than before. */
  joined(): void {
    if (this.#members.size > 2 * this.#pacedFor) this.start();
  }

  start(): void {
    this.stop();
    const roundMs = this.#refreshMs * (roundPart - 0.1 * this.#clock.random());
    this.#pacedFor = Math.max(1, this.#members.size);
    const waitMs = Math.max(minWaitMs, roundMs / this.#pacedFor);
    this.#cancel = this.#clock.setTimer(() => {
      this.#askSome(Math.ceil((this.#members.size * waitMs) / roundMs));
      this.start();
    }, waitMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #askSome(count: number): void {
    const now = this.#clock.now();
    const late = now - this.#refreshMs * roundPart;
    for (let taken = 0; this.#asked.size < maxAsked; taken += 1) {
      const member = this.#members.next(now, (candidate) => this.#asked.has(candidate));
      if (!member || (taken >= count && member.checkedAt > late)) return;
      this.#asked.add(member);
      void this.#ask(member).then(() => this.#asked.delete(member));
    }
  }
}
