import { fieldValue, type HttpResponse, type Problem, retryWaitMs } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { Callbacks } from "./callbacks.ts";
import type { ClientClock } from "./clock.ts";
import { CreatedRecords } from "./created.ts";
import type { Feed } from "./feed.ts";
import { HeldRows } from "./held-rows.ts";
import type { Http } from "./http.ts";
import { Idempotency } from "./idempotency.ts";
import type { OverlayContext, View } from "./layer.ts";
import { next } from "./machine.ts";
import { Overlay } from "./overlay.ts";
import { codedError, ProblemError, problemOf, retryAfterMs } from "./problem.ts";
import { ignore, queued, stored } from "./queued-write.ts";
import { Recogniser } from "./recogniser.ts";
import { type Guard, requireSeen } from "./require-seen.ts";
import { isStrong, noteUrl, noteVersion, noUrl, type RowUrls, type RowVersions, temporaryUrl } from "./row-urls.ts";
import { isGatewayStatus, rowIn, Sender, Unanswered, unanswered, wasNeverSent, writtenIn } from "./sender.ts";
import { type ClientStorage, WriteStore } from "./storage.ts";
import { type Conflict, ConflictError, type StoredWrite, type Write, type WriteKind } from "./write.ts";
import { type WriteEvent, writeTransitions } from "./write-state.ts";

/** How often a write is tried over another version, until its conflict is told. */
const maxRounds = 5;
/** How often is looked whether a record that was created is recognised, and for how long. */
const recogniseMs = { every: 50, atMost: 5_000 } as const;

/** What an outbox needs. */
export interface OutboxOptions {
  readonly http: Http;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  readonly versions: RowVersions;
  /** Where queued writes outlive a reload. */
  readonly storage: ClientStorage | undefined;
  /** Whose they are; empty where nobody is named. */
  readonly user: string;
  /** What the server said at the well-known URL, where it was asked already. */
  readonly wellKnown: HttpResponse | undefined;
  readonly callbacks: Callbacks;
  /** Whether the server is known to be unreachable now. */
  readonly isUnreachable: () => boolean;
  /** Told that the server has answered: it is there. */
  readonly onAnswered: () => void;
  /** Told that it has refused whoever asks (401, 403). */
  readonly onTurnedAway: () => void;
  /** The views whose rows are known. */
  readonly views: ReadonlySet<View>;
}

/** A write to be sent. */
export interface WriteToSend {
  readonly kind: WriteKind;
  readonly url: string;
  readonly values: object;
  /** What the writer saw: it is written only where the record is still so. */
  readonly base?: object | undefined;
  /** Where that is from; absent where the write is not guarded. */
  readonly guard?: Guard | undefined;
  /** Decides on a conflict: other values, or nothing to give up. */
  readonly onConflict?: ((conflict: never) => unknown) | undefined;
}

