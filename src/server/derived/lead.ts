import type { Clock } from "../ports/clock.ts";
import type { Verdict } from "./asking.ts";
import type { Member, Members } from "./members.ts";

/** An answer that has the view's document, or a newer one. */
export type Answer = Extract<Verdict, { readonly kind: "same" | "other" }>;

/** After so long without an answer another member is asked beside the one that is slow, in milliseconds. */
const slowMs = 500;
/** How many members are asked at the same time at most. */
const maxAtOnce = 16;
/** After so many answers of a server that fails, the look has failed. */
const maxFailed = 2;

/**
 * Asks for the document of a view that several are declared to share: one GET as the member that answered last. Where
 * that is refused, fails, leaves the view or is slow, another member is asked: it concerns nobody else.
 */
export class Lead {
  readonly #clock: Clock;
  readonly #members: Members;
  readonly #ask: (member: Member) => Promise<Verdict>;
  readonly #late: (verdict: Verdict) => void;
  #leader: Member | undefined;

  /**
   * @param ask - asks as one member; must not reject
   * @param late - takes what comes after another member's answer was taken
   */
  constructor(
    clock: Clock,
    members: Members,
    ask: (member: Member) => Promise<Verdict>,
    late: (verdict: Verdict) => void,
  ) {
    this.#clock = clock;
    this.#members = members;
    this.#ask = ask;
    this.#late = late;
  }

  /** Has a member asked first, unless there is one already. */
  prefer(member: Member): void {
    if (!this.#leader || !this.#members.has(this.#leader)) this.#leader = member;
  }

  /** The first answer that counts; `undefined` where nobody can be asked as, or all fail. Never rejects. */
  async look(): Promise<Answer | undefined> {
    const asked = new Set<Member>();
    const running = new Map<Member, Promise<Verdict>>();
    let failed = 0;
    // Where one after another leaves, the wait for who stays must not grow with their number.
    for (let wanted = 1; ; ) {
      for (let free = maxAtOnce - running.size; wanted > 0 && free > 0; wanted -= 1, free -= 1) {
        const member = this.#next(asked);
        if (!member) break;
        asked.add(member);
        running.set(member, this.#ask(member));
      }
      if (running.size === 0) return undefined;
      const verdict = await this.#first([...running.values()], this.#next(asked) !== undefined);
      if (!verdict) {
        wanted = 1;
        continue;
      }
      running.delete(verdict.member);
      if (verdict.kind === "same" || verdict.kind === "other") {
        this.#leader = verdict.member;
        for (const waiting of running.values()) void waiting.then(this.#late);
        return verdict;
      }
      if (verdict.kind === "failed") failed += 1;
      wanted = failed >= maxFailed ? 0 : verdict.kind === "failed" ? 1 : asked.size;
    }
  }

  #next(asked: ReadonlySet<Member>): Member | undefined {
    const now = this.#clock.now();
    const leader = this.#leader;
    if (leader && this.#members.has(leader) && leader.notBefore <= now && !asked.has(leader)) return leader;
    return this.#members.next(now, (member) => asked.has(member));
  }

  /** The first verdict; `undefined` once it takes long and another one can be asked. */
  async #first(running: readonly Promise<Verdict>[], hasOthers: boolean): Promise<Verdict | undefined> {
    if (!hasOthers) return Promise.race(running);
    let cancel = (): void => undefined;
    const slow = new Promise<undefined>((resolve) => {
      cancel = this.#clock.setTimer(() => resolve(undefined), slowMs);
    });
    try {
      return await Promise.race([...running, slow]);
    } finally {
      cancel();
    }
  }
}
