import { type Field, fieldValue } from "../../protocol/index.ts";
import { Gate } from "../gate.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginRequest, OriginResponse } from "../ports/origin.ts";
import type { Staleness } from "../ports/staleness.ts";
import type { PeerIdentity, Viewer } from "../viewer.ts";
import { DerivedView, type ViewHost } from "./derived-view.ts";
import type { Sha256 } from "./digest.ts";
import { Documents } from "./documents.ts";
import type { Member } from "./members.ts";
import { noRoom } from "./no-room.ts";
import { OwnWrites } from "./own-writes.ts";
import { isRelatedPath, PathIndex } from "./paths.ts";
import { RecordLooks } from "./record-looks.ts";
import { type RecordsByPath, recordRuleFor } from "./record-options.ts";
import type { RefreshTimes } from "./refresh.ts";
import { RequestBudgets } from "./request-budget.ts";
import { nameOf, namesOf, type Sharing, sharingOf } from "./sharing.ts";
import { Twins } from "./twins.ts";
import type { ViewParts } from "./view-parts.ts";
import { type ViewerFacts, viewerFactsBy } from "./viewer-facts.ts";

/** What derived views are made with. */
export interface DerivedViewsParts<Follower> {
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
  /** What the app says of who may share: a name that equal viewers share. */
  readonly viewer: ((request: OriginRequest) => string | undefined) | undefined;
  /** Whether all who are anonymous may be given the same. */
  readonly sharesAnonymous: boolean;
  /** What is known of a peer at the transport. Must not throw. */
  readonly identityOf: (peer: unknown) => PeerIdentity;
  /** One GET, in bounded time; never rejects. */
  readonly ask: (target: string, viewer: Viewer, ifNoneMatch?: string) => Promise<OriginResponse>;
  readonly listener: Pick<
    ViewHost<Follower>,
    "deliver" | "replace" | "hold" | "release" | "reopen" | "refuse" | "gone"
  >;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** An opening that was begun: what was written since then is remembered until it ends. */
export interface Arming {
  readonly target: string;
  /** When it was begun, by the clock. */
  readonly since: number;
  readonly written: (readonly string[])[];
}

/** The view that an opening leads to, and what its own GET was answered. */
export interface Admission<Follower> {
  readonly view: DerivedView<Follower>;
  readonly viewer: Viewer;
  readonly response: OriginResponse;
}

/** A member that was asked as so recently is not asked as out of its turn. */
const recheckMs = 1_000;

/** All derived views: who shares which, and which of them a write makes stale. */
export class DerivedViews<Follower> {
  readonly #parts: DerivedViewsParts<Follower>;
  readonly #host: ViewHost<Follower>;
  readonly #gate: Gate;
  readonly #budgets: RequestBudgets;
  readonly #documents: Documents;
  readonly #twins: Twins;
  readonly #looks: RecordLooks;
  readonly #own: OwnWrites<Member<Follower>>;
  readonly #viewOf: WeakMap<Member<Follower>, DerivedView<Follower>> = new WeakMap();
  readonly #views: Map<string, DerivedView<Follower>> = new Map();
  /** The declared views in which a viewer is a member, by its key. */
  readonly #declaredOf: Map<string, Set<DerivedView<Follower>>> = new Map();
  readonly #keysOf: WeakMap<DerivedView<Follower>, Set<string>> = new WeakMap();
  readonly #paths: PathIndex<DerivedView<Follower>> = new PathIndex();
  readonly #armings: Set<Arming> = new Set();
  readonly #factsOf: (viewer: Viewer) => ViewerFacts;
  readonly #unsubscribe: () => void;
  #made = 0;

