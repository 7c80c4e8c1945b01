import { fieldValue, type HttpResponse, parseAnyItems, resolvePointer, wellKnownPath } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { Callbacks } from "./callbacks.ts";
import type { ClientClock } from "./clock.ts";
import { shownEtag } from "./guard.ts";
import type { Http } from "./http.ts";
import { Overlay, type OverlayContext, type View } from "./overlay.ts";
import { bodyJson, isTransient, ProblemError, problemOf, retryAfterMs } from "./problem.ts";
import { noteUrl, type RowUrls, temporaryUrl } from "./row-urls.ts";
import { type ClientStorage, WriteStore } from "./storage.ts";
import { type Conflict, ConflictError, type StoredWrite, type Write, type WriteKind } from "./write.ts";

/** How long a write may take until it counts as lost. */
const writeTimeoutMs = 30_000;

/** What an outbox needs. */
export interface OutboxOptions {
  readonly http: Http;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  /** Where queued writes outlive a reload. */
  readonly storage: ClientStorage | undefined;
  /** What the server said at the well-known URL, where it was asked already. */
  readonly wellKnown: HttpResponse | undefined;
  readonly callbacks: Callbacks;
  /** Told that the server has answered: it is there. */
  readonly onAnswered: () => void;
  /** The views that somebody looks at. */
  readonly views: ReadonlySet<View>;
}

/** A write to be sent. */
export interface WriteToSend {
  readonly kind: WriteKind;
  readonly url: string;
  readonly values: object;
  /** Writes only where the record is still as it is shown. */
  readonly ifUnchanged?: boolean;
  /** Decides on a conflict: other values, or nothing to give up. */
  readonly onConflict?: (conflict: Conflict) => unknown;
}

const methods = { create: "POST", update: "PATCH", destroy: "DELETE" } as const;

/** True for statuses by which a gateway, or an overloaded server, says that it can't answer now. */
function isGatewayStatus(status: number): boolean {
  return isTransient(status) && status !== 413 && status !== 500 && status !== 501;
}

/** The record in an answer: below the pointer that `Items` tells, or the only member of an envelope that looks like one. */
function rowIn(answer: HttpResponse): unknown {
  const body = bodyJson(answer);
  const pointer = parseAnyItems(fieldValue(answer.fields, "items") ?? "")?.record;
  if (pointer !== undefined) return resolvePointer(body, pointer);
  if (typeof body !== "object" || body === null) return undefined;
  const [only, ...others] = Object.values(body);
  return others.length === 0 && typeof only === "object" && only !== null ? only : body;
}

/** Writes in the order in which they were made, one after another; what can be repeated safely waits for the network. */
export class Outbox implements OverlayContext {
  /** All that is not yet seen in the streams, oldest first. */
  readonly writes: Write[] = [];
  /** Real URLs by temporary ones, of records that this client created. */
  readonly created: Map<string, string> = new Map();
  readonly urls: RowUrls;
  readonly #options: OutboxOptions;
  readonly #overlays: WeakMap<View, Overlay> = new WeakMap();
  readonly #store: WriteStore | undefined;
  readonly #backoff: Backoff;
  readonly #abort: AbortController = new AbortController();
  /** Until it resolves, what was left behind is not known: nothing is sent ahead of it. */
  readonly #loading: Promise<void> | undefined;
  /** Nobody waits for a write that a reload left behind. */
  readonly #refuseLeft = (error: Error): void => this.#options.callbacks.report(error, "write");
  #isRunning = false;
  #isIdempotent: boolean | undefined;
  #wake: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.urls = options.urls;
    if (options.wellKnown) this.learn(options.wellKnown);
    this.#store = options.storage && new WriteStore(options.storage, options.http.base.href);
    this.#backoff = new Backoff(options.clock);
    this.#loading = this.#store?.load().then((stored) => {
      const known = new Set(this.writes.map(({ id }) => id));
      const { http } = this.#options;
      const isOurs = (url: string): boolean => url.startsWith(temporaryUrl) || http.isTarget(url);
      const left = stored.filter(({ id, url }) => isOurs(url) && !known.has(id) && known.add(id));
      // They were made before all that was made here.
      this.writes.unshift(...left.map((write) => queued(write, ignore, this.#refuseLeft)));
      if (left.length > 0) this.#changed();
    });
    void this.#run();
  }

