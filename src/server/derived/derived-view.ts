import type { Field } from "../../protocol/index.ts";
import { Delivery } from "../delivery/delivery.ts";
import { Unseen } from "../delivery/unseen.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Viewer } from "../viewer.ts";
import { type AskingParts, askAs, rememberValidator, saidOf, type Verdict } from "./asking.ts";
import { compare, reopenAll } from "./comparing.ts";
import { DelayedMembers } from "./delayed-members.ts";
import type { DerivedFollower } from "./derived-follower.ts";
import type { Document, DocumentPlace } from "./document.ts";
import type { Hold, Taken } from "./documents.ts";
import type { FirstLook } from "./first-look.ts";
import { HeldMembers } from "./held-members.ts";
import { type Answer, Lead } from "./lead.ts";
import { type Member, Members } from "./members.ts";
import { noRoom } from "./no-room.ts";
import { PendingWrites, type WrittenPaths } from "./pending-writes.ts";
import { RefreshSchedule, type RefreshTimes } from "./refresh.ts";
import { Restless } from "./restless.ts";
import { Rounds } from "./rounds.ts";
import type { Sharing } from "./sharing.ts";
import { ShownPositions } from "./shown-positions.ts";
import { Sources } from "./sources.ts";
import { differenceOf, entityTagOf, hasDocument, readStanding, type Standing } from "./standing.ts";

/** What derived views are looked at with. */
export interface ViewParts extends Omit<AskingParts, "belongs" | "endGone"> {
  readonly times: RefreshTimes;
  belongs(view: DerivedView, member: Member, said: readonly Field[]): boolean;
  /** Whether another view that is declared for the member shows what this one does: then it can go there. */
  canRejoin(view: DerivedView, member: Member): boolean;
  /** The position of an answer's document. */
  positionOf(response: OriginResponse): string;
  /** Whether the rows of a view's new document, which a member was given, have URLs. */
  haveUrls(view: DerivedView, document: Document, member: Member): boolean | Promise<boolean>;
  /** Takes a document in; a status where there is no room for it. */
  take(view: DerivedView, response: OriginResponse, replaced: Hold): Taken | Promise<Taken>;
  /** Somebody follows as a member for the first time, or nobody does any more. */
  came(view: DerivedView, member: Member): void;
  left(member: Member): void;
  /** The view reads something else than before. */
  placed(view: DerivedView): void;
  /** Nobody follows the view any more. */
  forget(view: DerivedView): void;
}

const lingerMs = 1_000;

/** A view of which only the document is known: it is asked for again, and compared. */
export class DerivedView {
  readonly kind = "derived";
  /** The target, which is also its name on the wire. */
  readonly url: string;
  /** Its name among the views. */
  key: string;
  readonly sharing: Sharing;
  readonly place: DocumentPlace;
  readonly owner: string;
  readonly members: Members = new Members();
  readonly live: Set<DerivedFollower> = new Set();
  isConditional = true;
  /** How often it was asked for, and how often something said that it may have changed. */
  readonly asked: { gets: number; writes: number } = { gets: 0, writes: 0 };
  readonly sources: Sources;
  readonly #parts: ViewParts;
  readonly #asking: AskingParts;
  readonly #lead: Lead;
  readonly #rounds: Rounds;
  readonly #pending: PendingWrites = new PendingWrites();
  readonly #restless: Restless;
  readonly #unseen: Unseen;
  readonly #shown: ShownPositions;
  #schedule: RefreshSchedule;
  #hold: Hold;
  #standing: Standing;
  #isTold = false;
  /** While all fail, nobody is asked as. */
  #restUntil = 0;
  readonly #held: HeldMembers;
  readonly #delayed: DelayedMembers = new DelayedMembers(this.members);
  #waiting: ((isSeen: boolean) => void)[] = [];
  #cancelLinger: (() => void) | undefined;