  constructor(parts: DerivedViewsParts<Follower>) {
    this.#parts = parts;
    this.#factsOf = viewerFactsBy(parts.identityOf);
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
      mayGet: (viewer) => this.#budgets.nextAt(this.#factsOf(viewer).owner) === 0,
      ownerOf: (viewer) => this.#factsOf(viewer).owner,
    });
    this.#host = this.#hostOf();
    this.#unsubscribe = parts.staleness.subscribe((urls) => this.changed(urls, false));
  }

  /** True while there is no view and none is being opened: nothing can be missed. */
  get isIdle(): boolean {
    return this.#views.size === 0 && this.#armings.size === 0;
  }

  get counts(): { readonly views: number; readonly followers: number } {
    let followers = 0;
    for (const { members } of this.#views.values()) followers += members.followers;
    return { views: this.#views.size, followers };
  }

  /** Looks at nothing any more. */
  stop(): void {
    this.#unsubscribe();
    for (const view of [...this.#views.values()]) view.stop();
  }

  /** Says that what is at these URLs, above or below may have changed. @param isCertain - it can be read by now */
  changed(urls: readonly string[], isCertain: boolean): void {
    for (const arming of this.#armings) arming.written.push(urls);
    const touched = new Set<DerivedView<Follower>>();
    for (const url of urls) for (const view of this.#paths.touched(url)) touched.add(view);
    for (const view of touched) view.stale(isCertain ? [] : urls);
  }

  /** Says who has written something, by the fields of the request: what it follows itself is looked at [R-DER-9]. */
  wrote(fields: readonly Field[]): void {
    this.#own.wrote(fields);
  }

  /** Remembers what is written from now on, for {@link DerivedViews.admit}; to be called before the GET [R-SUB-3]. */
  arm(target: string): Arming {
    const arming: Arming = { target, since: this.#parts.clock.now(), written: [] };
    this.#armings.add(arming);
    return arming;
  }

  disarm(arming: Arming): void {
    this.#armings.delete(arming);
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
    arming: Arming,
  ): Promise<Admission<Follower> | OriginResponse> {
    this.#budgets.learn(this.#factsOf(viewer).owner, response);
    const view = await this.#viewFor(target, viewer, response, arming);
    this.#noteOther(target, viewer, typeof view === "number" ? undefined : view);
    return typeof view === "number" ? noRoom(view) : { view, viewer, response };
  }

  /** A viewer's own GET was refused: what else it follows there is asked for anew. */
  refused(target: string, viewer: Viewer): void {
    this.#noteOther(target, viewer, undefined);
  }

  /** Has a viewer ask anew where it follows a declared view of a target to which its newest answer does not belong. */
  #noteOther(target: string, viewer: Viewer, view: DerivedView<Follower> | undefined): void {
    const key = this.#keyOf(target, viewer);
    for (const other of this.#declaredOf.get(key) ?? []) {
      const member = other === view ? undefined : other.members.get(key);
      // Where documents differ each time, two would have each other ask for ever: one that is declared is looked at in its turn.
      const isDeclared = view?.sharing.kind === "declared";
      if (member && isDeclared && member.checkedAt <= this.#parts.clock.now() - recheckMs) other.recheck(member);
      else if (member && !isDeclared) this.#parts.listener.reopen([...member.followers]);
    }
  }

  #noteDeclared(key: string, view: DerivedView<Follower>): void {
    const views = this.#declaredOf.get(key) ?? new Set();
    this.#declaredOf.set(key, views.add(view));
    const keys = this.#keysOf.get(view) ?? new Set();
    this.#keysOf.set(view, keys.add(key));
  }

  /** Puts a follower into the view that it was admitted to. */
  follow({ view, viewer, response }: Admission<Follower>, follower: Follower): void {
    if (view.isStopped) {
      view.restart();
      this.#register(view);
    }
    const key = this.#keyOf(view.url, viewer);
    view.add(follower, key, viewer, response);
    if (view.sharing.kind === "declared") this.#noteDeclared(key, view);
  }

  async #viewFor(
    target: string,
    viewer: Viewer,
    response: OriginResponse,
    arming: Arming,
  ): Promise<DerivedView<Follower> | 429 | 503> {
    const sharing = this.#sharingOf(target, viewer, response.fields);
    const own: Sharing = sharing.kind === "declared" ? { kind: "viewer", key: this.#keyOf(target, viewer) } : sharing;
    const isShown = (view: DerivedView<Follower>): boolean => view.hasShown(response, arming.since);
    for (const candidate of own.kind === "request" ? [] : new Set([sharing, own])) {
      const names = namesOf(candidate);
      const known = this.#named(names);
      const joined = known.find(isShown) ?? (known.length > 0 ? await this.#renewed(known, isShown) : undefined);
      if (joined) return joined;
      for (const left of known) if (left.members.size === 0) left.stop();
      if (names.every((name) => this.#views.has(name))) continue;
      const parts = await this.#partsOf(candidate, target, viewer, response);
      if (typeof parts === "number") return parts;
      // Another one may have been made meanwhile.
      const found = this.#named(names).find(isShown);
      const free = names.find((name) => !this.#views.has(name));
      if (!found && free !== undefined) return this.#make({ ...parts, key: free }, viewer, arming);
      parts.hold.release();
      if (found) return found;
    }
    // A view for itself, which nobody else finds.
    this.#made += 1;
    const key = `${nameOf(own)} ${this.#made}`;
    const parts = await this.#partsOf(own, target, viewer, response);
    return typeof parts === "number" ? parts : this.#make({ ...parts, key }, viewer, arming);
  }

  /** What a view is made of but for its name; a status where there is no room for its document. */
  async #partsOf(
    sharing: Sharing,
    target: string,
    viewer: Viewer,
    first: OriginResponse,
  ): Promise<Omit<ViewParts, "key"> | 429 | 503> {
    const authority = fieldValue(viewer.fields, "host") ?? "localhost";
    const place = { target, authority, rule: recordRuleFor(this.#parts.records, target) };
    const owner = sharing.kind === "declared" ? "" : this.#factsOf(viewer).owner;
    const hold = await this.#documents.take(owner, place, first);
    if (typeof hold === "number") return hold;
    const hasUrls = await this.#looks.haveUrls(hold.document.list, place, viewer);
    return { sharing, place, first, hold, hasUrls, owner };
  }

  #make(parts: ViewParts, viewer: Viewer, { target, written }: Arming): DerivedView<Follower> {
    const view = new DerivedView(this.#host, parts);
    this.#register(view);
    if (parts.sharing.kind === "viewer" && this.#factsOf(viewer).isAnonymous) this.#twins.add(view);
    for (const urls of written) if (urls.some((url) => isRelatedPath(url, target))) view.stale(urls);
    view.linger();
    return view;
  }

  #register(view: DerivedView<Follower>): void {
    // Its place may be taken since it was stopped: then nobody else finds it, as it is told apart by itself only.
    while (this.#views.has(view.key)) {
      this.#made += 1;
      view.key = `${view.key} ${this.#made}`;
    }
    this.#views.set(view.key, view);
    this.#paths.add(view.url, view);
  }

  /** Names a viewer of a target. */
  #keyOf(target: string, viewer: Viewer): string {
    return `${target} ${this.#factsOf(viewer).key}`;
  }

  #sharingOf(target: string, viewer: Viewer, said: readonly Field[]): Sharing {
    const { fields, peer } = viewer;
    const request = {
      target,
      fields,
      viewerKey: this.#keyOf(target, viewer),
      isAnonymous: this.#factsOf(viewer).isAnonymous,
      address: this.#factsOf(viewer).address,
      viewer: this.#nameOf({ method: "GET", target, fields, body: "", peer }),
      sharesAnonymous: this.#parts.sharesAnonymous,
    };
    return sharingOf(request, said);
  }

  /** What the app's `viewer` says; nothing where that is no name. */
  #nameOf(request: OriginRequest): string | undefined {
    try {
      const name: unknown = this.#parts.viewer?.(request);
      return typeof name === "string" && name !== "" ? name : undefined;
    } catch (error) {
      this.#parts.reportError(error, "viewer");
      return undefined;
    }
  }

  #named(names: readonly string[]): DerivedView<Follower>[] {
    return names.flatMap((name) => this.#views.get(name) ?? []);
  }

  /** The one of these views that shows an answer's document once all were looked at. */
  async #renewed(
    known: readonly DerivedView<Follower>[],
    isShown: (view: DerivedView<Follower>) => boolean,
  ): Promise<DerivedView<Follower> | undefined> {
    const renewed = await Promise.all(known.map((view) => view.renewed()));
    // The same viewer may take whatever its own GETs return; another one only what its own GET just returned.
    return known.find((view, at) => {
      const isThere = this.#views.get(view.key) === view;
      return isThere && (isShown(view) || (renewed[at] && view.sharing.kind === "viewer"));
    });
  }

  /** Whether an answer still belongs to its view. Those of a view of one viewer are that viewer's, whatever they say. */
  #belongs(view: DerivedView<Follower>, { viewer, followers }: Member<Follower>, said: readonly Field[]): boolean {
    const now = this.#sharingOf(view.url, viewer, said);
    if (view.sharing.kind === "declared") return now.kind === "declared" && now.key === view.sharing.key;
    return view.sharing.kind === "request" || now.kind !== "request" || followers.size === 1;
  }

  /** Whether a view that comes before this one shows the same by now. */
  #canRejoin(view: DerivedView<Follower>, { viewer, said }: Member<Follower>): boolean {
    if (view.sharing.kind === "request") return false;
    const sharing = this.#sharingOf(view.url, viewer, said);
    if (sharing.kind !== "declared") return false;
    for (const name of namesOf(sharing)) {
      const other = this.#views.get(name);
      if (other === view) return false;
      if (other?.eventId === view.eventId) return true;
    }
    return false;
  }

  #get(target: string, viewer: Viewer, ifNoneMatch?: string): Promise<OriginResponse> {
    const { owner } = this.#factsOf(viewer);
    this.#budgets.take(owner);
    return this.#gate.run(owner, async () => {
      const response = await this.#parts.ask(target, viewer, ifNoneMatch);
      this.#budgets.learn(owner, response);
      return response;
    });
  }

  #hostOf(): ViewHost<Follower> {
    const { clock, times, listener } = this.#parts;
    return {
      clock,
      times,
      ...listener,
      nextAt: ({ viewer }) => this.#budgets.nextAt(this.#factsOf(viewer).owner),
      get: (target, { viewer }, ifNoneMatch) => this.#get(target, viewer, ifNoneMatch),
      belongs: (view, member, said) => this.#belongs(view, member, said),
      canRejoin: (view, member) => this.#canRejoin(view, member),
      positionOf: (response) => this.#documents.positionOf(response),
      haveUrls: (view, { list }, { viewer }) => this.#looks.haveUrls(list, view.place, viewer),
      take: (view, response, replaced) => {
        return this.#documents.take(view.owner, view.place, response, view.standing, replaced);
      },
      overflow: (followers, status) => listener.refuse(followers, noRoom(status)),
      came: (view, member) => {
        this.#viewOf.set(member, view);
        this.#own.add(member.viewer.fields, member);
      },
      left: (member) => this.#own.remove(member.viewer.fields, member),
      forget: (view) => this.#forget(view),
    };
  }

  #forget(view: DerivedView<Follower>): void {
    if (this.#views.get(view.key) === view) this.#views.delete(view.key);
    this.#twins.delete(view);
    for (const key of this.#keysOf.get(view) ?? []) {
      const views = this.#declaredOf.get(key);
      if (views?.delete(view) && views.size === 0) this.#declaredOf.delete(key);
    }
    this.#keysOf.delete(view);
    this.#paths.remove(view.url, view);
  }
}
