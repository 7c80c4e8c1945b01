import { fieldValue } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { OriginRequest, OriginResponse } from "../origin.ts";
import { Gate } from "./gate.ts";
import type { Viewer } from "./members.ts";
import { type RecordOptions, type RecordRule, recordRuleOf } from "./record-rule.ts";
import type { RefreshTimes } from "./refresh.ts";
import { isAnonymous, type Sharing, sharingOf, viewerKeyOf } from "./sharing.ts";
import { isRelatedPath, PathIndex, type Staleness } from "./staleness.ts";
import { DerivedView, type ViewHost } from "./view.ts";

/** What derived views are made with. */
export interface DerivedViewsParts<Follower> {
  readonly clock: Clock;
  readonly times: RefreshTimes;
  readonly maxConcurrentGets: number;
  /** Where it is told that something may have changed. */
  readonly staleness: Staleness;
  /** The app's own rules for where records are, by path. */
  readonly records: Readonly<Record<string, RecordOptions>>;
  /** What the app says of who may share: a name that equal viewers share. */
  readonly viewer: ((request: OriginRequest) => string | undefined) | undefined;
  /** Who a peer proved to be at the transport. */
  readonly identity: ((peer: unknown) => string | undefined) | undefined;
  /** One GET, in bounded time; never rejects. */
  readonly ask: (target: string, viewer: Viewer, ifNoneMatch?: string) => Promise<OriginResponse>;
  readonly listener: Pick<
    ViewHost<Follower>,
    "deliver" | "replace" | "hold" | "release" | "reopen" | "refuse" | "gone"
  >;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** An opening that was begun: what was written since then is remembered until it ends. */
interface Arming {
  readonly target: string;
  readonly written: (readonly string[])[];
  /** The end of one of the same viewer key that was begun before. */
  readonly before: Promise<void> | undefined;
  /** Has those go on that wait for what this one finds. */
  readonly end: () => void;
}

/** All derived views: who shares which, and which of them a write makes stale. */
export class DerivedViews<Follower> {
  readonly #parts: DerivedViewsParts<Follower>;
  readonly #host: ViewHost<Follower>;
  readonly #gate: Gate;
  readonly #views: Map<string, DerivedView<Follower>> = new Map();
  /** Views that an anonymous request may join without a GET, by its viewer key; and under which key each one is. */
  readonly #open: Map<string, DerivedView<Follower>> = new Map();
  readonly #openKeys: WeakMap<DerivedView<Follower>, string> = new WeakMap();
  /** GETs of anonymous openings, which others of the same viewer key wait for. */
  readonly #flights: Map<string, Promise<void>> = new Map();
  readonly #paths: PathIndex<DerivedView<Follower>> = new PathIndex();
  readonly #armings: Set<Arming> = new Set();
  readonly #unsubscribe: () => void;
  #made = 0;

