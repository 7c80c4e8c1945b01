import { journalFailure } from "./failure.ts";
import type { Follower, OwnTick } from "./follower.ts";
import { Hints } from "./hints.ts";
import { Pace } from "./pace.ts";
import type { ResolvedJournalOptions } from "./resolve-options.ts";

/** How long a writer's own tick stands in for a look, in milliseconds: its commit may take longer, and others are not to wait for that. */
const ownMs = 100;
/** How much later than planned a look may end before what it would have found counts as not known. */
const toleratedMs = 1_000;

/** Decides when a follower looks: on its own pace, when somebody hints, and when it is asked. One look at a time. */
export class Looks {
  readonly #follower: Follower;
  readonly #options: ResolvedJournalOptions;
  readonly #pace: Pace;
  #hints: Hints | undefined;
  #running: Promise<unknown> | undefined;
  /** Whether somebody said meanwhile that there is more. */
  #isNudged = false;
  /** The last position that was heard of meanwhile. */
  #heard = Number.NEGATIVE_INFINITY;
  /** How many writers' own ticks are being committed: what is heard meanwhile may be of these. */
  #own = 0;
  /** The look that begins when the running one has ended: for all who asked meanwhile. */
  #next: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Everything that was committed before is known. */
  #knownAt: number;
  #reported: string | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(follower: Follower, options: ResolvedJournalOptions) {
    this.#follower = follower;
    this.#options = options;
    this.#pace = new Pace(options.pollMs, options.idlePollMs);
    this.#knownAt = options.clock.now();
  }

  /** True where it looks by itself, and has long not been able to: the database does not answer, or keeps the journal locked. */
  get isAway(): boolean {
    const { clock, idlePollMs } = this.#options;
    return this.#isStarted && clock.now() - this.#knownAt > idlePollMs + toleratedMs;
  }

  /** Begins to look by itself. Twice is fine. */
  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    this.#knownAt = this.#options.clock.now();
    const { pool, clock, hints } = this.#options;
    if (hints) this.#hints ??= new Hints(pool, clock, (position) => this.#hear(position));
    this.#schedule();
  }

  /** Looks only when it is asked from now on. */
  stop(): void {
    this.#isStarted = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** There is something to be found. */
  nudge(): void {
    this.#pace.quicken();
    if (!this.#isStarted || this.#isClosed) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#running) this.#isNudged = true;
    else this.#tick();
  }

  /** A process has given a position: this one, perhaps, in the look that runs. */
  #hear(position: number): void {
    if (position <= this.#follower.head.position) return;
    if (this.#running || this.#own > 0) this.#heard = Math.max(this.#heard, position);
    else this.nudge();
  }

  /** A writer's own tick is being committed, until the function that is given is called. */
  expect(): () => void {
    this.#own += 1;
    return () => {
      this.#own -= 1;
      if (this.#own > 0 || this.#running) return;
      const heard = this.#heard;
      this.#heard = Number.NEGATIVE_INFINITY;
      this.#hear(heard);
    };
  }

  /**
   * Gives what a writer's own tick has found, as a look does, now that it is committed.
   *
   * @returns whether all that was committed before it, and its own, has been given. If not, that takes a look
   */
  async take(own: OwnTick, askedAt: number): Promise<boolean> {
    // One that runs has its rows, or not.
    await this.#running?.catch(() => undefined);
    if (this.#isClosed || this.#running) return false;
    const found = await this.#run(() => this.#follower.take(own));
    if (found !== "news" && found !== "nothing") return false;
    this.#knownAt = Math.max(this.#knownAt, askedAt);
    this.#putOff();
    return true;
  }

  /** The next look may be as late as if one had been now, unless it has to look at the tables' definitions. */
  #putOff(): void {
    const { clock, lookMs } = this.#options;
    if (!this.#cancelTimer || clock.now() - this.#lookedAt >= lookMs) return;
    this.#cancelTimer();
    this.#cancelTimer = undefined;
    this.#schedule();
  }

  /** Brings the tail up to everything that was committed before the call. */
  poll(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    if (!this.#running) return this.#run(() => this.#catchUp());
    // The look that runs may have begun too early to see it.
    const run = (): Promise<void> => {
      this.#next = undefined;
      return this.poll();
    };
    this.#next ??= this.#running.then(run, run);
    return this.#next;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.stop();
    await this.#hints?.close();
    await this.#running?.catch(() => undefined);
  }

  #run<Result>(task: () => Promise<Result>): Promise<Result> {
    const running = task().finally(() => {
      if (this.#running === running) this.#running = undefined;
      const isBehind = !(this.#heard <= this.#follower.head.position);
      const isNudged = (this.#isNudged || isBehind) && !this.#next;
      this.#isNudged = false;
      this.#heard = Number.NEGATIVE_INFINITY;
      if (isNudged && this.#isStarted && !this.#isClosed) this.#tick();
      else this.#schedule();
    });
    this.#running = running;
    return running;
  }

  async #catchUp(): Promise<void> {
    let found = await this.#advance({ mustWait: true, mustLook: false });
    if (found !== "nothing") this.#pace.quicken();
    while (found === "more") found = await this.#advance({ mustWait: true, mustLook: false });
  }

  async #advance(options: Parameters<Follower["advance"]>[0]): ReturnType<Follower["advance"]> {
    const now = this.#options.clock.now();
    const found = await this.#follower.advance(options);
    if (found !== "more") this.#knownAt = Math.max(this.#knownAt, now);
    return found;
  }

  #schedule(): void {
    if (!this.#isStarted || this.#isClosed || this.#cancelTimer || this.#running || this.#next) return;
    const wait = (waitMs: number, run: () => void): void => {
      this.#cancelTimer = this.#options.clock.setTimer(() => {
        this.#cancelTimer = undefined;
        run();
      }, waitMs);
    };
    const look = (): void => {
      if (!this.#running) this.#tick();
    };
    wait(this.#pace.waitMs, () => (this.#own > 0 ? wait(ownMs, look) : look()));
  }

  #tick(): void {
    this.#run(() => this.#look()).catch((error) => this.#report(error));
  }

  async #look(): Promise<void> {
    const now = this.#options.clock.now();
    const mustLook = now - this.#lookedAt >= this.#options.lookMs;
    try {
      const found = await this.#advance({ mustWait: false, mustLook });
      if (mustLook) this.#lookedAt = now;
      if (found === "nothing") this.#pace.slow();
      else this.#pace.quicken();
      this.#reported = undefined;
    } catch (error) {
      this.#pace.rest();
      throw error;
    }
  }

  /** Each trouble is reported once. */
  #report(error: unknown): void {
    if (this.#isClosed) return;
    const failure = journalFailure(error);
    if (this.#reported === failure.message) return;
    this.#reported = failure.message;
    this.#options.onError(failure, { stage: "poll" });
  }
}
