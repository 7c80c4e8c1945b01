import type { Member, Members } from "./members.ts";

/** The members of a view who are not to be asked as before some time. */
export class DelayedMembers {
  readonly #members: Members;
  readonly #delayed: Set<Member> = new Set();

  constructor(members: Members) {
    this.#members = members;
  }

  /** Notes a member that was just asked as. */
  note(member: Member, now: number): void {
    if (member.notBefore > now) this.#delayed.add(member);
  }

  /** When the first one can be asked as again; the past where there is none. */
  earliest(): number {
    const times = [...this.#delayed].filter((member) => this.#members.has(member)).map(({ notBefore }) => notBefore);
    return times.length > 0 ? Math.min(...times) : 0;
  }

  /** When those can be asked as who can't now; forgets the others. */
  takeStock(now: number): number[] {
    const times: number[] = [];
    for (const member of this.#delayed) {
      if (member.notBefore > now && this.#members.has(member)) times.push(member.notBefore);
      else this.#delayed.delete(member);
    }
    return times;
  }
}
