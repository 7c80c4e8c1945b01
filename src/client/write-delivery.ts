import { fieldValue, type HttpResponse, type Problem, retryWaitMs } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { answersIn, refusedIn } from "./batch.ts";
import type { Callbacks } from "./callbacks.ts";
import type { ClientClock } from "./clock.ts";
import type { Http } from "./http.ts";
import { Idempotency } from "./idempotency.ts";
import { codedError, ProblemError, problemOf, retryAfterMs } from "./problem.ts";
import { stored } from "./queued-write.ts";
import type { Recogniser } from "./recogniser.ts";
import { isStrong, noteUrl, noteVersion, noUrl, type RowUrls, type RowVersions, temporaryUrl } from "./row-urls.ts";
import {
  batchPath,
  isGatewayStatus,
  rowIn,
  Sender,
  Unanswered,
  unanswered,
  wasNeverSent,
  writtenIn,
} from "./sender.ts";
import { type Conflict, ConflictError, type StoredWrite, type Write } from "./write.ts";
import type { WriteQueue } from "./write-queue.ts";

/** How often a write is tried over another version, until its conflict is told. */
const maxRounds = 5;
/** How often is looked whether a record that was created is recognised, and for how long. */
const recogniseMs = { every: 50, atMost: 5_000 } as const;

/** What the delivery of writes needs. */
export interface WriteDeliveryOptions {
  readonly http: Http;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  readonly versions: RowVersions;
  readonly callbacks: Callbacks;
  /** Whether the server is known to be unreachable now. */
  readonly isUnreachable: () => boolean;
  /** Told that the server has answered: it is there. */
  readonly onAnswered: () => void;
  /** Told that it has refused whoever asks (401, 403). */
  readonly onTurnedAway: () => void;
}

/** What else it stands on. */
export interface WriteDeliveryParts {
  readonly queue: WriteQueue;
  readonly recogniser: Recogniser;
  /** Until it resolves, what was left behind is not known: nothing is sent ahead of it. */
  readonly loading: Promise<void> | undefined;
  /** Told that what is to be shown is another. */
  readonly onChanged: () => void;
}

/** Sends the writes of a queue, one after another; what can be repeated safely waits for the network. */
export class WriteDelivery {
  readonly idempotency: Idempotency;
  readonly #options: WriteDeliveryOptions;
  readonly #parts: WriteDeliveryParts;
  readonly #sender: Sender;
  readonly #backoff: Backoff;
  readonly #abort: AbortController = new AbortController();
  /** Those that had to wait, before they were sent or for an answer. */
  readonly #waited: WeakSet<Write> = new WeakSet();
  /** True from a 401 of one of them on, until there are other credentials. */
  #isHeld = false;
  #isRunning = false;
  #wake: () => void = () => {};

  constructor(options: WriteDeliveryOptions, parts: WriteDeliveryParts) {
    this.#options = options;
    this.#parts = parts;
    this.idempotency = new Idempotency(options);
    this.#sender = new Sender({ ...options, signal: this.#abort.signal });
    this.#backoff = new Backoff(options.clock);
  }

  /** True once nothing more is sent. */
  get isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Sends what waits, unless it is sent already. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#parts.loading;
    for (;;) {
      const write = this.#parts.queue.next;
      if (!write || this.isClosed || this.#isHeld) break;
      const together = write.batch === undefined ? [write] : this.#parts.queue.together(write);
      const waitMs = write.batch === undefined ? await this.#send(write) : await this.#sendBatch(together);
      if (waitMs === undefined) continue;
      for (const one of together) this.#waited.add(one);
      await this.#pause(waitMs);
    }
    this.#isRunning = false;
  }

  /** Tries at once what waits. */
  wake(): void {
    this.#wake();
  }

  /** Sends what waited for other credentials. Nobody but the application knows whether those of now are of the same user. */
  renew(): void {
    this.#isHeld = false;
    this.#wake();
    void this.run();
  }