/** Writes in the order in which they were made, one after another; what can be repeated safely waits for the network. */
export class Outbox implements OverlayContext {
  /** All that is not yet seen in the streams, oldest first. */
  readonly writes: Write[] = [];
  readonly created: CreatedRecords = new CreatedRecords();
  readonly urls: RowUrls;
  readonly #options: OutboxOptions;
  readonly #overlays: WeakMap<View, Overlay> = new WeakMap();
  /** What a row shows that was made ahead of time: the last write, and the row of the server's below it. */
  readonly shows: WeakMap<object, { readonly id: string; readonly below: unknown }> = new WeakMap();
  readonly #store: WriteStore | undefined;
  readonly #sender: Sender;
  readonly #recogniser: Recogniser;
  readonly #held: HeldRows;
  readonly #backoff: Backoff;
  readonly #abort: AbortController = new AbortController();
  /** Until it resolves, what was left behind is not known: nothing is sent ahead of it. */
  readonly #loading: Promise<void> | undefined;
  /** What refuses writes that a reload left behind: nobody waits for them. */
  readonly #refusals: WeakSet<Write["reject"]> = new WeakSet();
  readonly #idempotency: Idempotency;
  #isRunning = false;
  #wake: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.urls = options.urls;
    this.#idempotency = new Idempotency(options);
    if (options.wellKnown) this.learn(options.wellKnown);
    this.#store = options.storage && new WriteStore(options.storage, options.http.base.href, options.user);
    this.#sender = new Sender({ ...options, signal: this.#abort.signal });
    const onUrl = (temporary: string, url: string): void => this.#named(temporary, url);
    this.#held = new HeldRows(options.clock, () => this.#changed());
    this.#recogniser = new Recogniser({ ...options, created: this.created, held: this.#held, onUrl });
    this.#backoff = new Backoff(options.clock);
    this.#loading = this.#store?.load().then((stored) => {
      const known = new Set(this.writes.map(({ id }) => id));
      const isOurs = (url: string): boolean => url.startsWith(temporaryUrl) || options.http.isTarget(url);
      const left = stored.filter(({ id, url }) => isOurs(url) && !known.has(id) && known.add(id));
      // They were made before all that was made here.
      this.writes.unshift(...left.map((write) => queued(write, ignore, this.#refusalOf(write))));
      // They may have been carried out for the page before: what is shown by now stays what it is.
      const shown = [...this.views].flatMap(({ feed }) => feed.replica.entries);
      const creates = left.filter(({ kind }) => kind === "create");
      for (const write of creates) for (const { url, row } of shown) this.created.noteArrived(write, url, row);
      if (creates.length > 0) for (const { url } of shown) this.created.noteShown(url);
      if (left.length > 0) this.#changed();
    });
    void this.#run();
  }

  /** Sends a write. Resolves with the record as the server answers it. @throws ProblemError, ConflictError, TypeError (network) */
  async write(view: View, { kind, url, values, base, guard, onConflict }: WriteToSend): Promise<unknown> {
    if (guard) requireSeen(url, base, guard, this);
    // What can't be written as JSON is refused at once.
    const copy = JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
    const { user, versions } = this.#options;
    const shown = base && this.shows.get(base);
    const after = this.writes.find(({ id, state }) => id === shown?.id && state !== "answered")?.id;
    const seen = shown ? (shown.below as object | undefined) : base;
    const etag = seen && after === undefined ? versions.get(seen) : undefined;
    const id = crypto.randomUUID();
    const madeAt = this.#options.clock.now();
    const write: StoredWrite = {
      id,
      kind,
      view: view.url,
      url,
      values: copy,
      etag,
      base: etag ? undefined : seen,
      user,
      madeAt,
    };
    if (this.#abort.signal.aborted) throw codedError("closed", "The client is closed.");
    return new Promise((resolve, reject) => {
      void this.#store?.put(write);
      this.writes.push({ ...queued(write, resolve, reject, onConflict as Write["onConflict"]), after });
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
    this.#idempotency.learn(wellKnown);
    this.#wake();
  }

  /** What is shown ahead of time in a view. */
  overlayOf(view: View): Overlay {
    const overlay = this.#overlays.get(view) ?? new Overlay(view, this, this.#options.clock);
    this.#overlays.set(view, overlay);
    return overlay;
  }

  /** Gives the key of a record in lists: of one that was created here, the URL that it was shown by first. What is given holds. */
  giveKey(url: string): string {
    // It may be what a create makes that is not answered yet.
    if (this.writes.some(({ kind, state }) => kind === "create" && state !== "answered")) this.created.noteShown(url);
    return this.created.keyOf(this.created.real(url));
  }

  readonly isHeld = (url: string): boolean => this.#held.has(url) && !this.created.isClaimed(url);

  get views(): ReadonlySet<View> {
    return this.#options.views;
  }

  /** Removes those that all views show by now. */
  settle(): void {
    if (this.writes.length === 0) return;
    const overlays = [...this.views].map((view) => this.overlayOf(view));
    const settle = (write: Write): boolean => overlays.map((overlay) => overlay.settle(write)).every(Boolean);
    const settled = this.writes.filter((one) => one.state === "answered" && settle(one));
    for (const write of settled) this.#remove(write, "settle");
  }

  /** Sends nothing more; what is kept stays kept. */
  close(): void {
    this.#end("The client is closed.");
  }

  /** Sends nothing more, and keeps nothing more of this user. */
  async drop(): Promise<void> {
    this.#end("The user has logged out: the write was dropped.");
    await this.#store?.clear();
  }

  #end(reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#held.close();
    for (const view of this.views) this.overlayOf(view).close();
    this.#wake();
    // What a reload left behind was refused by nobody, and its promise is gone.
    const waited = this.writes.filter(({ state, reject }) => state !== "answered" && !this.#refusals.has(reject));
    for (const write of waited) write.reject(codedError("closed", reason));
  }

  #refusalOf({ kind, url, values, madeAt }: StoredWrite): Write["reject"] {
    const write = { kind, url, values, madeAt };
    const refuse = (error: Error): void => this.#options.callbacks.report(error, { stage: "write", write });
    this.#refusals.add(refuse);
    return refuse;
  }

  #changed(): void {
    for (const view of [...this.views]) view.changed();
    this.settle();
  }

  #move(write: Write, event: WriteEvent): void {
    write.state = next(writeTransitions, write.state, event);
  }

