import type { Field } from "../../protocol/index.ts";
import { Delivery } from "../delivery/delivery.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Viewer } from "../viewer.ts";
import { type AskingHost, askAs, rememberValidator, saidOf, type Verdict } from "./asking.ts";
import type { Document, DocumentPlace } from "./document.ts";
import type { Hold, Taken } from "./documents.ts";
import { type Answer, Lead } from "./lead.ts";
import { type Member, Members } from "./members.ts";
import { PendingWrites, type WrittenPaths } from "./pending-writes.ts";
import { RefreshSchedule, type RefreshTimes } from "./refresh.ts";
import { Restless } from "./restless.ts";
import { Rounds } from "./rounds.ts";
import type { Sharing } from "./sharing.ts";
import { differenceOf, entityTagOf, hasDocument, readStanding, type Standing } from "./standing.ts";
import type { ViewParts } from "./view-parts.ts";

/** What a view needs of the hub. */
export interface ViewHost<Follower> extends Omit<AskingHost<Follower>, "belongs" | "gone"> {
  readonly times: RefreshTimes;
  belongs(view: DerivedView<Follower>, member: Member<Follower>, said: readonly Field[]): boolean;
  /** Whether another view that is declared for the member shows what this one does: then it can go there. */
  canRejoin(view: DerivedView<Follower>, member: Member<Follower>): boolean;
  /** The position of an answer's document. */
  positionOf(response: OriginResponse): string;
  /** Whether the rows of a view's new document, which a member was given, have URLs. */
  haveUrls(view: DerivedView<Follower>, document: Document, member: Member<Follower>): boolean | Promise<boolean>;
  /** Takes a document in; a status where there is no room for it. */
  take(view: DerivedView<Follower>, response: OriginResponse, replaced: Hold): Taken | Promise<Taken>;
  /** Gives all that are live what came. */
  deliver(view: DerivedView<Follower>, delivery: Delivery): void;
  /** Gives all that are live the document anew. */
  replace(view: DerivedView<Follower>): void;
  /** Has followers wait… */
  hold(followers: readonly Follower[]): void;
  /** …and go on, with the document as it is then. */
  release(followers: readonly Follower[]): void;
  /** Ends followers of a record that is gone with its 204. */
  gone(view: DerivedView<Follower>, followers: readonly Follower[]): void;
  /** Ends followers of a document that there is no room for. */
  overflow(followers: readonly Follower[], status: 429 | 503): void;
  /** Somebody follows as a member for the first time, or nobody does any more. */
  came(view: DerivedView<Follower>, member: Member<Follower>): void;
  left(member: Member<Follower>): void;
  /** Nobody follows the view any more. */
  forget(view: DerivedView<Follower>): void;
}

const lingerMs = 1_000;
/** How often a member that gets another document is compared anew: a write may fall between two GETs. */
const maxCompared = 3;
/** How many of its last positions a view remembers: a GET that began before may have been answered with one of them. */
const rememberedPositions = 8;

/** A view of which only the document is known: it is asked for again, and compared. */
export class DerivedView<Follower> {
  readonly kind = "derived";
  /** The target, which is also its name on the wire. */
  readonly url: string;
  /** Its name among the views. */
  key: string;
  readonly sharing: Sharing;
  readonly place: DocumentPlace;
  readonly owner: string;
  readonly members: Members<Follower> = new Members();
  readonly live: Set<Follower> = new Set();
  isConditional = true;
  readonly #host: ViewHost<Follower>;
  readonly #asking: AskingHost<Follower>;
  readonly #lead: Lead<Follower>;
  readonly #rounds: Rounds<Follower>;
  readonly #pending: PendingWrites = new PendingWrites();
  readonly #restless: Restless;
  /** What it showed before, and until when. */
  readonly #shown: { readonly eventId: string; readonly until: number }[] = [];
  #schedule: RefreshSchedule;
  #hold: Hold;
  #standing: Standing;
  #isTold = false;
  /** While all fail, nobody is asked as. */
  #restUntil = 0;
  readonly #delayed: Set<Member<Follower>> = new Set();
  #waiting: ((isSeen: boolean) => void)[] = [];
  #cancelLinger: (() => void) | undefined;

