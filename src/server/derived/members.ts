import type { Field } from "../../protocol/index.ts";
import type { Viewer } from "../viewer.ts";
import type { DerivedFollower } from "./derived-follower.ts";

/** Those of a view's followers who ask as the same viewer: one GET speaks for all of them. */
export interface Member {
  readonly key: string;
  readonly viewer: Viewer;
  readonly followers: Set<DerivedFollower>;
  /** How often somebody began to follow as it, by a GET of its own. */
  joined: number;
  /** When a GET of its own was last answered with the view's document. */
  checkedAt: number;
  /** Its own entity tag, and the document that it was given with. */
  validator: { readonly etag: string; readonly document: object } | undefined;
  /** What its last answer said of who may be shown it: a 304 need not say it again (RFC 9111 §4.3.4). */
  said: readonly Field[];
  /** How many of its GETs failed in a row. */
  failures: number;
  /** It is not asked as before this time. */
  notBefore: number;
  /** When it was first answered 404 or 410, which a later answer has to confirm. */
  missingSince: number | undefined;
  /** True while nothing new is shown to it: first its own GET has to return that. */
  isHeld: boolean;
}

/** The viewers of a view, those first whose own GET is longest ago. */
export class Members {
  readonly #members: Map<string, Member> = new Map();
  readonly #memberOf: Map<DerivedFollower, Member> = new Map();

  get size(): number {
    return this.#members.size;
  }

  get followers(): number {
    return this.#memberOf.size;
  }

  /** Whether one of them was answered by nothing that counts when it was asked as last. */
  get areFailing(): boolean {
    for (const { failures } of this.#members.values()) if (failures > 0) return true;
    return false;
  }

  /** Everyone who follows. */
  get all(): DerivedFollower[] {
    return [...this.#memberOf.keys()];
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  get(key: string): Member | undefined {
    return this.#members.get(key);
  }

  /** True while the member is one of these. */
  has(member: Member): boolean {
    return this.#members.get(member.key) === member;
  }

  of(follower: DerivedFollower): Member | undefined {
    return this.#memberOf.get(follower);
  }

  /** Puts a follower among those of a viewer. */
  add(follower: DerivedFollower, key: string, viewer: Viewer): Member {
    if (this.#memberOf.get(follower)?.key !== key) this.remove(follower);
    let member = this.#members.get(key);
    if (!member) {
      member = {
        key,
        viewer,
        followers: new Set(),
        joined: 0,
        checkedAt: Number.NEGATIVE_INFINITY,
        validator: undefined,
        said: [],
        failures: 0,
        notBefore: 0,
        missingSince: undefined,
        isHeld: false,
      };
      this.#members.set(key, member);
    }
    member.joined += 1;
    member.followers.add(follower);
    this.#memberOf.set(follower, member);
    return member;
  }

  /** @returns the member whose last follower it was */
  remove(follower: DerivedFollower): Member | undefined {
    const member = this.#memberOf.get(follower);
    if (!member) return undefined;
    this.#memberOf.delete(follower);
    member.followers.delete(follower);
    if (member.followers.size > 0) return undefined;
    this.#members.delete(member.key);
    return member;
  }

  /** Says that a member's own GET was just answered with the view's document. */
  checked(member: Member, now: number): void {
    member.checkedAt = now;
    member.notBefore = 0;
    member.failures = 0;
    member.missingSince = undefined;
    if (!this.has(member)) return;
    this.#members.delete(member.key);
    this.#members.set(member.key, member);
  }

  /** The one whose own GET is longest ago, of those that may be asked as now and that `isLeftOut` does not name. */
  next(now: number, isLeftOut: (member: Member) => boolean = () => false): Member | undefined {
    for (const member of this.#members.values()) if (member.notBefore <= now && !isLeftOut(member)) return member;
    return undefined;
  }
}