  #remove(write: Write, event: "settle" | "refuse"): void {
    this.#move(write, event);
    if (event === "settle") this.#recogniser.settled(write);
    this.writes.splice(this.writes.indexOf(write), 1);
    this.created.forget(write);
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
    // Asked before anything is sent: what was never sent may wait without harm. What is known now holds for this sending.
    const isIdempotent = await this.#idempotency.ask().catch(() => undefined);
    if (isIdempotent === undefined) return this.#backoff.next();
    const url = this.created.linkOf(write.url);
    const isTemporary = url.startsWith(temporaryUrl);
    // It was created, and is recognised when it comes.
    const create = this.writes.find(({ id }) => url === temporaryUrl + id);
    const elapsedMs = Math.abs(this.#options.clock.now() - (create?.answeredAt ?? 0));
    if (create?.state === "answered" && elapsedMs < recogniseMs.atMost) return recogniseMs.every;
    if (isTemporary || url.includes(noUrl)) {
      const neverText = "The record was never created, or nothing tells its URL.";
      const error = isTemporary ? codedError("never-created", neverText) : new TypeError(`The row ${url} has no URL.`);
      this.#refuse(write, error);
      return undefined;
    }
    const guarded = await this.#guard(write, url);
    if (guarded !== true) return guarded;
    // What can't be repeated must not be found by the next page: it may have been done.
    if (!isIdempotent && !this.#abort.signal.aborted) await this.#store?.remove(write.id);
    if (this.#abort.signal.aborted) return undefined;
    const wasSent = write.state === "sent";
    this.#move(write, "send");
    const answer = await this.#sender.request(write, url, isIdempotent).catch((error: Error) => error);
    if (this.#abort.signal.aborted) return undefined;
    this.#idempotency.noteAnswer(!(answer instanceof Error));
    if (answer instanceof Error && wasNeverSent(answer)) {
      this.#move(write, "unsent");
      this.#change(write, {});
      return this.#backoff.next();
    }
    if (answer instanceof Error || isGatewayStatus(answer.status)) {
      if (isIdempotent) {
        return this.#backoff.next(answer instanceof Error ? 0 : retryAfterMs(answer));
      }
      this.#refuse(
        write,
        answer instanceof Error ? unanswered(write, url, answer) : new ProblemError(problemOf(answer)),
      );
      return undefined;
    }
    this.#backoff.reset();
    this.#options.onAnswered();
    const isGone = write.kind === "destroy" && wasSent && (answer.status === 404 || answer.status === 410);
    if (answer.status < 300 || isGone) this.#answered(write, answer, url);
    else if (answer.status === 412) return this.#conflicted(write, problemOf(answer), url);
    else {
      if (answer.status === 401 || answer.status === 403) this.#options.onTurnedAway();
      this.#refuse(write, new ProblemError(problemOf(answer)));
    }
    return undefined;
  }

  /** Finds the validator that guards a write: true where it may be sent, else the time to wait, if any. */
  async #guard(write: Write, url: string): Promise<true | number | undefined> {
    try {
      const etag = await this.#sender.guard(write, url);
      // A repeat has to be the same: by then the record is as this write left it.
      if (write.base !== undefined) this.#change(write, { etag, base: undefined });
      return true;
    } catch (error) {
      if (this.#abort.signal.aborted) return undefined;
      if (error instanceof Unanswered) return this.#backoff.next(error.leastMs);
      if (error instanceof ConflictError) return this.#conflicted(write, error.problem, url);
      this.#refuse(write, error as Error);
      return undefined;
    }
  }

  #answered(write: Write, answer: HttpResponse, url: string): void {
    const { fields } = answer;
    this.#move(write, "answer");
    write.row = writtenIn(answer, write.values);
    write.eventId = fieldValue(fields, "event-id");
    write.answeredAt = this.#options.clock.now();
    if (write.kind === "create") this.#recogniser.answered(write, answer, url);
    noteUrl(this.urls, write.row, this.created.linkOf(this.created.of(write)));
    this.#noteResult(write, fieldValue(fields, "etag"));
    void this.#store?.remove(write.id);
    this.#changed();
    write.resolve(write.row ?? rowIn(answer));
  }

  /** What a write left behind is what the makers of later ones saw. */
  #noteResult({ id, row, values }: Write, etag: string | undefined): void {
    noteVersion(this.#options.versions, row, etag);
    for (const next of this.writes.filter(({ after }) => after === id)) {
      const base = typeof row === "object" && row !== null ? row : { ...next.base, ...values };
      this.#change(next, isStrong(etag) ? { etag, base: undefined } : { base });
    }
  }

  /** Changes what is kept of a write. */
  #change(write: Write, change: Partial<Write>): void {
    Object.assign(write, change);
    void this.#store?.put(stored(write));
  }

