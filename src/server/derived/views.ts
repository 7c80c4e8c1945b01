import { fieldValue } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { OriginRequest, OriginResponse } from "../origin.ts";
import { Gate } from "./gate.ts";
import { type RecordOptions, type RecordRule, recordRuleOf } from "./record-rule.ts";
import type { RefreshTimes } from "./refresh.ts";
import { hasCredentials, sharingOf, viewerKeyOf } from "./sharing.ts";
import { PathIndex, type Staleness } from "./staleness.ts";
import { DerivedView, type Viewer, type ViewHost } from "./view.ts";

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
  /** One GET, in bounded time; never rejects. */
  readonly ask: (target: string, viewer: Viewer, ifNoneMatch?: string) => Promise<OriginResponse>;
  readonly listener: Pick<ViewHost<Follower>, "deliver" | "replace" | "reopen" | "refuse" | "gone">;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** An opening that was begun: what was written since then is remembered until it ends. */
interface Arming {
  readonly written: string[];
}

/** All derived views: who shares which, and which of them a write makes stale. */
export class DerivedViews<Follower> {
  readonly #parts: DerivedViewsParts<Follower>;
  readonly #gate: Gate;
  readonly #views: Map<string, DerivedView<Follower>> = new Map();
  /** Views that a request without credentials may join without a GET, by its viewer key. */
  readonly #open: Map<string, DerivedView<Follower>> = new Map();
  readonly #paths: PathIndex<DerivedView<Follower>> = new PathIndex();
  readonly #armings: Set<Arming> = new Set();
  readonly #unsubscribe: () => void;

  constructor(parts: DerivedViewsParts<Follower>) {
    this.#parts = parts;
    this.#gate = new Gate(parts.maxConcurrentGets, (callback) => parts.clock.defer(callback));
    this.#unsubscribe = parts.staleness.subscribe((urls) => this.changed(urls, false));
  }

  get counts(): { readonly views: number; readonly followers: number } {
    let followers = 0;
    for (const { groups } of this.#views.values())
      for (const group of groups.values()) followers += group.followers.size;
    return { views: this.#views.size, followers };
  }

  /** Looks at nothing any more. */
  stop(): void {
    this.#unsubscribe();
    for (const view of this.#views.values()) view.stop();
  }

  /** Says that what is at these URLs, above or below may have changed. @param isCertain - it can be read by now */
  changed(urls: readonly string[], isCertain: boolean): void {
    for (const arming of this.#armings) arming.written.push(...urls);
    for (const url of urls) for (const view of this.#paths.touched(url)) view.stale(isCertain ? [] : [url]);
  }

  /** Remembers what is written from now on, for {@link DerivedViews.follow}; to be called before the GET [R-SUB-3]. */
  arm(): Arming {
    const arming: Arming = { written: [] };
    this.#armings.add(arming);
    return arming;
  }

  disarm(arming: Arming): void {
    this.#armings.delete(arming);
  }

  /** The view that a request may take without a GET: it has no credentials, and the document is current. */
  findOpen(target: string, viewer: Viewer): DerivedView<Follower> | undefined {
    if (hasCredentials(viewer.fields)) return undefined;
    const view = this.#open.get(viewerKeyOf(target, viewer.fields));
    return view?.isStale ? undefined : view;
  }

  /** The view that an answer belongs to: one that is there and equal, or a new one. */
  async place(
    target: string,
    viewer: Viewer,
    response: OriginResponse,
    arming: Arming,
  ): Promise<DerivedView<Follower>> {
    const sharing = sharingOf(target, viewer.fields, response, this.#nameOf(target, viewer));
    const viewerKey = viewerKeyOf(target, viewer.fields);
    const known = this.#views.get(sharing.key);
    if (known && (await this.#joins(known, viewerKey, response))) return known;
    const key = known ? JSON.stringify([sharing.key, viewerKey]) : sharing.key;
    const own = known ? this.#views.get(key) : undefined;
    if (own && (await this.#joins(own, viewerKey, response))) return own;
    const authority = fieldValue(viewer.fields, "host") ?? "localhost";
    const view = new DerivedView(this.#hostOf(), key, { target, authority, rule: this.#ruleOf(target) }, response);
    this.#views.set(key, view);
    this.#paths.add(target, view);
    if (sharing.isOpen && !hasCredentials(viewer.fields)) this.#open.set(viewerKey, view);
    const isWritten = arming.written.some((url) => this.#paths.touched(url).has(view));
    if (isWritten) view.stale(arming.written);
    view.linger();
    return view;
  }

  /** Puts a follower into a view. */
  follow(view: DerivedView<Follower>, follower: Follower, viewer: Viewer): void {
    view.add(follower, viewerKeyOf(view.url, viewer.fields), viewer);
  }

  #ruleOf(target: string): RecordRule | undefined {
    const options = this.#parts.records[target.split("?")[0] ?? ""];
    return options && recordRuleOf(options);
  }

  #nameOf(target: string, viewer: Viewer): string | undefined {
    const { viewer: nameViewer, reportError } = this.#parts;
    try {
      return nameViewer?.({ method: "GET", target, fields: viewer.fields, body: "", peer: viewer.peer });
    } catch (error) {
      reportError(error, "viewer");
      return undefined;
    }
  }

  /** Whether an answer's viewer may follow a view: its document is the view's, now or once the view was renewed. */
  async #joins(view: DerivedView<Follower>, viewerKey: string, response: OriginResponse): Promise<boolean> {
    if (view.isEqual(response)) return true;
    const isSameViewer = view.groups.has(viewerKey);
    await view.renewed();
    // The same viewer may take whatever its own GETs return; another one only what its own GET just returned.
    return this.#views.get(view.sharingKey) === view && (isSameViewer || view.isEqual(response));
  }

  #hostOf(): ViewHost<Follower> {
    const { clock, times, ask, listener } = this.#parts;
    return {
      clock,
      times,
      ...listener,
      get: (target, viewer, ifNoneMatch) => this.#gate.run(() => ask(target, viewer, ifNoneMatch)),
      forget: (view) => this.#forget(view),
    };
  }

  #forget(view: DerivedView<Follower>): void {
    if (this.#views.get(view.sharingKey) === view) this.#views.delete(view.sharingKey);
    for (const [key, open] of this.#open) if (open === view) this.#open.delete(key);
    this.#paths.remove(view.url, view);
  }
}
