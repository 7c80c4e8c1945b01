import { Delivery } from "../delivery.ts";
import type { OriginResponse } from "../origin.ts";
import { type AskingHost, askAs, rememberValidator, type Verdict } from "./asking.ts";
import { type Document, type DocumentPlace, isEqualBody } from "./document.ts";
import { type Member, Members, type Viewer } from "./members.ts";
import { PendingWrites, type WrittenPaths } from "./pending-writes.ts";
import { RefreshSchedule, type RefreshTimes } from "./refresh.ts";
import { Rounds } from "./rounds.ts";
import type { Sharing } from "./sharing.ts";
import { ShownDocument } from "./shown.ts";
import { contentTypeOf, differenceOf, entityTagOf, hasDocument, type Standing } from "./standing.ts";

/** What a view needs of the hub. */
export interface ViewHost<Follower> extends Omit<AskingHost<Follower>, "belongs" | "gone"> {
  readonly times: RefreshTimes;
  belongs(view: DerivedView<Follower>, viewer: Viewer, response: OriginResponse): boolean;
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
  /** Nobody follows the view any more. */
  forget(view: DerivedView<Follower>): void;
}

/** What a view is made of. */
export interface ViewParts {
  /** Its name among the views. */
  readonly key: string;
  readonly sharing: Sharing;
  readonly place: DocumentPlace;
  readonly first: OriginResponse;
  /** Whose answer the first one is. */
  readonly viewerKey: string;
}

const lingerMs = 1_000;
/** How often members of a joined view may disagree in a row before it counts: a write may fall between their GETs. */
const maxDisputes = 3;

/** A view of which only the document is known: it is asked for again, and compared. */
export class DerivedView<Follower> {
  readonly kind = "derived";
  /** The target, which is also its name on the wire. */
  readonly url: string;
  /** Its name among the views. */
  key: string;
  readonly sharing: Sharing;
  readonly place: DocumentPlace;
  readonly members: Members<Follower> = new Members();
  readonly live: Set<Follower> = new Set();
  readonly #host: ViewHost<Follower>;
  readonly #asking: AskingHost<Follower>;
  readonly #rounds: Rounds<Follower>;
  readonly #pending: PendingWrites = new PendingWrites();
  #schedule: RefreshSchedule;
  readonly #shown: ShownDocument;
  /** When the document was last asked for with success. */
  #seenAt: number;
  #isTold = false;
  /** While all fail, nobody is asked as. */
  #restUntil = 0;
  #disputes = 0;
  /** One who did not get the document when it was asked for as it alone. */
  #suspect: Member<Follower> | undefined;
  readonly #delayed: Set<Member<Follower>> = new Set();
  #waiting: ((isSeen: boolean) => void)[] = [];
  #cancelLinger: (() => void) | undefined;