  constructor(parts: DerivedViewsParts<Follower>) {
    this.#parts = parts;
    this.#gate = new Gate(parts.maxConcurrentGets, (callback) => parts.clock.defer(callback));
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

  /** Remembers what is written from now on, for {@link DerivedViews.place}; to be called before the GET [R-SUB-3]. */
  arm(target: string, viewer: Viewer): Arming {
    const key = this.#isAnonymous(viewer) ? this.#keyOf(target, viewer) : undefined;
    const before = key === undefined ? undefined : this.#flights.get(key);
    let end = (): void => undefined;
    if (key !== undefined && !before) {
      const flight = new Promise<void>((resolve) => {
        end = () => {
          this.#flights.delete(key);
          resolve();
        };
      });
      this.#flights.set(key, flight);
    }
    const arming: Arming = { target, written: [], before, end };
    this.#armings.add(arming);
    return arming;
  }

  disarm(arming: Arming): void {
    this.#armings.delete(arming);
    arming.end();
  }

  /** The view that a request may take without a GET of its own: it is anonymous, and the document is current. */
  async findOpen(target: string, viewer: Viewer, { before }: Arming): Promise<DerivedView<Follower> | undefined> {
    if (!this.#isAnonymous(viewer)) return undefined;
    const key = this.#keyOf(target, viewer);
    if (!this.#open.has(key)) await before;
    const view = this.#open.get(key);
    if (!view || (view.isStale && !(await view.renewed()))) return undefined;
    return this.#open.get(key) === view && view.isShownTo(key) ? view : undefined;
  }

  /** The view that an answer belongs to: one that is there and equal, or a new one. */
  async place(
    target: string,
    viewer: Viewer,
    response: OriginResponse,
    arming: Arming,
  ): Promise<DerivedView<Follower>> {
    const sharing = this.#sharingOf(target, viewer, response);
    const viewerKey = this.#keyOf(target, viewer);
    // Two without credentials can't be told apart, but a private answer was for one of them.
    const isAlone = sharing.isPrivate && this.#isAnonymous(viewer);
    for (const key of isAlone ? [] : [sharing.key, JSON.stringify([sharing.key, viewerKey])]) {
      const known = this.#views.get(key);
      if (known && (await this.#joins(known, viewerKey, response))) return known;
      const left = this.#views.get(key);
      if (left?.members.size === 0) left.stop();
      if (!this.#views.has(key)) return this.#make(key, sharing, viewer, response, arming);
    }
    // A view for itself, which nobody else finds.
    this.#made += 1;
    return this.#make(JSON.stringify([sharing.key, viewerKey, this.#made]), sharing, viewer, response, arming);
  }

  /**
   * Puts a follower into a view.
   *
   * @param isChecked - its own GET was just answered with the document
   */
  follow(view: DerivedView<Follower>, follower: Follower, viewer: Viewer, isChecked: boolean): void {
    if (view.isStopped) {
      view.restart();
      this.#register(view);
    }
    view.add(follower, this.#keyOf(view.url, viewer), viewer, isChecked);
  }

  #make(
    key: string,
    sharing: Sharing,
    viewer: Viewer,
    first: OriginResponse,
    { target, written }: Arming,
  ): DerivedView<Follower> {
    const authority = fieldValue(viewer.fields, "host") ?? "localhost";
    const place = { target, authority, rule: this.#ruleOf(target) };
    const viewerKey = this.#keyOf(target, viewer);
    const view = new DerivedView(this.#host, { key, sharing, place, first, viewerKey });
    this.#register(view);
    if (sharing.isOpen && this.#isAnonymous(viewer) && !this.#open.has(viewerKey)) {
      this.#open.set(viewerKey, view);
      this.#openKeys.set(view, viewerKey);
    }
    for (const urls of written) if (urls.some((url) => isRelatedPath(url, target))) view.stale(urls);
    view.linger();
    return view;
  }

  #register(view: DerivedView<Follower>): void {
    // Its place may be taken since it was stopped: then nobody else finds it, as it is told apart by itself only.
    while (this.#views.has(view.key)) {
      this.#made += 1;
      view.key = JSON.stringify([view.key, this.#made]);
    }
    this.#views.set(view.key, view);
    this.#paths.add(view.url, view);
  }

  #isAnonymous({ fields, peer }: Viewer): boolean {
    return isAnonymous(fields) && this.#identityOf(peer) === undefined;
  }

  #keyOf(target: string, { fields, peer }: Viewer): string {
    return viewerKeyOf(target, fields, this.#identityOf(peer));
  }

  #identityOf(peer: unknown): string | undefined {
    return this.#named("identity", () => this.#parts.identity?.(peer));
  }

  #sharingOf(target: string, { fields, peer }: Viewer, response: OriginResponse): Sharing {
    const request = { method: "GET", target, fields, body: "", peer };
    const viewer = this.#named("viewer", () => this.#parts.viewer?.(request));
    return sharingOf({ target, fields, viewer, identity: this.#identityOf(peer) }, response);
  }

  /** What an app's function says; nothing where that is no name. */
  #named(stage: string, say: () => unknown): string | undefined {
    try {
      const name = say();
      return typeof name === "string" && name !== "" ? name : undefined;
    } catch (error) {
      this.#parts.reportError(error, stage);
      return undefined;
    }
  }

  #ruleOf(target: string): RecordRule | undefined {
    const options = this.#parts.records[target.split("?")[0] ?? ""];
    return options && recordRuleOf(options);
  }

  /** Whether an answer's viewer may follow a view: its document is the view's, now or once the view was renewed. */
  async #joins(view: DerivedView<Follower>, viewerKey: string, response: OriginResponse): Promise<boolean> {
    if (!view.isEqual(response)) {
      const isRenewed = await view.renewed();
      if (this.#views.get(view.key) !== view) return false;
      // The same viewer may take whatever its own GETs return; another one only what its own GET just returned.
      if (!view.isEqual(response)) return isRenewed && view.isOnlyFor(viewerKey);
    }
    view.agree(viewerKey, response);
    return true;
  }

  #hostOf(): ViewHost<Follower> {
    const { clock, times, ask, listener } = this.#parts;
    return {
      clock,
      times,
      ...listener,
      get: (target, viewer, ifNoneMatch) => this.#gate.run(() => ask(target, viewer, ifNoneMatch)),
      belongs: ({ url, sharing }, viewer, response) => {
        const now = this.#sharingOf(url, viewer, response);
        // Where more may share it than before, those who do need not be told.
        return now.key === sharing.key || (!sharing.isJoined && now.isJoined);
      },
      forget: (view) => this.#forget(view),
    };
  }

  #forget(view: DerivedView<Follower>): void {
    if (this.#views.get(view.key) === view) this.#views.delete(view.key);
    const openKey = this.#openKeys.get(view);
    if (openKey !== undefined && this.#open.get(openKey) === view) this.#open.delete(openKey);
    this.#paths.remove(view.url, view);
  }
}