  /** Notes what came, whoever looks at it: it may be what was written. */
  note(feed: Feed, batch: readonly HttpResponse[]): void {
    if (this.writes.length === 0) return;
    this.#recogniser.came(this.writes, feed, batch);
    for (const view of this.views) if (view.feed === feed) this.overlayOf(view).note(batch);
  }

  /** A record has its URL: what waits for it outlives a reload by that one only. */
  #named(temporary: string, url: string): void {
    for (const one of this.writes.filter((other) => other.url === temporary)) this.#change(one, { url });
  }

  /** The server has another version: whoever made the write decides. Gives the time to wait. */
  async #conflicted(write: Write, problem: Problem, url: string): Promise<number | undefined> {
    const { http, clock, callbacks } = this.#options;
    const current = await http.ask(url, { cache: "no-store" }).catch(() => undefined);
    const theirs = current?.status === 200 ? rowIn(current) : undefined;
    const conflict: Conflict = { url, mine: write.values, theirs: theirs ?? undefined };
    const isLast = write.rounds + 1 >= maxRounds || !current;
    const decided = await Promise.resolve(conflict)
      .then((one) => (isLast ? undefined : write.onConflict?.(one)))
      .catch((error: unknown) => callbacks.report(error, { stage: "callback" }));
    if (typeof decided !== "object" || decided === null) {
      this.#refuse(write, new ConflictError(problem, conflict));
      return undefined;
    }
    // A key stands for one body: other values are another write.
    const etag = fieldValue(current?.fields ?? [], "etag");
    const guard = isStrong(etag) ? { etag, base: undefined } : { etag: undefined, base: Object(theirs) };
    const again: StoredWrite = { ...stored(write), id: crypto.randomUUID(), values: { ...decided }, ...guard };
    this.#remove(write, "refuse");
    void this.#store?.remove(write.id);
    void this.#store?.put(again);
    const { resolve, reject, onConflict, rounds } = write;
    this.writes.unshift({ ...queued(again, resolve, reject, onConflict), rounds: rounds + 1 });
    this.#changed();
    return retryWaitMs(rounds, clock.random());
  }

  #refuse(write: Write, error: Error): void {
    this.#remove(write, "refuse");
    void this.#store?.remove(write.id);
    this.#changed();
    write.reject(error);
  }
}
