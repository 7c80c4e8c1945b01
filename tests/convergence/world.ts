import type { Field, HttpResponse } from "../../src/protocol/index.ts";
import { awaitChange, type Clock, type Hub, type HubOptions, type Origin } from "../../src/server/index.ts";
import type {
  FakeClock,
  MemoryPeer,
  MemoryPeerOptions,
  MemoryStore,
  MemoryStoreOptions,
  Random,
} from "../../src/testing/index.ts";
import type { ConnectionHistory, History, Mark, Stream } from "./history.ts";
import type { Call, Peer, Surroundings } from "./surroundings.ts";
import { type JournalCounts, JournalPast, type Unruliness, UnrulyJournal } from "./unruly-journal.ts";
import { drawTarget, type Target } from "./views.ts";
import { collections, Writer } from "./writer.ts";

/** What is tested: the sources, or a copy of the built package with a defect in it. */
export interface System {
  createHub(options: HubOptions): Hub;
  createMemoryStore(options: MemoryStoreOptions): MemoryStore;
  createFakeClock(seed?: number): FakeClock;
  connectMemoryPeer(hub: Hub, target: string, options?: Omit<MemoryPeerOptions, "target">): Promise<MemoryPeer>;
}

/** The sizes and delays of one run. */
export interface Setting {
  readonly pageChanges: number;
  readonly maxRecentChanges: number;
  readonly maxUnsentBytes: number;
  readonly tailDelayMs: number;
  readonly readDelayMs: number;
  readonly readFailures: number;
  readonly latencyMs: number;
  readonly paddingBytes: number;
  readonly readers: number;
  readonly steps: number;
}

/** Draws the setting of a run. */
export function drawSetting(random: Random): Setting {
  const isHeavy = random.chance(0.06);
  return {
    pageChanges: random.pick([1, 2, 5, 1_000]),
    maxRecentChanges: random.pick([0, 3, 12, 10_000]),
    maxUnsentBytes: random.pick([1_024, 2_048, 8_192]),
    tailDelayMs: random.pick([0, 0, 2, 20]),
    readDelayMs: random.pick([0, 1, 10]),
    readFailures: random.pick([0, 0, 0, 0.2]),
    latencyMs: random.pick([0, 1, 30]),
    paddingBytes: isHeavy ? 12_000 : random.pick([1, 40, 300]),
    readers: 2 + random.below(4),
    steps: 30 + random.below(40),
  };
}

/** The most that one turn adds to what is unsent: four pieces of 64 KiB. */
const overshootBytes = 4 * 64 * 1_024;

/** Everything on the server's side of a run, and the records of what happened. */
export class World implements Surroundings {
  readonly system: System;
  readonly random: Random;
  readonly setting: Setting;
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly past: JournalPast = new JournalPast();
  readonly writer: Writer;
  readonly counts: JournalCounts = { reads: 0, pages: 0, cutPages: 0, trimmedReads: 0, failures: 0, mergedBatches: 0 };
  readonly streams: Stream[] = [];
  readonly connections: ConnectionHistory[] = [];
  /** Errors that the hub told of. */
  readonly errors: string[] = [];
  hub: Hub;
  journal: UnrulyJournal;

  constructor(system: System, random: Random, setting: Setting) {
    this.system = system;
    this.random = random;
    this.setting = setting;
    this.clock = system.createFakeClock(random.below(1_000_000));
    const latencyMs = () => this.#upTo(setting.latencyMs);
    this.store = system.createMemoryStore({ collections, clock: this.clock satisfies Clock, latencyMs });
    this.writer = new Writer(this.store, this.past, random, setting.paddingBytes);
    this.journal = this.#openJournal();
    this.hub = this.#openHub();
  }

  /** The store's origin, with positions named by the journal's segment of the time of the read. */
  readonly origin: Origin = async (request) => {
    const { segment } = this.past;
    const response = await this.store.origin(request);
    if (!response.view) return response;
    return { ...response, view: { ...response.view, eventId: this.past.name(segment, response.view.position) } };
  };

  /** A new process over the same database. What the old one still has on its way comes to nothing. */
  restart(isLost: boolean): void {
    this.journal.detach();
    void this.hub.close(0);
    this.past.begin(isLost);
    this.journal = this.#openJournal();
    this.hub = this.#openHub();
  }

  get now(): number {
    return this.clock.now();
  }

  readonly isHeadExact = true;

  get head(): number {
    return this.writer.head;
  }

  get horizon(): number {
    return this.writer.head;
  }

  get epoch(): number {
    return this.past.epoch;
  }

  get reads(): number {
    return this.counts.reads;
  }

  mark(eventId: string): Mark | undefined {
    return this.past.mark(eventId);
  }

  isKnown(eventId: string): boolean {
    return this.journal.isKnown(eventId);
  }

  nonsense(): string {
    const beyond = this.past.name(this.past.segment, this.head + 1_000_000);
    return this.random.pick(["never-heard-of:3.0", "nonsense", "d-5f3a", "s0:1", "s0:01.7", beyond]);
  }

  drawTarget(): Target {
    return drawTarget(this.random);
  }

  connect({ level, target, fields, onMessage, stream }: Call): Promise<Peer> {
    const host: Field = ["Host", "example.com"];
    const way = { level, fields: [host, ...fields], onMessage, ...(stream && { stream }) };
    return this.system.connectMemoryPeer(this.hub, target, way);
  }

  async poll(target: string, lastEventId: string, signal: AbortSignal): Promise<HttpResponse | undefined> {
    const handshake = { level: 1, target, fields: [["Last-Event-ID", lastEventId]] as const } as const;
    const outcome = await awaitChange(this.hub, handshake, { waitMs: 20_000, clock: this.clock, signal });
    // So that nobody asks twice at one moment.
    await new Promise<void>((resolve) => this.clock.setTimer(resolve, 5));
    return outcome === "changed" ? this.get(target) : { status: 304, reason: "", fields: outcome, body: "" };
  }

  async get(target: string): Promise<HttpResponse> {
    const response = await this.origin({ method: "GET", target, fields: [], body: "" });
    const position: Field[] = response.view ? [["Event-ID", response.view.eventId]] : [];
    return { ...response, reason: "", fields: [...response.fields, ...position] };
  }

  /** Ends the run: its history. */
  history(): History {
    return {
      transactions: this.writer.transactions,
      aborted: this.writer.aborted,
      finalEpoch: this.past.epoch,
      maxUnsentBytes: this.setting.maxUnsentBytes,
      overshootBytes,
      streams: this.streams,
      connections: this.connections,
    };
  }

  #openJournal(): UnrulyJournal {
    const { setting, random } = this;
    const ways: Unruliness = {
      pageChanges: setting.pageChanges,
      tailDelayMs: () => this.#upTo(setting.tailDelayMs),
      readDelayMs: () => this.#upTo(setting.readDelayMs),
      failsToRead: () => random.chance(setting.readFailures),
    };
    return new UnrulyJournal(this.store.journal, this.past, this.clock, ways, this.counts);
  }

  #openHub(): Hub {
    const { maxRecentChanges, maxUnsentBytes } = this.setting;
    return this.system.createHub({
      origin: this.origin,
      journal: this.journal,
      clock: this.clock,
      limits: { maxRecentChanges, maxUnsentBytes },
      onError: (error, { stage }) => this.errors.push(`${stage}: ${error}`),
    });
  }

  #upTo(ms: number): number {
    return ms === 0 ? 0 : this.random.below(ms + 1);
  }
}
