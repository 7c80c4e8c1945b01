import { type Field, type HttpResponse, isValue, type Problem } from "../protocol/index.ts";
import { checkedMessage } from "./checked.ts";
import type { ClientClock } from "./clock.ts";
import type { Feed } from "./feed.ts";
import { next } from "./machine.ts";
import { type TabEvent, type TabState, tabTransitions } from "./tab-state.ts";
import type { Sink, Transport } from "./transport.ts";
import { writeWhole } from "./whole.ts";

/** How long a tab waits for the one that has the connection, until it makes its own. */
const patienceMs = 5_000;

/** How often the tab that has the connection says that it is there. Timers of hidden tabs may wait for a minute. */
const aliveMs = 20_000;
/** A tab that was not heard for so long is not waited for any more. */
const silentMs = 90_000;

/** What sharing needs. */
export interface TabsOptions {
  /** Tabs that share say the same name. */
  readonly name: string;
  readonly clock: ClientClock;
  /** The feed of a URL in this tab, for those who ask from other tabs. */
  readonly feedOf: (target: string) => Feed;
}

/** What tabs say to each other. */
type Note =
  | { readonly kind: "leader" | "alive" | "wake" | "renew" }
  | { readonly kind: "follow" | "unfollow" | "anew"; readonly from: string; readonly target: string }
  | {
      readonly kind: "batch";
      readonly to: string;
      readonly target: string;
      readonly batch: readonly HttpResponse[];
    }
  | {
      readonly kind: "state";
      readonly to: string;
      readonly target: string;
      readonly state: string;
      readonly position: string | undefined;
      readonly intervalMs: number | undefined;
      readonly askedAt: number | undefined;
      readonly problem: Problem | undefined;
      readonly refusal: Problem | undefined;
    };

function checkedProblem(said: unknown): Problem | undefined {
  const { status, detail } = Object(said);
  return Number.isInteger(status) ? { ...Object(said), detail: typeof detail === "string" ? detail : "" } : undefined;
}

/** What a tab said; `undefined` for what none says. */
function checkedNote(data: unknown): Note | undefined {
  const { kind, from, to, target, state, position, intervalMs, askedAt, problem, refusal, batch } = Object(data);
  const areTexts = (...texts: readonly unknown[]): boolean => texts.every((text) => typeof text === "string");
  if (kind === "leader" || kind === "alive" || kind === "wake" || kind === "renew") return { kind };
  if ((kind === "follow" || kind === "unfollow" || kind === "anew") && areTexts(from, target))
    return { kind, from, target };
  if (kind === "batch" && areTexts(to, target) && Array.isArray(batch)) {
    const messages = batch.flatMap((one) => checkedMessage(one) ?? []);
    return messages.length === batch.length ? { kind, to, target, batch: messages } : undefined;
  }
  const place = position === undefined ? "" : position;
  if (kind !== "state" || !areTexts(to, target, state, place) || !isValue(place)) return undefined;
  const isInterval = Number.isInteger(intervalMs) && intervalMs > 0;
  const times = { intervalMs: isInterval ? intervalMs : undefined, askedAt: Number(askedAt) || undefined };
  return {
    kind,
    to,
    target,
    state,
    position,
    ...times,
    problem: checkedProblem(problem),
    refusal: checkedProblem(refusal),
  };
}

/** A bookmark at a position; it says whether there may be something new that the server has not seen [R-DER-10]. */
function bookmark({ position, state, target }: Extract<Note, { readonly kind: "state" }>): HttpResponse {
  const place: Field[] = position === undefined ? [] : [["Event-ID", position]];
  const unseen: Field = state === "behind" ? ["Stale", "?1"] : ["Subscription", target];
  return { status: 304, reason: "", fields: [...place, unseen], body: "" };
}

/** Whether a view stands as the tab with the connection says. */
function isAsTold(sink: Sink, note: Extract<Note, { readonly kind: "state" }>): boolean {
  const { state, position, intervalMs, askedAt } = note;
  const isSame = position === sink.position && intervalMs === sink.intervalMs;
  const isAsked = askedAt === undefined || askedAt === sink.askedAt;
  return isSame && isAsked && sink.isCaughtUp && sink.isUnseen === (state === "behind");
}

/**
 * Shares one connection among the tabs of a browser. The tab that holds the lock has it; the others follow through a
 * channel, and one of them takes over, each view resumed at its position, when that tab is gone.
 */
