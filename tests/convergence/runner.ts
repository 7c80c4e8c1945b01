import { createRandom, Replica } from "../../src/testing/index.ts";
import { overFetch } from "./fetch-peer.ts";
import type { History } from "./history.ts";
import { Level0Reader } from "./level-0-reader.ts";
import { Level1Reader } from "./level-1-reader.ts";
import { PatchReader } from "./patch-reader.ts";
import { PollReader } from "./poll-reader.ts";
import type { Reader } from "./reader.ts";
import type { JournalCounts } from "./unruly-journal.ts";
import { violationsOf } from "./validators.ts";
import { drawSetting, type System, World } from "./world.ts";

/** What a run came to. */
export interface Outcome {
  readonly seed: number;
  /** Breaches of promises and replicas that differ from a GET, each as a sentence. */
  readonly violations: readonly string[];
  readonly history: History;
  readonly counts: JournalCounts;
  /** Errors that the server told of. */
  readonly errors: readonly string[];
  /** The names of clients that held something in the end. */
  readonly held: readonly string[];
  /** What the run did, for the coverage. */
  readonly deeds: ReadonlyMap<string, number>;
}

const quietMs = 400;
const maxQuietRounds = 40;

/** The ways in which a client is told what changes: by sockets at both levels, or by each of the transports that there are. */
export type Transports = "sockets" | "all";

/** A client of each transport. */
const clients: readonly ((world: World, name: string) => Reader)[] = [
  (world, name) => new Level1Reader(world, `${name} socket`),
  (world, name) => new Level1Reader(world, `${name} event stream`, "event-stream"),
  (world, name) => new Level1Reader(world, `${name} HTTP stream`, "http-stream"),
  (world, name) => new PatchReader(world, `${name} patch stream`),
  (world, name) => new PollReader(world, `${name} long poll`),
  (world, name) => new Level0Reader(world, `${name} Level 0`),
  (world, name) => new Level1Reader(overFetch(world), `${name} event stream by fetch`, "event-stream"),
  (world, name) => new Level1Reader(overFetch(world), `${name} HTTP stream by fetch`, "http-stream"),
  (world, name) => new PatchReader(overFetch(world), `${name} patch stream by fetch`),
  (world, name) => new PollReader(overFetch(world), `${name} long poll by fetch`),
];

/** One run: everything in it follows from the seed. */
class Run {
  readonly world: World;
  readonly readers: readonly Reader[];
  readonly deeds: Map<string, number> = new Map();
  #isDraining = false;

  constructor(system: System, seed: number, transports: Transports) {
    const random = createRandom(seed);
    this.world = new World(system, random, drawSetting(random));
    if (transports === "all") {
      this.readers = clients.map((client, nth) => client(this.world, `r${nth}`));
      return;
    }
    const level0 = random.chance(0.5) ? 1 : 0;
    this.readers = Array.from({ length: this.world.setting.readers }, (_, nth) =>
      nth < level0 ? new Level0Reader(this.world, `r${nth}`) : new Level1Reader(this.world, `r${nth}`),
    );
  }

  async steps(): Promise<void> {
    for (let step = 0; step < this.world.setting.steps; step += 1) {
      this.#act();
      if (this.world.random.chance(0.6)) await this.#pass(this.world.random.below(12));
      if (this.world.random.chance(0.02)) for (let part = 0; part < 5; part += 1) await this.#pass(5_000);
    }
  }

