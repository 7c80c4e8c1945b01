import type { Clock } from "../ports/clock.ts";
import type { DerivedFollower } from "./derived-follower.ts";
import type { Member, Members } from "./members.ts";

/** Has those wait whose right to a view's document is not known: they are shown it once their own GETs return it. */
export class HeldMembers {
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #members: Members;

  /** @param refreshMs - how long a right may stand without being confirmed */
  constructor(clock: Clock, refreshMs: number, members: Members) {
    this.#clock = clock;
    this.#refreshMs = refreshMs;
    this.#members = members;
  }

  /** Nothing new is shown to a member until its own GET returns what the view shows. */
  hold(member: Member): void {
    if (member.isHeld || !this.#members.has(member)) return;
    member.isHeld = true;
    for (const follower of [...member.followers]) follower.hold();
  }

  release(member: Member): void {
    if (!member.isHeld) return;
    member.isHeld = false;
    for (const follower of [...member.followers]) follower.release();
  }

  /** Has those wait whose own GETs could not be answered for too long. */
  holdOverdue(): void {
    for (const member of this.#members) {
      if (!this.#isOverdue(member)) break;
      this.hold(member);
    }
  }

  /** Whether a follower may be shown the document now; where its right to it is not known any more, it has to wait. */
  check(follower: DerivedFollower): boolean {
    const member = this.#members.of(follower);
    if (!member) return false;
    if (this.#isOverdue(member)) this.hold(member);
    return !member.isHeld;
  }

  #isOverdue({ checkedAt }: Member): boolean {
    return checkedAt < this.#clock.now() - this.#refreshMs;
  }
}
