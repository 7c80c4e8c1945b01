import { type Field, fieldValue } from "../../protocol/index.ts";
import type { BasePath } from "../base-path.ts";
import { Gate } from "../gate.ts";
import type { ViewSight } from "../hub-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Staleness } from "../ports/staleness.ts";
import type { Viewer } from "../viewer.ts";
import { DeclaredViews } from "./declared-views.ts";
import type { DerivedFollower } from "./derived-follower.ts";
import { DerivedView, type ViewParts } from "./derived-view.ts";
import type { Sha256 } from "./digest.ts";
import { Documents } from "./documents.ts";
import type { FirstLook } from "./first-look.ts";
import { Judge, type JudgeParts } from "./judge.ts";
import type { Member } from "./members.ts";
import { Moments } from "./moments.ts";
import { NamedViews } from "./named-views.ts";
import { noRoom } from "./no-room.ts";
import { OwnWrites } from "./own-writes.ts";
import { RecordLooks } from "./record-looks.ts";
import { type RecordsByPath, recordRuleFor } from "./record-options.ts";
import type { RefreshTimes } from "./refresh.ts";
import { RememberedWrites, type WritesSince } from "./remembered-writes.ts";
import { RequestBudgets } from "./request-budget.ts";
import { nameOf, namesOf, type Sharing } from "./sharing.ts";
import { Twins } from "./twins.ts";
import { sightOf } from "./view-sight.ts";

/** What derived views are made with. */
export interface DerivedViewsParts extends JudgeParts {
  readonly clock: Clock;
  readonly times: RefreshTimes;
  readonly maxConcurrentGets: number;
  /** What all documents may have together, in bytes. */
  readonly maxTotalDocumentBytes: number;
  readonly sha256: Sha256;
  /** Where it is told that something may have changed. */
  readonly staleness: Staleness;
  /** The app's own rules for where records are, by path. */
  readonly records: RecordsByPath;
  /** Below which path clients see everything. */
  readonly basePath: BasePath;
  /** One GET, in bounded time; never rejects. */
  readonly ask: (target: string, viewer: Viewer, ifNoneMatch?: string) => Promise<OriginResponse>;
}

/** The view that an opening leads to, and what its own GET was answered. */
export interface Admission {
  readonly view: DerivedView;
  readonly viewer: Viewer;
  readonly response: OriginResponse;
}

/** A member that was asked as so recently is not asked as out of its turn. */
const recheckMs = 1_000;

/** All derived views: who shares which, and which of them a write makes stale. */
export class DerivedViews {
  readonly #parts: DerivedViewsParts;
  readonly #viewParts: ViewParts;
  readonly #gate: Gate;
  readonly #budgets: RequestBudgets;
  readonly #documents: Documents;
  readonly #twins: Twins;
  readonly #looks: RecordLooks;
  readonly #own: OwnWrites<Member>;
  readonly #viewOf: WeakMap<Member, DerivedView> = new WeakMap();
  readonly #views: NamedViews = new NamedViews();
  readonly #declared: DeclaredViews = new DeclaredViews();
  readonly #moments: Moments = new Moments();
  readonly #remembered: RememberedWrites = new RememberedWrites(this.#moments);
  readonly #judge: Judge;
  readonly #unsubscribe: () => void;