  /** No more writes, nobody is slow: waits until everyone has everything. */
  async rest(): Promise<void> {
    const { clock } = this.world;
    if (this.#isDraining) this.#restart(false);
    for (const reader of this.readers) reader.resume();
    for (let round = 0; round < maxQuietRounds; round += 1) {
      await this.#pass(quietMs);
      for (const reader of this.readers) if (!reader.isConnected) reader.connect(true);
      if (this.readers.every((reader) => reader.isCaughtUp)) break;
    }
    await clock.advance(quietMs);
    for (const reader of this.readers) reader.finish();
  }

  /** What clients hold and a GET does not show, or the other way round. */
  async differences(): Promise<string[]> {
    const { world } = this;
    const found: string[] = [];
    for (const { name, target, records } of this.readers.flatMap((reader) => reader.held())) {
      const asked = world.store.origin({ method: "GET", target: target.target, fields: [], body: "" });
      await world.clock.advance(world.setting.latencyMs);
      const response = await asked;
      const truth = new Replica(target.view.url);
      if (response.status === 200) truth.take({ ...response, reason: "" });
      const has = JSON.stringify([...records].sort());
      const should = JSON.stringify([...truth.records].sort());
      if (has !== should) found.push(`GET ${target.target} shows ${should}, and ${name} holds ${has}`);
    }
    return found;
  }

  end(): void {
    for (const reader of this.readers) reader.disconnect();
    void this.world.hub.close(0);
  }

  async #pass(ms: number): Promise<void> {
    await (ms === 0 ? this.world.clock.settle() : this.world.clock.advance(ms));
    for (const reader of this.readers) reader.look();
  }

  #note(deed: string): void {
    this.deeds.set(deed, (this.deeds.get(deed) ?? 0) + 1);
  }

  #act(): void {
    const { random } = this.world;
    const dice = random.next();
    if (dice < 0.5) this.#write();
    else if (dice < 0.9) this.#stir(random.pick(this.readers));
    else if (dice < 0.93) this.#trim();
    else if (dice < 0.945) this.#lose();
    else if (dice < 0.97) this.#stop();
    else for (let count = random.below(12); count > 0; count -= 1) this.#write();
  }

  #write(): void {
    const { random, writer, clock } = this.world;
    const isAborted = random.chance(0.12);
    const isReset = !isAborted && random.chance(0.04);
    this.#note(isAborted ? "rolled back" : isReset ? "reset" : "committed");
    writer.write(clock.now(), { isAborted, isReset });
  }

  #stir(reader: Reader): void {
    const { random } = this.world;
    if (!reader.isConnected) {
      if (this.#isDraining) this.#note("connected to a server that stops");
      reader.connect();
      return;
    }
    const dice = random.next();
    if (dice < 0.25) reader.disconnect();
    else if (dice < 0.4) reader.pause();
    else if (dice < 0.6) reader.resume();
    else reader.change();
  }

  #trim(): void {
    const { store, past, writer, random } = this.world;
    const position = past.trimmed + random.below(writer.head - past.trimmed + 1);
    past.trimmed = position;
    store.journal.trim(position);
    this.#note("trimmed");
  }

  #lose(): void {
    this.#note("lost");
    this.world.journal.lose();
  }

  #stop(): void {
    const { random, hub } = this.world;
    if (this.#isDraining || random.chance(0.5)) {
      this.#restart(random.chance(0.2));
      return;
    }
    this.#isDraining = true;
    this.#note("stopped gracefully");
    void hub.close(random.below(60));
  }

  #restart(isLost: boolean): void {
    if (!this.#isDraining) this.#note("killed");
    this.#isDraining = false;
    for (const reader of this.readers) reader.disconnect();
    this.world.restart(isLost);
  }
}

/** Runs the system from a seed to its rest, and judges what happened. */
export async function runSeed(system: System, seed: number, transports: Transports = "sockets"): Promise<Outcome> {
  const run = new Run(system, seed, transports);
  const { world, deeds } = run;
  let failures: string[] = [];
  let held: string[] = [];
  try {
    await run.steps();
    await run.rest();
    failures = await run.differences();
    held = run.readers.flatMap((reader) => reader.held()).map(({ name }) => name);
  } catch (error) {
    failures = [`the run failed: ${error instanceof Error ? error.stack : error}`];
  }
  run.end();
  await world.clock.settle();
  const history = world.history();
  const { counts, errors } = world;
  return { seed, violations: [...failures, ...violationsOf(history)], history, counts, errors, deeds, held };
}