  constructor(host: ViewHost<Follower>, { key, sharing, place, first, viewerKey }: ViewParts) {
    this.#host = host;
    this.#asking = {
      ...host,
      belongs: (viewer, response) => host.belongs(this, viewer, response),
      gone: (followers, response) => this.#end(followers, response),
    };
    this.url = place.target;
    this.key = key;
    this.sharing = sharing;
    this.place = place;
    this.#shown = new ShownDocument(first, viewerKey, place);
    this.#seenAt = host.clock.now();
    this.#schedule = this.#newSchedule();
    this.#rounds = new Rounds(host.clock, host.times.refreshMs, this.members, (member) => this.#check(member));
    this.#rounds.start();
  }

  get standing(): Standing {
    return this.#shown.standing;
  }

  /** The position: equal where the document is equal, on any process and after any restart [R-POS-8]. */
  get eventId(): string {
    return this.standing.eventId;
  }

  get document(): Document {
    return this.standing.document;
  }

  /** True from when the document was said to be stale until it was looked at. */
  get isStale(): boolean {
    return this.#schedule.isDue || (this.#isTold && this.#pending.lookAgainAt === undefined);
  }

  /** True once it is not looked at any more. */
  get isStopped(): boolean {
    return this.#schedule.isStopped;
  }

  /** True where an answer's document is the view's. */
  isEqual(response: OriginResponse): boolean {
    return hasDocument(this.standing, response);
  }

  /** True where the view shows what this viewer's own GETs returned last, and nobody else's. */
  isOnlyFor(viewerKey: string): boolean {
    return this.members.size === 1 && this.members.get(viewerKey) !== undefined;
  }

  /** True where a viewer may be shown the document without a GET: its own returned it, as far as those tell. */
  isShownTo(viewerKey: string): boolean {
    const member = this.members.get(viewerKey);
    if (!member) return this.members.size === 0 && this.#shown.isOf(viewerKey);
    return !member.isHeld && member.failures === 0 && member.missingSince === undefined;
  }

  /** Whether a follower may be given the document now; one who may not is released once its own GET returns it. */
  shows(follower: Follower): boolean {
    const member = this.members.of(follower);
    if (!member) return false;
    if (member.checkedAt < this.#host.clock.now() - this.#host.times.refreshMs) this.#hold(member);
    return !member.isHeld;
  }

  /** Takes a further viewer's answer with the same document: what differs in its fields is not shown any more. */
  agree(viewerKey: string, response: OriginResponse): void {
    this.#shown.agree(viewerKey, response);
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
    this.#schedule.soon();
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

  /** @param isChecked - its own GET was just answered with the document */
  add(follower: Follower, viewerKey: string, viewer: Viewer, isChecked: boolean): void {
    this.#cancelLinger?.();
    const now = this.#host.clock.now();
    const member = this.members.add(follower, viewerKey, viewer, isChecked ? now : this.#seenAt);
    this.#rounds.joined();
    if (isChecked) {
      this.members.checked(member, now);
      if (this.#shown.isOf(viewerKey)) rememberValidator(member, this.standing, this.standing.etag);
      this.#release(member);
    }
    // What was said while nobody was there to look for it.
    if (this.#isTold) this.#schedule.soon();
  }

  remove(follower: Follower): void {
    this.live.delete(follower);
    this.members.remove(follower);
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
    this.#schedule.stop();
    this.#cancelLinger?.();
    this.#rounds.stop();
    for (const resolve of this.#waiting.splice(0)) resolve(false);
    this.#host.forget(this);
  }

  /** Goes on after `stop`: what was missed meanwhile is looked for. */
  restart(): void {
    this.#schedule = this.#newSchedule();
    this.#rounds.start();
    this.stale();
  }

  #newSchedule(): RefreshSchedule {
    const { clock, times } = this.#host;
    return new RefreshSchedule(clock, times.coalesceMs, () => this.#look());
  }

  async #look(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    const isSeen = await this.#lookOnce();
    for (const resolve of waiting) resolve(isSeen);
    this.#plan();
  }

  async #lookOnce(): Promise<boolean> {
    const pair = this.#pair();
    if (pair.length === 0) return false;
    const written = this.#pending.take();
    this.#isTold = false;
    const verdicts = await Promise.all(pair.map((member) => this.#ask(member)));
    if (verdicts.every(({ kind }) => kind === "failed")) {
      this.#restUntil = Math.max(...pair.map(({ notBefore }) => notBefore));
    }
    const isSeen = this.#conclude(verdicts, written);
    if (isSeen) this.#seenAt = this.#host.clock.now();
    else {
      this.#pending.putBack(written);
      this.#isTold = true;
    }
    return isSeen;
  }

  /** Who is asked as: in a joined view two, so that nobody's own answer is taken for everybody's. */
  #pair(): Member<Follower>[] {
    const now = this.#host.clock.now();
    if (now < this.#restUntil) return [];
    const suspect = this.#suspect;
    this.#suspect = undefined;
    const isAsked = suspect && this.members.has(suspect) && suspect.notBefore <= now;
    const first = isAsked ? suspect : this.members.next(now);
    if (!first) return [];
    const second = this.members.next(now, (member) => member === first);
    return second ? [first, second] : [first];
  }

  async #ask(member: Member<Follower>): Promise<Verdict<Follower>> {
    const verdict = await askAs(this.#asking, this, member);
    if (member.notBefore > this.#host.clock.now()) this.#delayed.add(member);
    if (verdict.kind === "same") this.#release(member);
    else if (member.missingSince !== undefined) this.#hold(member);
    return verdict;
  }

  /** Whether the document is known now. */
  #conclude(verdicts: readonly Verdict<Follower>[], written: readonly WrittenPaths[]): boolean {
    const answers = verdicts
      .filter((verdict) => verdict.kind === "same" || verdict.kind === "other")
      .filter(({ member }) => this.members.has(member));
    const [first, second] = answers;
    if (!first) return false;
    const other = answers.find(({ kind }) => kind === "other");
    if (!other) {
      this.#disputes = 0;
      this.#lookFor(written, []);
      return true;
    }
    const isAgreed = first.kind === second?.kind && isSameDocument(first.response, second.response);
    if (isAgreed || this.members.size === 1) {
      this.#adopt(answers, written, false);
      return true;
    }
    if (second) {
      this.#dispute(other.member);
      return false;
    }
    // Nobody else can be asked as just now: what came is for the one who got it.
    const now = this.#host.clock.now();
    if (this.members.next(now, (member) => member === other.member)) return false;
    this.#adopt(answers, written, true);
    return true;
  }

  /** Members got different documents: a write fell between, or one of them is not like the others any more. */
  #dispute(member: Member<Follower>): void {
    this.#disputes += 1;
    this.#suspect = member;
    this.#hold(member);
    if (this.#disputes < maxDisputes) return;
    this.#disputes = 0;
    this.#suspect = undefined;
    this.#host.reopen([...member.followers]);
  }

  /** @param isAlone - only these may see it until the others' own GETs return it, too */
  #adopt(
    answers: readonly { readonly member: Member<Follower>; readonly response: OriginResponse }[],
    written: readonly WrittenPaths[],
    isAlone: boolean,
  ): void {
    const [first, second] = answers;
    if (!first) return;
    const { response } = first;
    this.#disputes = 0;
    const before = this.standing;
    this.#shown.adopt(first.member.key, response);
    if (second) this.agree(second.member.key, second.response);
    const now = this.#host.clock.now();
    for (const answer of answers) {
      this.members.checked(answer.member, now);
      rememberValidator(answer.member, this.standing, entityTagOf(answer.response));
    }
    this.#holdOthers(
      answers.map(({ member }) => member),
      isAlone,
    );
    const { notifications, urls } = differenceOf(before, this.standing, this.url);
    if (notifications) this.#host.deliver(this, new Delivery(this.url, notifications, 0, 0));
    else this.#host.replace(this);
    for (const { member } of answers) this.#release(member);
    this.#lookFor(written, urls);
  }

  /** Has those wait whose own GETs could not be answered for too long: they see what those return, once they do. */
  #holdOthers(checked: readonly Member<Follower>[], isAlone: boolean): void {
    const earliest = this.#host.clock.now() - this.#host.times.refreshMs;
    for (const member of this.members) {
      if (!isAlone && member.checkedAt >= earliest) break;
      if (!checked.includes(member)) this.#hold(member);
    }
  }

  /** Nothing new is shown to a member until its own GET returns what the view shows. */
  #hold(member: Member<Follower>): void {
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
    if (this.members.size === 1) {
      this.#schedule.soon();
      return;
    }
    const { kind } = await this.#ask(member);
    if (kind === "other") {
      this.#hold(member);
      this.#suspect = member;
      this.#schedule.soon();
    }
    this.#plan();
  }
}

function isSameDocument(a: OriginResponse, b: OriginResponse): boolean {
  return contentTypeOf(a) === contentTypeOf(b) && isEqualBody(a.body, b.body);
}