  constructor(parts: DerivedViewsParts) {
    this.#parts = parts;
    this.#judge = new Judge(parts);
    this.#gate = new Gate(parts.maxConcurrentGets, (callback) => parts.clock.defer(callback));
    this.#own = new OwnWrites(parts.clock, (member) => this.#viewOf.get(member)?.recheck(member));
    this.#budgets = new RequestBudgets(parts.clock);
    this.#documents = new Documents(parts.maxTotalDocumentBytes, parts.sha256, (callback) =>
      parts.clock.defer(callback),
    );
    this.#twins = new Twins((error) => parts.reportError(error, "sharing"));
    this.#looks = new RecordLooks({
      now: () => parts.clock.now(),
      get: (target, viewer) => this.#get(target, viewer),
      mayGet: (viewer) => this.#budgets.nextAt(this.#judge.ownerOf(viewer)) === 0,
      ownerOf: (viewer) => this.#judge.ownerOf(viewer),
    });
    this.#viewParts = this.#partsOfViews();
    this.#unsubscribe = parts.staleness.subscribe((urls) => this.changed(urls, false));
  }

  /** True while there is no view and none is being opened: nothing can be missed. */
  get isIdle(): boolean {
    return this.#views.size === 0 && this.#remembered.isEmpty;
  }

  get counts(): { readonly views: number; readonly followers: number } {
    return { views: this.#views.size, followers: this.#views.followers };
  }

  /** The views, as an operator sees them. */
  get sights(): ViewSight[] {
    return this.#views.all.map(sightOf);
  }

  /** Looks at nothing any more. */
  stop(): void {
    this.#unsubscribe();
    for (const view of this.#views.all) view.stop();
  }

  /** Says that what is at these URLs, above or below may have changed. @param isCertain - it can be read by now */
  changed(urls: readonly string[], isCertain: boolean): void {
    this.#remembered.note(urls);
    for (const view of this.#views.touched(urls)) view.stale(isCertain ? [] : urls);
  }

  /** Says who has written something, by the fields of the request: what it follows itself is looked at [R-DER-9]. */
  wrote(fields: readonly Field[]): void {
    this.#own.wrote(fields);
  }

  /**
   * Remembers what is written from now on, for {@link DerivedViews.admit}; to be called before the GET [R-SUB-3]. What it gives is
   * told of each question to the origin.
   */
  remember(target: string): WritesSince {
    return this.#remembered.begin(target);
  }

  /** The opening is over. */
  forget(writes: WritesSince): void {
    this.#remembered.end(writes);
  }

  reportError(error: unknown, stage: string): void {
    this.#parts.reportError(error, stage);
  }

  /**
   * The view that an answer belongs to: one that is there and shows the same, or a new one.
   *
   * @returns a refusal where there is no room for its document
   */
  async admit(
    target: string,
    viewer: Viewer,
    response: OriginResponse,
    writes: WritesSince,
  ): Promise<Admission | OriginResponse> {
    this.#budgets.learn(this.#judge.ownerOf(viewer), response);
    const view = await this.#viewFor(target, viewer, response, writes);
    this.#noteOther(target, viewer, typeof view === "number" ? undefined : view);
    return typeof view === "number" ? noRoom(view) : { view, viewer, response };
  }

  /** A viewer's own GET was refused: what else it follows there is asked for anew. */
  refused(target: string, viewer: Viewer): void {
    this.#noteOther(target, viewer, undefined);
  }

  /** Has a viewer ask anew where it follows a declared view of a target to which its newest answer does not belong. */
  #noteOther(target: string, viewer: Viewer, view: DerivedView | undefined): void {
    const key = this.#judge.keyOf(target, viewer);
    for (const other of this.#declared.of(key)) {
      const member = other === view ? undefined : other.members.get(key);
      // Where documents differ each time, two would have each other ask for ever: one that is declared is looked at in its turn.
      const isDeclared = view?.sharing.kind === "declared";
      if (member && isDeclared && member.checkedAt <= this.#parts.clock.now() - recheckMs) other.recheck(member);
      else if (member && !isDeclared) for (const follower of [...member.followers]) follower.reopen();
    }
  }

  /** Puts a follower into the view that it was admitted to. */
  follow({ view, viewer, response }: Admission, follower: DerivedFollower): void {
    if (view.isStopped) {
      view.restart();
      this.#views.add(view);
    }
    const key = this.#judge.keyOf(view.url, viewer);
    view.add(follower, key, viewer, response);
    if (view.sharing.kind === "declared") this.#declared.add(key, view);
  }

  async #viewFor(
    target: string,
    viewer: Viewer,
    response: OriginResponse,
    writes: WritesSince,
  ): Promise<DerivedView | 429 | 503> {
    const sharing = this.#judge.sharingOf(target, viewer, response.fields);
    const own: Sharing =
      sharing.kind === "declared" ? { kind: "viewer", key: this.#judge.keyOf(target, viewer) } : sharing;
    const { askedAt } = writes;
    const isShown = (view: DerivedView): boolean => view.canOpen(response, askedAt);
    const join = (known: readonly DerivedView[]): DerivedView | undefined => {
      const view = known.find(isShown);
      view?.confirm(response, askedAt);
      return view;
    };
    for (const candidate of own.kind === "request" ? [] : new Set([sharing, own])) {
      const names = namesOf(candidate);
      const known = this.#views.named(names);
      const joined = join(known) ?? (known.length > 0 ? join(await this.#renewed(known)) : undefined);
      if (joined) return joined;
      for (const left of known) if (left.members.size === 0) left.stop();
      if (names.every((name) => this.#views.get(name))) continue;
      const parts = await this.#partsOf(candidate, target, viewer, { response, askedAt });
      if (typeof parts === "number") return parts;
      // Another one may have been made meanwhile.
      const found = join(this.#views.named(names));
      const free = names.find((name) => !this.#views.get(name));
      if (!found && free !== undefined) return this.#make({ ...parts, key: free }, viewer, writes);
      parts.hold.release();
      if (found) return found;
    }
    // A view for itself, which nobody else finds.
    const key = this.#views.nameAlone(nameOf(own));
    const parts = await this.#partsOf(own, target, viewer, { response, askedAt });
    return typeof parts === "number" ? parts : this.#make({ ...parts, key }, viewer, writes);
  }

  /** What a view is made of but for its name; a status where there is no room for its document. */
  async #partsOf(
    sharing: Sharing,
    target: string,
    viewer: Viewer,
    { response: first, askedAt }: { readonly response: OriginResponse; readonly askedAt: number },
  ): Promise<Omit<FirstLook, "key"> | 429 | 503> {
    const authority = fieldValue(viewer.fields, "host") ?? "localhost";
    const { records, basePath } = this.#parts;
    const place = { target, authority, basePath, rule: recordRuleFor(records, target) };
    const owner = sharing.kind === "declared" ? "" : this.#judge.ownerOf(viewer);
    const hold = await this.#documents.take(owner, place, first);
    if (typeof hold === "number") return hold;
    const hasUrls = await this.#looks.haveUrls(hold.document.list, place, viewer);
    return { sharing, place, first, askedAt, hold, hasUrls, owner };
  }

  #make(first: FirstLook, viewer: Viewer, writes: WritesSince): DerivedView {
    const view = new DerivedView(this.#viewParts, first);
    this.#views.add(view);
    if (first.sharing.kind === "viewer" && this.#judge.factsOf(viewer).isAnonymous) this.#twins.add(view);
    for (const urls of writes.related(first.first.reads)) view.stale(urls);
    view.linger();
    return view;
  }

  /** Those of these views that there still are once all were looked at. */
  async #renewed(known: readonly DerivedView[]): Promise<DerivedView[]> {
    await Promise.all(known.map((view) => view.renewed()));
    return known.filter((view) => this.#views.has(view));
  }

  /** Whether an answer still belongs to its view. Those of a view of one viewer are that viewer's, whatever they say. */
  #belongs(view: DerivedView, { viewer, followers }: Member, said: readonly Field[]): boolean {
    const now = this.#judge.sharingOf(view.url, viewer, said);
    if (view.sharing.kind === "declared") return now.kind === "declared" && now.key === view.sharing.key;
    return view.sharing.kind === "request" || now.kind !== "request" || followers.size === 1;
  }

  /** Whether a view that comes before this one shows the same by now. */
  #canRejoin(view: DerivedView, { viewer, said }: Member): boolean {
    if (view.sharing.kind === "request") return false;
    const sharing = this.#judge.sharingOf(view.url, viewer, said);
    if (sharing.kind !== "declared") return false;
    for (const name of namesOf(sharing)) {
      const other = this.#views.get(name);
      if (other === view) return false;
      if (other?.eventId === view.eventId) return true;
    }
    return false;
  }

  #get(target: string, viewer: Viewer, ifNoneMatch?: string): Promise<OriginResponse> {
    const owner = this.#judge.ownerOf(viewer);
    this.#budgets.take(owner);
    return this.#gate.run(owner, async () => {
      const response = await this.#parts.ask(target, viewer, ifNoneMatch);
      this.#budgets.learn(owner, response);
      return response;
    });
  }

  #partsOfViews(): ViewParts {
    const { clock, times } = this.#parts;
    return {
      clock,
      times,
      moment: () => this.#moments.next(),
      nextAt: ({ viewer }) => this.#budgets.nextAt(this.#judge.ownerOf(viewer)),
      get: (target, { viewer }, ifNoneMatch) => this.#get(target, viewer, ifNoneMatch),
      belongs: (view, member, said) => this.#belongs(view, member, said),
      canRejoin: (view, member) => this.#canRejoin(view, member),
      positionOf: (response) => this.#documents.positionOf(response),
      haveUrls: (view, { list }, { viewer }) => this.#looks.haveUrls(list, view.place, viewer),
      take: (view, response, replaced) => {
        return this.#documents.take(view.owner, view.place, response, view.standing, replaced);
      },
      came: (view, member) => {
        this.#viewOf.set(member, view);
        this.#own.add(member.viewer.fields, member);
      },
      left: (member) => this.#own.remove(member.viewer.fields, member),
      placed: (view) => this.#views.place(view),
      forget: (view) => this.#forget(view),
    };
  }

  #forget(view: DerivedView): void {
    this.#views.remove(view);
    this.#twins.delete(view);
    this.#declared.remove(view);
  }
}
