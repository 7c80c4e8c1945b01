import type { HttpResponse, Problem } from "../protocol/index.ts";
import type { ClientClock } from "./clock.ts";
import type { Feed } from "./feed.ts";
import type { Following, Transport } from "./transport.ts";

/** How long a tab waits for the one that has the connection, until it makes its own. */
const patienceMs = 5_000;

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
  | { readonly kind: "leader" | "wake" }
  | { readonly kind: "follow" | "unfollow"; readonly from: string; readonly target: string }
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
      readonly problem: Problem | undefined;
    };

/** A bookmark at a position. */
function bookmark(position: string | undefined): HttpResponse {
  return { status: 304, reason: "", fields: position === undefined ? [] : [["Event-ID", position]], body: "" };
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
  readonly #followings: Map<Following, () => void> = new Map();
  /** In the leader: what other tabs follow, by their id and the URL. */
  readonly #others: Map<string, () => void> = new Map();
  readonly #abort: AbortController = new AbortController();
  #isAlone = false;
  #release: () => void = () => {};
  #cancelPatience: () => void = () => {};

  constructor(own: Transport, options: TabsOptions) {
    this.#own = own;
    this.#options = options;
    this.#channel = new BroadcastChannel(options.name);
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    navigator.locks.request(options.name, { signal: this.#abort.signal }, () => this.#lead()).catch(() => {});
  }

  follow(following: Following): () => void {
    this.#followings.set(following, this.#begin(following));
    return () => {
      this.#followings.get(following)?.();
      this.#followings.delete(following);
    };
  }

  renew(): void {
    this.#own.renew();
  }

  wake(): void {
    this.#own.wake();
    // The tab that has the connection may be hidden, where its timers are slow.
    if (!this.#isAlone) this.#say({ kind: "wake" });
  }

  close(): void {
    this.#abort.abort();
    this.#cancelPatience();
    for (const end of [...this.#followings.values(), ...this.#others.values()]) end();
    this.#own.close();
    this.#channel.close();
    this.#release();
  }

  #begin(following: Following): () => void {
    if (this.#isAlone) return this.#own.follow(following);
    const { target } = following;
    this.#say({ kind: "follow", from: this.#id, target });
    this.#wait();
    return () => this.#say({ kind: "unfollow", from: this.#id, target });
  }

  /** The lock is had: this tab makes the connection, and keeps the lock until it closes. */
  #lead(): Promise<void> {
    const held = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    this.#goAlone();
    this.#say({ kind: "leader" });
    return held;
  }

  #goAlone(): void {
    this.#isAlone = true;
    this.#cancelPatience();
    for (const [following, end] of this.#followings) {
      end();
      following.sink.lost(false);
      this.#followings.set(following, this.#own.follow(following));
    }
  }

  /** A leader that says nothing (it is stopped, or its tab is frozen) is not waited for. */
  #wait(): void {
    this.#cancelPatience();
    this.#cancelPatience = this.#options.clock.setTimer(() => this.#goAlone(), patienceMs);
  }

  #say(note: Note): void {
    if (!this.#abort.signal.aborted || note.kind === "unfollow") this.#channel.postMessage(note);
  }

  #heard(note: Note): void {
    switch (note.kind) {
      case "leader":
        if (this.#isAlone) return;
        for (const { target } of this.#followings.keys()) this.#say({ kind: "follow", from: this.#id, target });
        return;
      case "wake":
        if (this.#isAlone) this.#own.wake();
        return;
      case "follow":
        // A tab without the lock is never asked: it may be alone only for want of an answer.
        if (this.#isAlone) this.#serve(note.from, note.target);
        return;
      case "unfollow":
        this.#others.get(`${note.from} ${note.target}`)?.();
        this.#others.delete(`${note.from} ${note.target}`);
        return;
      default:
        if (note.to === this.#id && !this.#isAlone) this.#told(note);
    }
  }

  #serve(to: string, target: string): void {
    const key = `${to} ${target}`;
    this.#others.get(key)?.();
    const feed = this.#options.feedOf(target);
    const tellState = () => {
      const { status, isCaughtUp, position } = feed;
      const state = isCaughtUp ? "live" : status.state;
      this.#say({ kind: "state", to, target, state, position, problem: status.problem });
    };
    const tellBatch = (batch: readonly HttpResponse[]) => {
      this.#say({ kind: "batch", to, target, batch });
    };
    const unlisten = feed.listen({ messages: tellBatch, changed: tellState });
    this.#others.set(key, unlisten);
    const whole = feed.replica.snapshot(feed.position);
    if (whole) tellBatch([whole]);
    tellState();
  }

  #told(note: Extract<Note, { readonly to: string }>): void {
    this.#cancelPatience();
    for (const { target, sink } of this.#followings.keys()) {
      if (target !== note.target) continue;
      if (note.kind === "batch")
        for (const [at, one] of note.batch.entries()) sink.take(one, at === note.batch.length - 1);
      else if (note.problem) sink.fail(note.problem);
      else if (note.state !== "live") sink.lost(note.state === "offline");
      else if (!sink.isCaughtUp || note.position !== sink.position) {
        sink.take(bookmark(note.position));
        sink.take(bookmark(note.position));
      }
    }
  }
}

/** Shares a transport among tabs; for platforms that have locks and channels. */
export function shareAmongTabs(own: Transport, options: TabsOptions): Transport {
  return new SharedTransport(own, options);
}