  constructor(parts: ViewParts, { key, sharing, place, first, askedAt, hold, hasUrls, owner }: FirstLook) {
    this.#parts = parts;
    this.#asking = {
      ...parts,
      belongs: (member, said) => parts.belongs(this, member, said),
      endGone: (followers, response) => this.#end(followers, response),
    };
    this.url = place.target;
    this.key = key;
    this.sharing = sharing;
    this.place = place;
    this.owner = owner;
    this.#hold = hold;
    this.#shown = new ShownPositions(askedAt);
    this.sources = new Sources(first);
    this.#standing = readStanding(hold, first, { place, isShared: this.#isShared, hasUrls });
    this.#schedule = this.#newSchedule();
    this.#restless = new Restless(parts.times.refreshMs, parts.clock.now());
    this.#unseen = new Unseen(parts.clock, (isUnseen) => {
      for (const follower of this.members.all) follower.tellUnseen(isUnseen);
    });
    const ask = (member: Member) => this.#ask(member);
    this.#lead = new Lead(parts.clock, this.members, ask, (verdict) => this.#takeLate(verdict));
    this.#held = new HeldMembers(parts.clock, parts.times.refreshMs, this.members);
    this.#rounds = new Rounds(parts.clock, parts.times.refreshMs, this.members, (member) => this.#check(member));
    this.#rounds.start();
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** The position: equal where the document is equal, on any process and after any restart [R-POS-8]. */
  get eventId(): string {
    return this.#standing.eventId;
  }

  get document(): Document {
    return this.#standing.document;
  }

  /** True once it is not looked at any more. */
  get isStopped(): boolean {
    return this.#schedule.isStopped;
  }

  get #isShared(): boolean {
    return this.sharing.kind === "declared";
  }

  /** True where the view shows an answer's document, or showed it at some time since that was asked for. */
  hasShown(response: OriginResponse, askedAt: number): boolean {
    if (hasDocument(this.#standing, response)) return true;
    return this.#shown.has(askedAt, () => this.#parts.positionOf(response));
  }

  /**
   * Whether somebody whose own GET was answered may begin with what the view shows: that very document, or what was asked for
   * later. Where others may be given another document, the answer's must have been shown since it was asked for.
   */
  canOpen(response: OriginResponse, askedAt: number): boolean {
    if (this.#shown.isReplacing) return false;
    if (hasDocument(this.#standing, response)) return true;
    return this.#shown.isAfter(askedAt) && (this.sharing.kind === "viewer" || this.hasShown(response, askedAt));
  }

  /** Somebody begins with what the view shows, whose own GET was answered: nothing from before that is shown any more. */
  confirm(response: OriginResponse, askedAt: number): void {
    if (hasDocument(this.#standing, response)) this.#shown.confirm(askedAt, this.#parts.moment());
  }

  /** Whether a follower may be given the document now. Where its right to it is not known any more, it has to wait. */
  checkRight(follower: DerivedFollower): boolean {
    return this.#held.check(follower);
  }

  /**
   * Something was written that the document may show.
   *
   * @param written - the URLs of one write, where it is not certain that it can be read yet: then it is looked for again
   * a little later, unless the difference has one of them
   */
  stale(written: readonly string[] = []): void {
    this.asked.writes += 1;
    this.#pending.add(written);
    this.#isTold = true;
    this.#restless.written();
    this.#unseen.changed();
    this.#schedule.soon();
  }

  /** Has a member asked as, as its right to the document may have ended. */
  recheck(member: Member): void {
    if (this.isStopped || !this.members.has(member)) return;
    this.#isTold ||= !this.#isShared;
    void this.#check(member);
  }

  /** Looks now, and resolves then: to true where the document is one that was asked for after this call. */
  renewed(): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (this.isStopped || now < this.#restUntil || !this.members.next(now)) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#isTold = true;
      this.#schedule.soon();
    });
  }

  /** @param response - what its own GET was just answered with */
  add(follower: DerivedFollower, viewerKey: string, viewer: Viewer, response: OriginResponse): void {
    this.#cancelLinger?.();
    const before = this.members.of(follower);
    const member = this.members.add(follower, viewerKey, viewer);
    if (before && !this.members.has(before)) this.#parts.left(before);
    if (member.followers.size === 1) this.#parts.came(this, member);
    this.#rounds.joined();
    this.#lead.prefer(member);
    this.members.checked(member, this.#parts.clock.now());
    member.said = saidOf(response, member.said);
    this.#learn(response);
    if (hasDocument(this.#standing, response)) rememberValidator(member, this.#standing, entityTagOf(response));
    this.#held.release(member);
    // What was said while nobody was there to look for it.
    if (this.#isTold) this.#schedule.soon();
  }

  remove(follower: DerivedFollower): void {
    this.live.delete(follower);
    const left = this.members.remove(follower);
    if (left) this.#parts.left(left);
    this.linger();
  }

  /** Forgets the view after a while unless somebody follows it then: those who come back soon find it. */
  linger(): void {
    this.#cancelLinger?.();
    if (this.members.size > 0 || this.isStopped) return;
    this.#cancelLinger = this.#parts.clock.setTimer(() => this.stop(), lingerMs);
  }

  /** Looks no more. Twice is fine. */
  stop(): void {
    if (this.isStopped) return;
    this.#schedule.stop();
    this.#unseen.stop();
    this.#cancelLinger?.();
    this.#rounds.stop();
    for (const resolve of this.#waiting.splice(0)) resolve(false);
    this.#hold.release();
    this.#parts.forget(this);
  }

  /** Goes on after `stop`: what was missed meanwhile is looked for. */
  restart(): void {
    this.#hold = { ...this.#hold, release: () => undefined };
    this.#schedule = this.#newSchedule();
    this.#rounds.start();
    this.stale();
  }

  #newSchedule(): RefreshSchedule {
    const { clock, times } = this.#parts;
    return new RefreshSchedule(clock, this.sources.paceMs(times.coalesceMs), () => this.#look());
  }

  /** What was written to a new source before the view is found there may be missed: it is looked for. */
  #learn(response: OriginResponse): void {
    if (this.isStopped || !this.sources.learn(response)) return;
    this.#schedule.pace(this.sources.paceMs(this.#parts.times.coalesceMs));
    this.#parts.placed(this);
    this.stale();
  }

  async #look(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    this.#unseen.begin();
    const isSeen = await this.#lookOnce();
    // What fails may hide a change that nobody told of.
    if (!isSeen && this.members.areFailing && !this.isStopped) this.#unseen.changed();
    if (!this.isStopped) this.#unseen.end(isSeen);
    for (const resolve of waiting) resolve(isSeen);
    this.#plan();
  }

  async #lookOnce(): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (now < this.#restUntil || !this.members.next(now)) return false;
    const written = this.#pending.take();
    this.#restless.begin();
    this.#isTold = false;
    let answer = await this.#lead.look();
    // Who came meanwhile was given what the view shows, by a GET that may be the newer one.
    while (answer?.kind === "other" && this.#shown.isConfirmedSince(answer.askedAt)) answer = await this.#lead.look();
    if (this.isStopped) return false;
    if (!answer || !this.members.has(answer.member)) {
      this.#pending.putBack(written);
      this.#isTold = true;
      // Where nobody is left to be asked as before some time, all were asked just now.
      if (!answer) this.#restUntil = this.#delayed.earliest();
      return false;
    }
    const isSame = answer.kind === "same";
    if (isSame) this.#restless.unchanged();
    if (isSame) this.#shown.confirm(answer.askedAt, this.#parts.moment());
    this.#lookFor(written, isSame ? [] : await this.#takeOther(answer));
    return true;
  }

  /** Adopts an answer, unless it differs only where it does so each time; the URLs at which it shows a write. */
  async #takeOther(answer: Answer): Promise<readonly string[]> {
    const { member, response } = answer;
    const now = this.#parts.clock.now();
    // Where the origin knows what it reads, each difference comes of a write, told or not told yet.
    if (this.sources.reads) return this.#shown.replacing(() => this.#adopt(answer));
    const { isQuiet, isDoubtful, idle } = this.#restless.judge(this.document, response, now);
    if (isDoubtful) this.#pending.doubt(now);
    if (!isQuiet) return (await this.#shown.replacing(() => this.#adopt(answer))).filter((url) => !idle.has(url));
    this.#shown.confirm(answer.askedAt, this.#parts.moment());
    this.members.checked(member, now);
    this.#held.release(member);
    return [];
  }

  async #ask(member: Member): Promise<Verdict> {
    this.asked.gets += 1;
    const verdict = await askAs(this.#asking, this, member);
    this.#delayed.note(member, this.#parts.clock.now());
    if ("response" in verdict) this.#learn(verdict.response);
    if (verdict.kind === "same") this.#held.release(member);
    else if (member.missingSince !== undefined) this.#held.hold(member);
    return verdict;
  }

  async #adopt({ member, response, askedAt }: Answer): Promise<readonly string[]> {
    const before = this.#standing;
    const replaced = this.#hold;
    // Who stops meanwhile has nothing to give up any more.
    this.#hold = { ...replaced, release: () => undefined };
    const hold = await this.#parts.take(this, response, replaced);
    if (typeof hold === "number") {
      for (const follower of this.members.all) follower.refuse(noRoom(hold));
      return [];
    }
    const looked = this.#parts.haveUrls(this, hold.document, member);
    const hasUrls = typeof looked === "boolean" ? looked : await looked;
    if (this.isStopped) {
      hold.release();
      return [];
    }
    this.#hold = hold;
    this.#standing = readStanding(hold, response, { place: this.place, isShared: this.#isShared, hasUrls });
    this.#shown.replaced(replaced.eventId, this.#parts.moment(), askedAt);
    this.members.checked(member, this.#parts.clock.now());
    rememberValidator(member, this.#standing, entityTagOf(response));
    this.#held.holdOverdue();
    const { notifications, urls } = differenceOf(before, this.#standing, this.url);
    const delivery = notifications && new Delivery(this.url, notifications, 0, 0);
    if (delivery) for (const follower of this.live) follower.deliver(delivery);
    else for (const follower of [...this.live]) follower.replace();
    this.#held.release(member);
    return urls;
  }

  #end(followers: readonly DerivedFollower[], response: OriginResponse): void {
    for (const follower of followers) {
      if (this.document.list) follower.refuse(response);
      else follower.endGone();
    }
  }

  #lookFor(written: readonly WrittenPaths[], found: readonly string[]): void {
    if (this.#pending.found(written, found, this.#parts.clock.now())) this.#isTold = true;
  }

  /** Says when to look next. */
  #plan(): void {
    const now = this.#parts.clock.now();
    const times = this.#delayed.takeStock(now);
    const { lookAgainAt } = this.#pending;
    if (lookAgainAt !== undefined) times.push(lookAgainAt);
    else if (this.#isTold && now < this.#restUntil) times.push(this.#restUntil);
    else if (this.#isTold && this.members.next(now)) this.#schedule.soon();
    this.#schedule.at(times.length > 0 ? Math.min(...times) : undefined);
  }

  /** Asks as a member, whether it still belongs to the view. */
  async #check(member: Member): Promise<void> {
    if (this.#parts.clock.now() < this.#restUntil) return;
    if (this.#parts.canRejoin(this, member)) {
      reopenAll(member);
    } else if (this.#isShared) {
      await this.#compare(await this.#ask(member));
      this.#plan();
    } else {
      // Without a condition: an entity tag that names a version only would hide that the viewer is shown less by now.
      member.validator = undefined;
      this.#schedule.soon();
    }
  }

  /** An answer that came after another member's was taken. */
  #takeLate(verdict: Verdict): void {
    void this.#compare(verdict).then(() => this.#plan());
  }

  #compare(verdict: Verdict): Promise<void> {
    const ask = (member: Member) => this.#ask(member);
    return compare(this, verdict, ask, (member) => {
      this.members.checked(member, this.#parts.clock.now());
      this.#held.release(member);
    });
  }
}
