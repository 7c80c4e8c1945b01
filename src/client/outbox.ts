import { fieldValue, type HttpResponse, parseRecordPointer, resolvePointer } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { ClientClock } from "./clock.ts";
import type { Feed } from "./feed.ts";
import type { Http } from "./http.ts";
import { isShown, type Overlaid, type OverlayParts, overlay } from "./overlay.ts";
import { bodyJson, isGatewayStatus, ProblemError, problemOf, retryAfterMs } from "./problem.ts";
import type { RowUrls } from "./row-urls.ts";
import { type ClientStorage, WriteStore } from "./storage.ts";
import { type Conflict, ConflictError, type StoredWrite, temporaryUrl, type Write } from "./write.ts";

/** How long a write may take until it counts as lost. */
const writeTimeoutMs = 30_000;

/** What an outbox needs. */
export interface OutboxOptions {
  readonly http: Http;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  /** Where queued writes outlive a reload. */
  readonly storage: ClientStorage | undefined;
  /** Whether the server does a repeated `Idempotency-Key` once; rejects where that can't be asked now. */
  readonly isIdempotent: () => Promise<boolean>;
  /** Told of a write that was left behind and is refused: nobody waits for its promise. */
  readonly onRefused: (error: Error) => void;
  /** Told after each change of what is to be shown. */
  readonly onChanged: () => void;
}

const methods = { create: "POST", update: "PATCH", destroy: "DELETE" } as const;

/** The record in an answer: below the pointer that `Items` tells, or the only member of an envelope that looks like one. */
function rowIn(answer: HttpResponse): unknown {
  const body = bodyJson(answer);
  const pointer = parseRecordPointer(fieldValue(answer.fields, "items") ?? "");
  if (pointer !== undefined) return resolvePointer(body, pointer);
  if (typeof body !== "object" || body === null) return undefined;
  const [only, ...others] = Object.values(body);
  return others.length === 0 && typeof only === "object" && only !== null ? only : body;
}

/** Writes in the order in which they were made, one after another; what can be repeated safely waits for the network. */
export class Outbox {
  /** All that is not yet seen in the streams, oldest first. */
  readonly writes: Write[] = [];
  /** Real URLs by temporary ones, of records that this client created. */
  readonly created: Map<string, string> = new Map();
  readonly #options: OutboxOptions;
  readonly #store: WriteStore | undefined;
  readonly #backoff: Backoff;
  readonly #abort: AbortController = new AbortController();
  /** Until it resolves, what was left behind is not known: nothing is sent ahead of it. */
  readonly #loading: Promise<void> | undefined;
  #isRunning = false;
  #isIdempotent: boolean | undefined;
  #wake: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#store = options.storage && new WriteStore(options.storage, options.http.base.href);
    this.#backoff = new Backoff(options.clock);
    this.#loading = this.#store?.load().then((stored) => {
      const known = new Set(this.writes.map(({ id }) => id));
      const left = stored.filter(({ id }) => !known.has(id));
      // They were made before all that was made here.
      this.writes.unshift(...left.map((write) => queued(write, ignore, options.onRefused)));
      if (left.length > 0) this.#options.onChanged();
    });
    void this.#run();
  }

  /** Sends a write. Resolves with the record as the server answers it. @throws ProblemError, ConflictError, TypeError (network) */
  add(stored: StoredWrite, onConflict?: (conflict: Conflict) => unknown): Promise<unknown> {
    if (this.#abort.signal.aborted) return Promise.reject(new TypeError("The client is closed."));
    return new Promise((resolve, reject) => {
      void this.#store?.put(stored);
      this.writes.push(queued(stored, resolve, reject, onConflict));
      this.#options.onChanged();
      void this.#run();
    });
  }

  /** Tries at once what waits. */
  wake(): void {
    this.#wake();
  }

  /** The rows of a feed with some of the writes laid over them. */
  overlay(parts: Omit<OverlayParts, "created" | "urls">): Overlaid {
    return overlay({ ...parts, created: this.created, urls: this.#options.urls });
  }

  /** True once a feed shows by itself what a write did. @param seen - what came in it since the answer */
  isShown(write: Write, feed: Feed, seen: ReadonlySet<string>): boolean {
    return isShown(write, feed, this.urlOf(write), seen);
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

  /** Removes those that a view shows by now. */
  settle(isSettled: (write: Write) => boolean): void {
    for (const write of this.writes.filter((one) => one.state === "answered" && isSettled(one))) this.#remove(write);
  }

  /** Sends nothing more; what is kept stays kept. */
  close(): void {
    this.#abort.abort();
    this.#wake();
    for (const write of this.writes)
      if (write.state !== "answered") write.reject(new TypeError("The client is closed."));
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
      this.#isIdempotent ??= await this.#options.isIdempotent();
    } catch {
      return this.#backoff.next();
    }
    // What can't be repeated must not be found by the next page: it may have been done.
    if (!this.#isIdempotent && !this.#abort.signal.aborted) await this.#store?.remove(write.id);
    if (this.#abort.signal.aborted) return undefined;
    const wasSent = write.state === "sent";
    write.state = "sent";
    const url = this.created.get(write.url) ?? write.url;
    if (url.startsWith(temporaryUrl)) {
      this.#refuse(write, new TypeError("The record was never created."));
      return undefined;
    }
    const answer = await this.#request(write, url).catch((error: Error) => error);
    if (this.#abort.signal.aborted) return undefined;
    if (answer instanceof Error || isGatewayStatus(answer.status)) {
      if (this.#isIdempotent) {
        return this.#backoff.next(answer instanceof Error ? 0 : retryAfterMs(answer, Date.now()));
      }
      this.#refuse(write, answer instanceof Error ? answer : new ProblemError(problemOf(answer)));
      return undefined;
    }
    this.#backoff.reset();
    const isGone = write.kind === "destroy" && wasSent && (answer.status === 404 || answer.status === 410);
    if (answer.status < 300 || isGone) this.#answered(write, answer, url);
    else await this.#refused(write, answer, url);
    return undefined;
  }

  async #request(write: Write, url: string): Promise<HttpResponse> {
    const { http, clock } = this.#options;
    const headers: Record<string, string> = { Accept: "application/json" };
    if (this.#isIdempotent) headers["Idempotency-Key"] = `"${write.id}"`;
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
      if (location !== undefined) {
        const { pathname, search } = new URL(location, new URL(url, this.#options.http.base));
        this.#named(temporaryUrl + write.id, pathname + search);
      }
    }
    this.#options.urls.set(write.row, this.created.get(temporaryUrl + write.id) ?? url);
    void this.#store?.remove(write.id);
    this.#options.onChanged();
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
      .catch(() => undefined);
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
    this.#options.onChanged();
  }

  #refuse(write: Write, error: Error): void {
    this.#remove(write);
    void this.#store?.remove(write.id);
    this.#options.onChanged();
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
