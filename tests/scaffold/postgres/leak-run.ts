import type { Field } from "../../../src/protocol/index.ts";
import { createRandom, type Random } from "../../../src/testing/index.ts";
import { type Connect, LeakFollower } from "./leak-follower.ts";
import { type LeakHistory, type LeakViewer, LeakWorld, type Transition, targets, viewers } from "./leak-world.ts";
import { as } from "./viewer-site.ts";

/** How a run is done. */
export interface LeakRunOptions {
  readonly history: LeakHistory;
  /** The server processes. */
  readonly processes: readonly Connect[];
  readonly seed: number;
  readonly transitions: number;
  /** How long everybody may take to have what a GET shows, in milliseconds, until that is a fault. */
  readonly patienceMs: number;
  /** Who a viewer is to the processes. Default: as a site of these tests has it. */
  readonly whoIs?: (viewer: LeakViewer) => Field;
}

/** What came of a run. */
export interface LeakOutcome {
  readonly faults: readonly string[];
  readonly transitions: number;
  readonly messages: number;
  /** How long a right that was taken away was still shown to somebody, in milliseconds, by how it was taken. */
  readonly revocations: ReadonlyMap<string, readonly number[]>;
}

class LeakRun {
  readonly #options: LeakRunOptions;
  readonly #random: Random;
  readonly #world: LeakWorld;
  readonly #followers: readonly LeakFollower<LeakViewer>[];
  readonly #faults: string[] = [];
  readonly #revocations: Map<string, number[]> = new Map();
  #done = 0;

  constructor(options: LeakRunOptions) {
    const { history, seed, whoIs = ({ role, sub }) => as(role, sub === undefined ? {} : { sub }) } = options;
    this.#options = options;
    this.#random = createRandom(seed);
    this.#world = new LeakWorld(this.#random);
    this.#followers = viewers.flatMap((viewer) =>
      targets.map((target) => new LeakFollower(history, viewer, target, whoIs(viewer))),
    );
  }

  async run(): Promise<LeakOutcome> {
    const { processes, transitions } = this.#options;
    for (const follower of this.#followers) await follower.open(this.#random.pick(processes));
    await this.#settle();
    while (this.#done < transitions && !this.#hasFaults) await this.#round();
    const messages = this.#followers.reduce((sum, follower) => sum + follower.messages, 0);
    return { faults: this.#allFaults, transitions: this.#done, messages, revocations: this.#revocations };
  }

  get #allFaults(): string[] {
    return [...this.#faults, ...this.#followers.flatMap(({ faults }) => faults)];
  }

  get #hasFaults(): boolean {
    return this.#faults.length > 0 || this.#followers.some(({ faults }) => faults.length > 0);
  }

  /** Some transitions, one after another, with some who come again meanwhile; then everybody comes to have what is there. */
  async #round(): Promise<void> {
    const { history, processes } = this.#options;
    const random = this.#random;
    // What is missed for good shows after one transition; after many, the looks for the others would find it.
    const isAlone = random.chance(0.5);
    const count = isAlone ? 1 : 2 + random.below(150);
    let last: Transition | undefined;
    for (let step = 0; step < count; step += 1) {
      last = this.#world.next(history.state);
      await history.run(last);
      this.#done += 1;
      if (random.chance(0.05)) void random.pick(this.#followers).open(random.pick(processes));
      if (random.chance(0.1)) await new Promise<void>((resolve) => setTimeout(resolve, random.below(8)));
    }
    const since = performance.now();
    await this.#settle();
    if (isAlone && last?.revokes) {
      const known = this.#revocations.get(last.revokes) ?? [];
      known.push(performance.now() - since);
      this.#revocations.set(last.revokes, known);
    }
    for (const follower of this.#followers) {
      const mayAgain = history.documentNow(follower.viewer, follower.target).length > 3;
      if (follower.hasEnded && mayAgain) await follower.open(random.pick(processes));
    }
  }

  /** Everybody comes to have what a GET shows; who was sent away before that was so comes again. */
  async #settle(): Promise<void> {
    const { history, processes, patienceMs } = this.#options;
    const end = performance.now() + patienceMs;
    let late = this.#followers;
    for (;;) {
      late = late.filter((follower) => !follower.isCurrent);
      if (late.length === 0 || performance.now() > end) break;
      for (const follower of late) if (follower.hasEnded) await follower.open(this.#random.pick(processes));
      await new Promise<void>((resolve) => setTimeout(resolve, 2));
    }
    for (const { viewer, target, document, last } of late) {
      const now = history.documentNow(viewer, target);
      this.#faults.push(`${viewer.name} at ${target} has ${document}, and a GET shows ${now}\n${last}`);
    }
  }
}

/** Runs transitions over server processes that follow one database, and tells whatever somebody was shown in vain. */
export function runLeakStory(options: LeakRunOptions): Promise<LeakOutcome> {
  return new LeakRun(options).run();
}