  /** Sends a write. Resolves with the record as the server answers it. @throws ProblemError, ConflictError, TypeError (network) */
  async write(view: View, { kind, url, values, ifUnchanged, onConflict }: WriteToSend): Promise<unknown> {
    const { replica } = view.feed;
    const etag = ifUnchanged ? await shownEtag({ http: this.#options.http, replica, url, values }) : undefined;
    const stored = { id: crypto.randomUUID(), kind, view: view.url, url, values: { ...values }, etag };
    if (this.#abort.signal.aborted) throw new TypeError("The client is closed.");
    return new Promise((resolve, reject) => {
      void this.#store?.put(stored);
      this.writes.push(queued(stored, resolve, reject, onConflict));
      this.#changed();
      void this.#run();
    });
  }

  /** Tries at once what waits. */
  wake(): void {
    this.#wake();
  }

  /** What the server says of itself at the well-known URL: whether it does a repeated `Idempotency-Key` once. */
  learn(wellKnown: HttpResponse): void {
    const said = bodyJson(wellKnown) as { rocket?: { promises?: unknown } } | undefined;
    const promises = said?.rocket?.promises;
    // A promise once given holds: whatever answers in the server's place meanwhile can't take it back.
    this.#isIdempotent ||= Array.isArray(promises) && promises.includes("idempotency-key");
    this.#wake();
  }

  /** What is shown ahead of time in a view. */
  overlayOf(view: View): Overlay {
    const overlay = this.#overlays.get(view) ?? new Overlay(view, this);
    this.#overlays.set(view, overlay);
    return overlay;
  }

  /** The URL of the record that a write is about; the temporary one while it has no other. */
  urlOf({ kind, id, url }: StoredWrite): string {
    const own = kind === "create" ? temporaryUrl + id : url;
    return this.created.get(own) ?? own;
  }

  /** The key of a record in lists: of one that was created here, the URL that it had first. */
  keyOf(url: string): string {
    for (const [temporary, real] of this.created) if (real === url) return temporary;
    return url;
  }

  /** Removes those that all views show by now. */
  settle(): void {
    if (this.writes.length === 0) return;
    const overlays = [...this.#options.views].map((view) => this.overlayOf(view));
    const isSettled = (write: Write) => overlays.every((overlay) => overlay.isSettled(write));
    for (const write of this.writes.filter((one) => one.state === "answered" && isSettled(one))) this.#remove(write);
  }

  /** Sends nothing more; what is kept stays kept. */
  close(): void {
    this.#abort.abort();
    this.#wake();
    // What a reload left behind was refused by nobody, and its promise is gone.
    const waited = this.writes.filter(({ state, reject }) => state !== "answered" && reject !== this.#refuseLeft);
    for (const write of waited) write.reject(new TypeError("The client is closed."));
  }

  #changed(): void {
    for (const view of [...this.#options.views]) view.changed();
    this.settle();
  }

  /** Whether the server does a repeated key once; throws where it can't be asked now. */
  async #askIdempotent(): Promise<void> {
    if (this.#isIdempotent !== undefined) return;
    const answer = await this.#options.http.ask(wellKnownPath);
    // A server that can't answer now promises nothing, and denies nothing.
    if (isTransient(answer.status)) throw new ProblemError(problemOf(answer));
    this.learn(answer);
  }

  #remove(write: Write): void {
    this.writes.splice(this.writes.indexOf(write), 1);
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#loading;
    for (;;) {
      const write = this.writes.find(({ state }) => state !== "answered");
      if (!write || this.#abort.signal.aborted) break;
      const waitMs = await this.#send(write);
      if (waitMs !== undefined) await this.#pause(waitMs);
    }
    this.#isRunning = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (this.#abort.signal.aborted) this.#wake();
    });
  }

  /** Sends one; gives the time to wait where it has to be tried again. */
  async #send(write: Write): Promise<number | undefined> {
    try {
      // Asked before anything is sent: what was never sent may wait without harm.
      await this.#askIdempotent();
    } catch {
      return this.#backoff.next();
    }
    // What is known now holds for this sending, whatever is learned until the answer.
    const isIdempotent = this.#isIdempotent === true;
    // What can't be repeated must not be found by the next page: it may have been done.
    if (!isIdempotent && !this.#abort.signal.aborted) await this.#store?.remove(write.id);
    if (this.#abort.signal.aborted) return undefined;
    const wasSent = write.state === "sent";
    write.state = "sent";
    const url = this.created.get(write.url) ?? write.url;
    if (url.startsWith(temporaryUrl)) {
      this.#refuse(write, new TypeError("The record was never created."));
      return undefined;
    }
    const answer = await this.#request(write, url, isIdempotent).catch((error: Error) => error);
    if (this.#abort.signal.aborted) return undefined;
    if (answer instanceof Error || isGatewayStatus(answer.status)) {
      if (isIdempotent) {
        return this.#backoff.next(answer instanceof Error ? 0 : retryAfterMs(answer));
      }
      this.#refuse(write, answer instanceof Error ? answer : new ProblemError(problemOf(answer)));
      return undefined;
    }
    this.#backoff.reset();
    this.#options.onAnswered();
    const isGone = write.kind === "destroy" && wasSent && (answer.status === 404 || answer.status === 410);
    if (answer.status < 300 || isGone) this.#answered(write, answer, url);
    else await this.#refused(write, answer, url);
    return undefined;
  }

  async #request(write: Write, url: string, isIdempotent: boolean): Promise<HttpResponse> {
    const { http, clock } = this.#options;
    const headers: Record<string, string> = { Accept: "application/json" };
    if (isIdempotent) headers["Idempotency-Key"] = `"${write.id}"`;
    if (write.etag !== undefined) headers["If-Match"] = write.etag;
    const isDestroy = write.kind === "destroy";
    if (!isDestroy) headers["Content-Type"] = "application/json";
    const timeout = new AbortController();
    const stop = () => timeout.abort();
    this.#abort.signal.addEventListener("abort", stop);
    const cancel = clock.setTimer(stop, writeTimeoutMs);
    try {
      const body = isDestroy ? {} : { body: JSON.stringify(write.values) };
      return await http.ask(url, { method: methods[write.kind], headers, ...body, signal: timeout.signal });
    } finally {
      cancel();
      this.#abort.signal.removeEventListener("abort", stop);
    }
  }

  #answered(write: Write, answer: HttpResponse, url: string): void {
    const { fields, status } = answer;
    write.state = "answered";
    write.row = status === 204 ? undefined : rowIn(answer);
    write.eventId = fieldValue(fields, "event-id");
    write.answeredAt = this.#options.clock.now();
    if (write.kind === "create") {
      const location = fieldValue(fields, "content-location") ?? fieldValue(fields, "location");
      const created = location === undefined ? undefined : this.#options.http.linked(location, url);
      if (created !== undefined) this.#named(temporaryUrl + write.id, created);
    }
    noteUrl(this.urls, write.row, this.created.get(temporaryUrl + write.id) ?? url);
    void this.#store?.remove(write.id);
    this.#changed();
    write.resolve(write.row);
  }

  /** A record has its URL: what waits for it outlives a reload by that one only. */
  #named(temporary: string, url: string): void {
    this.created.set(temporary, url);
    for (const write of this.writes.filter((one) => one.url === temporary)) {
      write.url = url;
      void this.#store?.put(stored(write));
    }
  }

  async #refused(write: Write, answer: HttpResponse, url: string): Promise<void> {
    const problem = problemOf(answer);
    if (answer.status !== 412) {
      this.#refuse(write, new ProblemError(problem));
      return;
    }
    const current = await this.#options.http.ask(url).catch(() => undefined);
    const theirs = current?.status === 200 ? rowIn(current) : undefined;
    const conflict: Conflict = { url, mine: write.values, theirs: theirs ?? undefined };
    const decided = await Promise.resolve(conflict)
      .then((one) => write.onConflict?.(one))
      .catch((error: unknown) => this.#options.callbacks.report(error, "callback"));
    if (typeof decided !== "object" || decided === null || !current) {
      this.#refuse(write, new ConflictError(problem, conflict));
      return;
    }
    // A key stands for one body: other values are another write.
    const etag = fieldValue(current.fields, "etag");
    const next: StoredWrite = { ...stored(write), id: crypto.randomUUID(), values: { ...decided }, etag };
    this.#remove(write);
    void this.#store?.remove(write.id);
    void this.#store?.put(next);
    this.writes.unshift(queued(next, write.resolve, write.reject, write.onConflict));
    this.#changed();
  }

  #refuse(write: Write, error: Error): void {
    this.#remove(write);
    void this.#store?.remove(write.id);
    this.#changed();
    write.reject(error);
  }
}

function ignore(): void {}

function queued(
  write: StoredWrite,
  resolve: Write["resolve"],
  reject: Write["reject"],
  onConflict?: Write["onConflict"],
): Write {
  return { ...write, state: "queued", row: undefined, eventId: undefined, answeredAt: 0, resolve, reject, onConflict };
}

function stored({ id, kind, view, url, values, etag }: StoredWrite): StoredWrite {
  return { id, kind, view, url, values, etag };
}
