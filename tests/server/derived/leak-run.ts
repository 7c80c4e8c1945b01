import type { Field } from "../../../src/protocol/index.ts";
import type { createHub, Hub } from "../../../src/server/index.ts";
import { type createFakeClock, createRandom, type FakeClock, type Random } from "../../../src/testing/index.ts";
import { LeakApp, targets, type User } from "./leak-app.ts";
import { LeakCheck, type Times } from "./leak-check.ts";
import { LeakPeer } from "./leak-peer.ts";

/** What is tested: the sources, or a copy of the built package with a defect in it. */
export interface LeakSystem {
  readonly createHub: typeof createHub;
  readonly createFakeClock: typeof createFakeClock;
}

/** What a run came to. */
export interface LeakReport {
  readonly found: readonly string[];
  /** Steps, each as often as somebody followed what it concerned. */
  readonly transitions: number;
  readonly counts: LeakCheck["counts"];
}

const times: Times = { refreshMs: 800, slackMs: 200 };
const peerCount = 22;
const names = Object.keys(targets);
/** What several may share is asked for more often. */
const wanted = [...names, "/tenant", "/tenant", "/flux", "/flux", "/flux", "/public", "/guest"];

class LeakRun {
  readonly #random: Random;
  readonly #clock: FakeClock;
  readonly #app: LeakApp;
  readonly #hub: Hub;
  readonly #check: LeakCheck;
  readonly #peers: LeakPeer[] = [];
  readonly #wanted: readonly string[];
  transitions = 0;

  constructor({ createHub, createFakeClock }: LeakSystem, seed: number, targets: readonly string[]) {
    this.#wanted = targets;
    this.#random = createRandom(seed);
    this.#clock = createFakeClock(seed);
    this.#app = new LeakApp(this.#clock);
    this.#check = new LeakCheck(this.#app, () => this.#clock.now(), times);
    this.#app.latencyMs = () => (this.#random.chance(0.4) ? this.#random.below(40) : 0);
    this.#hub = createHub({
      origin: this.#app.origin,
      clock: this.#clock,
      derived: { coalesceMs: 20, refreshMs: times.refreshMs, maxConcurrentGets: 16, viewer: this.#app.viewer },
      identity: (peer) => ({ address: String(peer) }),
      limits: { maxUnsentBytes: 1024 },
      onError: (error) => {
        throw error;
      },
    });
  }

  async run(steps: number): Promise<LeakReport> {
    for (let step = 0; step < steps; step += 1) {
      this.#step();
      const pause = this.#random.below(100);
      await this.#clock.advance(this.#random.below(pause < 3 ? 1_600 : pause < 12 ? 600 : 40));
      if (this.#check.found.length > 0) break;
    }
    for (const peer of this.#peers) peer.disconnect();
    const closed = this.#hub.close();
    await this.#clock.advance(2_000);
    await closed;
    return { found: this.#check.found, transitions: this.transitions, counts: this.#check.counts };
  }

  #step(): void {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 8) this.#write();
    else if (kind < 12) {
      this.#app.permit(random);
      this.transitions += this.#follows();
    } else if (kind < 13) this.#app.isDown = random.chance(0.2);
    else this.#subscriptionStep(kind);
  }

  #write(): void {
    const id = this.#app.write(this.#random);
    const urls = names.map((name) => (name.startsWith("/record/") ? `/record/${id}` : `${name}/${id}`));
    this.transitions += this.#follows();
    if (this.#random.chance(0.85)) this.#hub.changed(urls);
  }

  #follows(): number {
    return this.#peers.reduce((sum, { followed, isClosed }) => sum + (isClosed ? 0 : followed.size), 0);
  }

  #subscriptionStep(kind: number): void {
    const random = this.#random;
    this.transitions += 1;
    if (this.#peers.length < peerCount || kind < 15) {
      this.#connect();
      return;
    }
    const peer = random.pick(this.#peers);
    if (kind < 16) peer.pause();
    else if (kind < 17) peer.resume();
    else if (kind < 18) peer.subscribe(random.pick(this.#wanted), this.#position(peer));
    else if (kind < 19) {
      const known = random.pick([...peer.followed.keys()]);
      peer.subscribe(known, random.chance(0.7) ? [this.#bearer(random.pick(this.#app.users))] : []);
    } else if (peer.followed.size > 1) {
      const left = random.pick([...peer.followed.keys()]);
      peer.unsubscribe(left);
    }
  }

  #bearer({ name }: User): Field {
    return ["Authorization", `Bearer ${name}`];
  }

  /** A position that somebody was told. */
  #position(peer: LeakPeer): Field[] {
    const all = [peer, this.#random.pick(this.#peers)].flatMap(({ positions }) => [...positions.values()]);
    return all.length > 0 && this.#random.chance(0.4) ? [["Last-Event-ID", this.#random.pick(all)]] : [];
  }

  #connect(): void {
    const random = this.#random;
    const user = random.chance(0.75) ? random.pick(this.#app.users) : undefined;

    const language = random.pick(["de", "fr", undefined]);
    const isPlain = !user && random.chance(0.6);
    const fields: Field[] = [
      ["Host", "example.com"],
      ["User-Agent", random.pick(isPlain ? ["a"] : ["a", "b"])],
      ["X-Forwarded-For", random.pick(isPlain ? ["192.0.2.1"] : ["192.0.2.1", "192.0.2.2"])],
      ...(user ? [user.credential] : []),
      ...(isPlain || language === undefined ? [] : [["Accept-Language", language] as const]),
    ];
    const target = random.pick(this.#wanted);
    const address = random.pick(isPlain ? ["10.0.0.1"] : ["10.0.0.1", "10.0.0.2"]);
    const peer = new LeakPeer(target, fields, address, (sent) => this.#check.check(sent));
    const old = this.#peers.length < peerCount ? this.#peers.length : random.below(peerCount);
    this.#peers[old]?.disconnect();
    this.#peers[old] = peer;
    peer.connection = this.#hub.connect(peer, {
      level: 1,
      target,
      peer: address,
      fields: [...fields, ...this.#position(peer)],
    });
    this.transitions += 1;
  }
}

/** Runs a seed for a number of steps, or until something leaked. @param targets - what is followed */
export function runLeaks(
  system: LeakSystem,
  seed: number,
  steps: number,
  targets: readonly string[] = wanted,
): Promise<LeakReport> {
  return new LeakRun(system, seed, targets).run(steps);
}