  constructor(host: ViewHost<Follower>, { key, sharing, place, first, hold, hasUrls, owner }: ViewParts) {
    this.#host = host;
    this.#asking = {
      ...host,
      belongs: (member, said) => host.belongs(this, member, said),
      gone: (followers, response) => this.#end(followers, response),
    };
    this.url = place.target;
    this.key = key;
    this.sharing = sharing;
    this.place = place;
    this.owner = owner;
    this.#hold = hold;
    this.#standing = readStanding(hold, first, { place, isShared: this.#isShared, hasUrls });
    this.#schedule = this.#newSchedule();
    this.#restless = new Restless(host.times.refreshMs, host.clock.now());
    const ask = (member: Member<Follower>) => this.#ask(member);
    this.#lead = new Lead(host.clock, this.members, ask, (verdict) => this.#takeLate(verdict));
    this.#rounds = new Rounds(host.clock, host.times.refreshMs, this.members, (member) => this.#check(member));
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
    const recent = this.#shown.filter(({ until }) => until >= askedAt);
    if (recent.length === 0) return false;
    const eventId = this.#host.positionOf(response);
    return recent.some((shown) => shown.eventId === eventId);
  }

  /** Has a follower wait whose right to the document is not known any more; whether it may be given it now. */
  shows(follower: Follower): boolean {
    const member = this.members.of(follower);
    if (!member) return false;
    if (member.checkedAt < this.#host.clock.now() - this.#host.times.refreshMs) this.#holdBack(member);
    return !member.isHeld;
  }

  /**
   * Something was written that the document may show.
   *
   * @param written - the URLs of one write, where it is not certain that it can be read yet: then it is looked for again
   * a little later, unless the difference has one of them
   */
  stale(written: readonly string[] = []): void {
    this.#pending.add(written);
    this.#isTold = true;
    this.#restless.written();
    this.#schedule.soon();
  }

  /** Has a member asked as, as its right to the document may have ended. */
  recheck(member: Member<Follower>): void {
    if (this.isStopped || !this.members.has(member)) return;
    this.#isTold ||= !this.#isShared;
    void this.#check(member);
  }

  /** Looks now, and resolves then: to true where the document is one that was asked for after this call. */
  renewed(): Promise<boolean> {
    const now = this.#host.clock.now();
    if (this.isStopped || now < this.#restUntil || !this.members.next(now)) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#isTold = true;
      this.#schedule.soon();
    });
  }

  /** @param response - what its own GET was just answered with */
  add(follower: Follower, viewerKey: string, viewer: Viewer, response: OriginResponse): void {
    this.#cancelLinger?.();
    const before = this.members.of(follower);
    const member = this.members.add(follower, viewerKey, viewer);
    if (before && !this.members.has(before)) this.#host.left(before);
    if (member.followers.size === 1) this.#host.came(this, member);
    this.#rounds.joined();
    this.#lead.prefer(member);
    this.members.checked(member, this.#host.clock.now());
    member.said = saidOf(response, member.said);
    if (hasDocument(this.#standing, response)) rememberValidator(member, this.#standing, entityTagOf(response));
    this.#release(member);
    // What was said while nobody was there to look for it.
    if (this.#isTold) this.#schedule.soon();
  }

  remove(follower: Follower): void {
    this.live.delete(follower);
    const left = this.members.remove(follower);
    if (left) this.#host.left(left);
    this.linger();
  }

  /** Forgets the view after a while unless somebody follows it then: those who come back soon find it. */
  linger(): void {
    this.#cancelLinger?.();
    if (this.members.size > 0 || this.isStopped) return;
    this.#cancelLinger = this.#host.clock.setTimer(() => this.stop(), lingerMs);
  }

  /** Looks no more. Twice is fine. */
  stop(): void {
    if (this.isStopped) return;
    this.#schedule.stop();
    this.#cancelLinger?.();
    this.#rounds.stop();
    for (const resolve of this.#waiting.splice(0)) resolve(false);
    this.#hold.release();
    this.#host.forget(this);
  }

  /** Goes on after `stop`: what was missed meanwhile is looked for. */
  restart(): void {
    this.#hold = { ...this.#hold, release: () => undefined };
    this.#schedule = this.#newSchedule();
    this.#rounds.start();
    this.stale();
  }

  #newSchedule(): RefreshSchedule {
    return new RefreshSchedule(this.#host.clock, this.#host.times.coalesceMs, () => this.#look());
  }

  async #look(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    const isSeen = await this.#lookOnce();
    for (const resolve of waiting) resolve(isSeen);
    this.#plan();
  }

  async #lookOnce(): Promise<boolean> {
    const now = this.#host.clock.now();
    if (now < this.#restUntil || !this.members.next(now)) return false;
    const written = this.#pending.take();
    this.#restless.begin();
    this.#isTold = false;
    const answer = await this.#lead.look();
    if (this.isStopped) return false;
    if (!answer || !this.members.has(answer.member)) {
      this.#pending.putBack(written);
      this.#isTold = true;
      // Where nobody is left to be asked as before some time, all were asked just now.
      if (!answer) this.#restUntil = this.#earliestAsk();
      return false;
    }
    const isSame = answer.kind === "same";
    if (isSame) this.#restless.unchanged();
    this.#lookFor(written, isSame ? [] : await this.#takeOther(answer));
    return true;
  }

  /** Adopts an answer, unless it differs only where it does so each time; the URLs at which it shows a write. */
  async #takeOther({ member, response }: Answer<Follower>): Promise<readonly string[]> {
    const now = this.#host.clock.now();
    const { isQuiet, isDoubtful, idle } = this.#restless.judge(this.document, response, now);
    if (isDoubtful) this.#pending.doubt(now);
    if (!isQuiet) return (await this.#adopt(member, response)).filter((url) => !idle.has(url));
    this.members.checked(member, now);
    this.#release(member);
    return [];
  }

  /** When the first one can be asked as again who can't be asked as now; the past where there is none. */
  #earliestAsk(): number {
    const times = [...this.#delayed].filter((member) => this.members.has(member)).map(({ notBefore }) => notBefore);
    return times.length > 0 ? Math.min(...times) : 0;
  }

  async #ask(member: Member<Follower>): Promise<Verdict<Follower>> {
    const verdict = await askAs(this.#asking, this, member);
    if (member.notBefore > this.#host.clock.now()) this.#delayed.add(member);
    if (verdict.kind === "same") this.#release(member);
    else if (member.missingSince !== undefined) this.#holdBack(member);
    return verdict;
  }

  async #adopt(member: Member<Follower>, response: OriginResponse): Promise<readonly string[]> {
    const before = this.#standing;
    const replaced = this.#hold;
    // Who stops meanwhile has nothing to give up any more.
    this.#hold = { ...replaced, release: () => undefined };
    const hold = await this.#host.take(this, response, replaced);
    if (typeof hold === "number") {
      this.#host.overflow(this.members.all, hold);
      return [];
    }
    const looked = this.#host.haveUrls(this, hold.document, member);
    const hasUrls = typeof looked === "boolean" ? looked : await looked;
    if (this.isStopped) {
      hold.release();
      return [];
    }
    this.#hold = hold;
    this.#standing = readStanding(hold, response, { place: this.place, isShared: this.#isShared, hasUrls });
    this.#shown.push({ eventId: replaced.eventId, until: this.#host.clock.now() });
    if (this.#shown.length > rememberedPositions) this.#shown.shift();
    this.members.checked(member, this.#host.clock.now());
    rememberValidator(member, this.#standing, entityTagOf(response));
    this.#holdOverdue();
    const { notifications, urls } = differenceOf(before, this.#standing, this.url);
    if (notifications) this.#host.deliver(this, new Delivery(this.url, notifications, 0, 0));
    else this.#host.replace(this);
    this.#release(member);
    return urls;
  }

  /** Has those wait whose own GETs could not be answered for too long: they see what those return, once they do. */
  #holdOverdue(): void {
    const earliest = this.#host.clock.now() - this.#host.times.refreshMs;
    for (const member of this.members) {
      if (member.checkedAt >= earliest) break;
      this.#holdBack(member);
    }
  }

  /** Nothing new is shown to a member until its own GET returns what the view shows. */
  #holdBack(member: Member<Follower>): void {
    if (member.isHeld || !this.members.has(member)) return;
    member.isHeld = true;
    this.#host.hold([...member.followers]);
  }

  #release(member: Member<Follower>): void {
    if (!member.isHeld) return;
    member.isHeld = false;
    this.#host.release([...member.followers]);
  }

  #end(followers: readonly Follower[], response: OriginResponse): void {
    if (this.document.list) this.#host.refuse(followers, response);
    else this.#host.gone(this, followers);
  }

  #lookFor(written: readonly WrittenPaths[], found: readonly string[]): void {
    if (this.#pending.found(written, found, this.#host.clock.now())) this.#isTold = true;
  }

  /** Says when to look next. */
  #plan(): void {
    const now = this.#host.clock.now();
    const times: number[] = [];
    for (const member of this.#delayed) {
      if (member.notBefore > now && this.members.has(member)) times.push(member.notBefore);
      else this.#delayed.delete(member);
    }
    const { lookAgainAt } = this.#pending;
    if (lookAgainAt !== undefined) times.push(lookAgainAt);
    else if (this.#isTold && now < this.#restUntil) times.push(this.#restUntil);
    else if (this.#isTold && this.members.next(now)) this.#schedule.soon();
    this.#schedule.at(times.length > 0 ? Math.min(...times) : undefined);
  }

  /** Asks as a member, whether it still belongs to the view. */
  async #check(member: Member<Follower>): Promise<void> {
    if (this.#host.clock.now() < this.#restUntil) return;
    if (this.#host.canRejoin(this, member)) {
      this.#host.reopen([...member.followers]);
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
  #takeLate(verdict: Verdict<Follower>): void {
    void this.#compare(verdict).then(() => this.#plan());
  }

  /** Has a member leave that is given another document than the view shows, before and after that was asked for. */
  async #compare(first: Verdict<Follower>): Promise<void> {
    let verdict = first;
    for (let compared = 0; verdict.kind === "other"; compared += 1) {
      const { member, response, askedAt } = verdict;
      const isRenewed = await this.renewed();
      if (!this.members.has(member)) return;
      if (this.hasShown(response, askedAt)) {
        this.members.checked(member, this.#host.clock.now());
        this.#release(member);
        return;
      }
      if (!isRenewed || compared + 1 >= maxCompared) {
        this.#host.reopen([...member.followers]);
        return;
      }
      verdict = await this.#ask(member);
    }
  }
}