class SharedTransport implements Transport {
  readonly #own: Transport;
  readonly #options: TabsOptions;
  readonly #id: string = crypto.randomUUID();
  readonly #channel: BroadcastChannel;
  readonly #followings: Map<Sink, () => void> = new Map();
  /** In the leader: what other tabs follow, by their id and the URL. */
  readonly #others: Map<string, () => void> = new Map();
  /** Other tabs whose end is awaited. */
  readonly #watched: Set<string> = new Set();
  readonly #abort: AbortController = new AbortController();
  #state: TabState = "unknown";
  readonly #releases: (() => void)[] = [];
  #cancelPatience: () => void = () => {};
  #cancelBeat: () => void = () => {};

  constructor(own: Transport, options: TabsOptions) {
    this.#own = own;
    this.#options = options;
    this.#channel = new BroadcastChannel(options.name);
    this.#channel.onmessage = ({ data }) => this.#heardSafely(data);
    this.#lock(options.name, () => {
      this.#goAlone();
      this.#say({ kind: "leader" });
      return this.#held();
    });
    // Held as long as this tab lives: others see by it that it is gone. So nothing is asked of them before.
    this.#lock(this.#nameOf(this.#id), () => {
      this.#move("known");
      this.#ask();
      return this.#held();
    });
  }

  follow(sink: Sink): () => void {
    this.#followings.set(sink, this.#begin(sink));
    return () => {
      this.#followings.get(sink)?.();
      this.#followings.delete(sink);
    };
  }

  askAnew(sink: Sink): void {
    if (this.#isAlone()) this.#own.askAnew(sink);
    else this.#say({ kind: "anew", from: this.#id, target: sink.target });
  }

  renew(): void {
    this.#own.renew();
    // What the tab that has the connection gives the server are its own credentials: it asks for others, too.
    if (!this.#isAlone()) this.#say({ kind: "renew" });
  }

  wake(): void {
    this.#own.wake();
    // The tab that has the connection may be hidden, where its timers are slow.
    if (!this.#isAlone()) this.#say({ kind: "wake" });
  }

  close(): void {
    this.#abort.abort();
    for (const end of [...this.#followings.values(), ...this.#others.values()]) end();
    this.#followings.clear();
    this.#others.clear();
    this.#cancelPatience();
    this.#cancelBeat();
    this.#move("close");
    this.#own.close();
    this.#channel.close();
    for (const release of this.#releases) release();
  }

  #move(event: TabEvent): void {
    this.#state = next(tabTransitions, this.#state, event);
  }

  /** Whether it has a connection of its own. */
  #isAlone(): boolean {
    return this.#state === "alone";
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #nameOf(id: string): string {
    return `${this.#options.name} ${id}`;
  }

  #lock(name: string, hold: () => unknown): void {
    // It may be granted while this tab closes: then it goes to the next one.
    const holdIfOpen = (): unknown => (this.#isClosed() ? undefined : hold());
    navigator.locks.request(name, { signal: this.#abort.signal }, holdIfOpen).catch(() => {});
  }

  /** Until this tab closes. */
  #held(): Promise<void> {
    return new Promise((resolve) => this.#releases.push(resolve));
  }

  #begin(sink: Sink): () => void {
    if (this.#isAlone()) return this.#own.follow(sink);
    if (this.#isClosed()) return () => {};
    const { target } = sink;
    if (this.#state === "following") this.#say({ kind: "follow", from: this.#id, target });
    this.#cancelPatience();
    this.#cancelPatience = this.#options.clock.setTimer(() => this.#goAlone(), patienceMs);
    return () => this.#say({ kind: "unfollow", from: this.#id, target });
  }

  /** Asks the tab that has the connection for all that is followed here. */
  #ask(): void {
    if (this.#state !== "following") return;
    for (const { target } of this.#followings.keys()) this.#say({ kind: "follow", from: this.#id, target });
  }

  #goAlone(): void {
    this.#move("alone");
    this.#cancelPatience();
    for (const [sink, end] of this.#followings) {
      end();
      sink.lost(false);
      this.#followings.set(sink, this.#own.follow(sink));
    }
  }

  /** A leader that says nothing (it is stopped, or its tab is frozen) is not waited for. */
  #wait(ms: number): void {
    this.#cancelPatience();
    if (this.#isAlone() || this.#followings.size === 0) return;
    this.#cancelPatience = this.#options.clock.setTimer(() => this.#goAlone(), ms);
  }

  /** Says at intervals that this tab is there, while another one counts on it. */
  #beat(): void {
    this.#cancelBeat();
    if (this.#others.size === 0) return;
    this.#cancelBeat = this.#options.clock.setTimer(() => {
      this.#say({ kind: "alive" });
      this.#beat();
    }, aliveMs);
  }

  /** A tab that is gone follows nothing more, though it could not say so. */
  #watch(id: string): void {
    if (this.#watched.has(id)) return;
    this.#watched.add(id);
    this.#lock(this.#nameOf(id), () => {
      this.#watched.delete(id);
      for (const key of [...this.#others.keys()]) if (key.startsWith(`${id} `)) this.#drop(key);
    });
  }

  #drop(key: string): void {
    this.#others.get(key)?.();
    this.#others.delete(key);
  }

  #say(note: Note): void {
    if (!this.#isClosed()) this.#channel.postMessage(note);
  }

  /** What other pages say is checked like what a peer sends. */
  #heardSafely(data: unknown): void {
    try {
      const note = checkedNote(data);
      if (note && !this.#isClosed()) this.#heard(note);
    } catch {
      // What that tab tells is nothing to go by.
      if (!this.#isAlone()) this.#goAlone();
    }
  }

  #heard(note: Note): void {
    switch (note.kind) {
      case "leader":
        this.#ask();
        return;
      case "alive":
        this.#wait(silentMs);
        return;
      case "wake":
        if (this.#isAlone()) this.#own.wake();
        return;
      case "renew":
        if (this.#isAlone()) this.#own.renew();
        return;
      case "follow":
        // A tab without the lock is never asked: it may be alone only for want of an answer.
        if (this.#isAlone()) this.#serve(note.from, note.target);
        return;
      case "anew":
        if (this.#isAlone()) this.#own.askAnew(this.#options.feedOf(note.target));
        return;
      case "unfollow":
        this.#drop(`${note.from} ${note.target}`);
        return;
      default:
        if (note.to === this.#id && !this.#isAlone()) this.#told(note);
    }
  }

  #serve(to: string, target: string): void {
    const key = `${to} ${target}`;
    this.#drop(key);
    this.#watch(to);
    const feed = this.#options.feedOf(target);
    const tellState = () => {
      const { status, isCaughtUp, position, intervalMs, askedAt } = feed;
      const state = isCaughtUp && status.state !== "behind" ? "live" : status.state;
      const { problem, refusal } = status;
      this.#say({ kind: "state", to, target, state, position, intervalMs, askedAt, problem, refusal });
    };
    const tellBatch = (batch: readonly HttpResponse[]) => {
      this.#say({ kind: "batch", to, target, batch });
    };
    const unlisten = feed.listen((batch) => {
      if (batch.length > 0) tellBatch(batch);
      tellState();
    });
    this.#others.set(key, unlisten);
    if (this.#others.size === 1) this.#beat();
    const whole = writeWhole(feed);
    if (whole) tellBatch([whole]);
    tellState();
  }

  #told(note: Extract<Note, { readonly to: string }>): void {
    this.#wait(silentMs);
    for (const sink of this.#followings.keys()) {
      if (sink.target !== note.target) continue;
      if (note.kind === "batch")
        for (const [at, one] of note.batch.entries()) sink.take(one, at === note.batch.length - 1);
      else if (note.problem) sink.fail(note.problem);
      else if (note.state !== "live" && note.state !== "behind") sink.lost(note.state === "offline", note.refusal);
      else if (!isAsTold(sink, note)) {
        sink.lookEvery(note.intervalMs);
        sink.take(bookmark(note));
        sink.take(bookmark(note), false, note.askedAt);
      }
    }
  }
}

/** Shares a transport among tabs, where the platform has locks (a secure context) and channels; else it is left alone. */
export function shareAmongTabs(own: Transport, options: TabsOptions): Transport {
  const { navigator, BroadcastChannel } = globalThis as { navigator?: { locks?: unknown }; BroadcastChannel?: unknown };
  return navigator?.locks && BroadcastChannel ? new SharedTransport(own, options) : own;
}