  close(): void {
    this.#abort.abort();
    this.#wake();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (this.isClosed) this.#wake();
    });
  }

  /** Sends one; gives the time to wait where it has to be tried again. */
  async #send(write: Write): Promise<number | undefined> {
    const { queue } = this.#parts;
    // Asked before anything is sent: what was never sent may wait without harm. What is known now holds for this sending.
    const isIdempotent = await this.idempotency.ask().catch(() => undefined);
    if (isIdempotent === undefined) return this.#backoff.next();
    const url = queue.created.linkOf(write.url);
    if (this.#isBeingRecognised(url)) return recogniseMs.every;
    const trouble = troubleWith(url);
    if (trouble) {
      this.#refuse(write, trouble);
      return undefined;
    }
    const guarded = await this.#guard(write, url);
    if (guarded !== true) return guarded;
    // What can't be repeated must not be found by the next page: it may have been done.
    if (!isIdempotent && !this.isClosed) await queue.forget(write);
    if (this.isClosed) return undefined;
    const wasSent = write.state === "sent";
    queue.move(write, "send");
    const answer = await this.#sender.request(write, url, isIdempotent).catch((error: Error) => error);
    if (this.isClosed) return undefined;
    this.idempotency.noteAnswer(!(answer instanceof Error));
    if (answer instanceof Error || isGatewayStatus(answer.status)) {
      return this.#unanswered(write, answer, url, isIdempotent);
    }
    this.#backoff.reset();
    this.#options.onAnswered();
    const isGone = write.kind === "destroy" && wasSent && (answer.status === 404 || answer.status === 410);
    if (answer.status < 300 || isGone) this.#answered(write, answer, url);
    else if (answer.status === 412) return this.#conflicted(write, problemOf(answer), url);
    else this.#turnedDown(write, new ProblemError(problemOf(answer)), wasSent);
    return undefined;
  }

  /** Sends writes as one; gives the time to wait where that has to be tried again. */
  async #sendBatch(writes: readonly Write[]): Promise<number | undefined> {
    const { queue } = this.#parts;
    const isIdempotent = await this.idempotency.ask().catch(() => undefined);
    if (isIdempotent === undefined) return this.#backoff.next();
    const urls = writes.map(({ url }) => queue.created.linkOf(url));
    if (urls.some((url) => this.#isBeingRecognised(url))) return recogniseMs.every;
    const trouble = this.idempotency.takesBatches ? urls.map(troubleWith).find(Boolean) : noBatch();
    if (trouble) {
      this.refuseAll(writes, trouble);
      return undefined;
    }
    const guarded = await this.#guardAll(writes, urls);
    if (guarded !== true) return guarded;
    if (!isIdempotent && !this.isClosed) await Promise.all(writes.map((write) => queue.forget(write)));
    if (this.isClosed) return undefined;
    const wasSent = writes.some(({ state }) => state === "sent");
    for (const write of writes) queue.move(write, "send");
    const answer = await this.#sender.requestBatch(writes, urls, isIdempotent).catch((error: Error) => error);
    if (this.isClosed) return undefined;
    this.idempotency.noteAnswer(!(answer instanceof Error));
    if (answer instanceof Error || isGatewayStatus(answer.status)) {
      return this.#batchUnanswered(writes, answer, isIdempotent);
    }
    this.#backoff.reset();
    this.#options.onAnswered();
    if (answer.status < 300) {
      const answers = answersIn(answer, writes.length);
      for (const [at, write] of writes.entries()) this.#answered(write, answers[at] ?? answer, urls[at] ?? "");
    } else await this.#batchTurnedDown(writes, answer, { urls, wasSent });
    return undefined;
  }

  /** Finds what guards the writes of a batch: true where they may be sent, else the time to wait, if any. */
  async #guardAll(writes: readonly Write[], urls: readonly string[]): Promise<true | number | undefined> {
    try {
      for (const [at, write] of writes.entries()) {
        const etag = await this.#sender.guard(write, urls[at] ?? "");
        if (write.base !== undefined) this.#parts.queue.change(write, { etag, base: undefined });
      }
      return true;
    } catch (error) {
      if (this.isClosed) return undefined;
      if (error instanceof Unanswered) return this.#backoff.next(error.leastMs);
      this.refuseAll(writes, error as Error);
      return undefined;
    }
  }

  /** As {@link #unanswered}, of a batch. */
  #batchUnanswered(writes: readonly Write[], came: Error | HttpResponse, isIdempotent: boolean): number | undefined {
    const { queue } = this.#parts;
    if (came instanceof Error && wasNeverSent(came)) {
      for (const write of writes) {
        queue.move(write, "unsent");
        queue.change(write, {});
      }
      return this.#backoff.next();
    }
    if (isIdempotent) return this.#backoff.next(came instanceof Error ? 0 : retryAfterMs(came));
    this.refuseAll(writes, unanswered({ kind: "create" }, batchPath, came));
    return undefined;
  }

  /** The server refuses a batch: all of it, for one of its writes [R-BATCH-5]. */
  async #batchTurnedDown(
    writes: readonly Write[],
    answer: HttpResponse,
    { urls, wasSent }: { readonly urls: readonly string[]; readonly wasSent: boolean },
  ): Promise<void> {
    const { queue } = this.#parts;
    const problem = problemOf(answer);
    const { status } = problem;
    if (status === 401 || status === 403) this.#options.onTurnedAway();
    this.#isHeld = status === 401 && writes.some((write) => this.#waited.has(write) || queue.isLeftBehind(write));
    if (this.#isHeld) {
      for (const write of writes) {
        if (!wasSent) queue.move(write, "unsent");
        queue.change(write, {});
      }
      return;
    }
    const at = refusedIn(answer) ?? -1;
    const write = status === 412 ? writes[at] : undefined;
    const error = write
      ? new ConflictError(problem, await this.#conflictOf(write, urls[at] ?? ""))
      : new ProblemError(problem);
    if (!this.isClosed) this.refuseAll(writes, error);
  }

  /** Both versions of a record, as far as the server shows its own. */
  async #conflictOf({ values }: Write, url: string): Promise<Conflict> {
    const current = await this.#options.http.ask(url, { cache: "no-store" }).catch(() => undefined);
    const theirs = current?.status === 200 ? rowIn(current) : undefined;
    return { url, mine: values, theirs: theirs ?? undefined };
  }

  /** Takes writes back that belong together. */
  refuseAll(writes: readonly Write[], error: Error): void {
    const { queue, onChanged } = this.#parts;
    for (const write of writes) {
      queue.remove(write, "refuse");
      void queue.forget(write);
    }
    onChanged();
    for (const write of writes) write.reject(error);
  }

  /**
   * The server refuses a write. One that had to wait may have outlived the session that it was made in: whoever made it may
   * not be there to make it again, so it waits for other credentials.
   */
  #turnedDown(write: Write, error: ProblemError, wasSent: boolean): void {
    const { queue } = this.#parts;
    const { status } = error.problem;
    if (status === 401 || status === 403) this.#options.onTurnedAway();
    this.#isHeld = status === 401 && (this.#waited.has(write) || queue.isLeftBehind(write));
    if (!this.#isHeld) this.#refuse(write, error);
    else {
      if (!wasSent) queue.move(write, "unsent");
      queue.change(write, {});
    }
  }

  /** True where a record was created, and is recognised when it comes. */
  #isBeingRecognised(url: string): boolean {
    const create = this.#parts.queue.writes.find(({ id }) => url === temporaryUrl + id);
    const elapsedMs = Math.abs(this.#options.clock.now() - (create?.answeredAt ?? 0));
    return create?.state === "answered" && elapsedMs < recogniseMs.atMost;
  }

  /** What came is no answer of the origin's. Gives the time to wait where it is tried again. */
  #unanswered(write: Write, came: Error | HttpResponse, url: string, isIdempotent: boolean): number | undefined {
    const { queue } = this.#parts;
    if (came instanceof Error && wasNeverSent(came)) {
      queue.move(write, "unsent");
      queue.change(write, {});
      return this.#backoff.next();
    }
    if (isIdempotent) return this.#backoff.next(came instanceof Error ? 0 : retryAfterMs(came));
    this.#refuse(write, unanswered(write, url, came));
    return undefined;
  }

  /** Finds the validator that guards a write: true where it may be sent, else the time to wait, if any. */
  async #guard(write: Write, url: string): Promise<true | number | undefined> {
    try {
      const etag = await this.#sender.guard(write, url);
      // A repeat has to be the same: by then the record is as this write left it.
      if (write.base !== undefined) this.#parts.queue.change(write, { etag, base: undefined });
      return true;
    } catch (error) {
      if (this.isClosed) return undefined;
      if (error instanceof Unanswered) return this.#backoff.next(error.leastMs);
      if (error instanceof ConflictError) return this.#conflicted(write, error.problem, url);
      if (error instanceof ProblemError) this.#turnedDown(write, error, true);
      else this.#refuse(write, error as Error);
      return undefined;
    }
  }

  #answered(write: Write, answer: HttpResponse, url: string): void {
    const { queue, recogniser, onChanged } = this.#parts;
    const { fields } = answer;
    queue.move(write, "answer");
    write.row = writtenIn(answer, write.values);
    write.eventId = fieldValue(fields, "event-id");
    write.answeredAt = this.#options.clock.now();
    if (write.kind === "create") recogniser.answered(write, answer, url);
    noteUrl(this.#options.urls, write.row, queue.created.linkOf(queue.created.of(write)));
    this.#noteResult(write, fieldValue(fields, "etag"));
    void queue.forget(write);
    onChanged();
    write.resolve(write.row ?? rowIn(answer));
  }

  /** What a write left behind is what the makers of later ones saw. */
  #noteResult({ id, row, values }: Write, etag: string | undefined): void {
    const { queue } = this.#parts;
    noteVersion(this.#options.versions, row, etag);
    for (const later of queue.writes.filter(({ after }) => after === id)) {
      const base = typeof row === "object" && row !== null ? row : { ...later.base, ...values };
      queue.change(later, isStrong(etag) ? { etag, base: undefined } : { base });
    }
  }

  /** The server has another version: whoever made the write decides. Gives the time to wait. */
  async #conflicted(write: Write, problem: Problem, url: string): Promise<number | undefined> {
    const { http, clock, callbacks } = this.#options;
    const { queue, onChanged } = this.#parts;
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
    queue.replace(write, again);
    onChanged();
    return retryWaitMs(write.rounds, clock.random());
  }

  #refuse(write: Write, error: Error): void {
    const { queue, onChanged } = this.#parts;
    queue.remove(write, "refuse");
    void queue.forget(write);
    onChanged();
    write.reject(error);
  }
}

function noBatch(): Error {
  return codedError("no-batch", "The server does not take several writes as one: it does not promise batch.");
}

/** Why nothing can be sent to a URL; `undefined` where it can. */
function troubleWith(url: string): Error | undefined {
  if (url.startsWith(temporaryUrl)) {
    return codedError("never-created", "The record was never created, or nothing tells its URL.");
  }
  return url.includes(noUrl) ? new TypeError(`The row ${url} has no URL to write to.`) : undefined;
}
