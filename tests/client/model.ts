import { isDeepStrictEqual } from "node:util";
import { silenceMs } from "../../src/protocol/index.ts";
import { kinds } from "./events.ts";
import { hasEnded, Looked, Replayed } from "./followed.ts";
import { columns, mostFollowed, targetsOf } from "./interferences.ts";
import { overtake } from "./overtaken.ts";
import type { Service } from "./service.ts";
import { type OwnWrite, World, type WorldOptions } from "./world.ts";

const mostStreams = 4;
const mostConnections = 8;

/** The world of a seed. */
function worldOf(seed: number, { createClient, way = "sockets" }: RunOptions): World {
  const hasNoSockets = way === "streams";
  const flavour = seed % 2 === 0 ? "direct" : "derived";
  const older = seed % 11 === 0 ? "level-0" : seed % 13 === 0 ? "naive" : "level-1";
  const kind = way === "sockets" ? older : "level-1";
  const options: WorldOptions = {
    seed,
    hasNoSockets,
    hasStreams: hasNoSockets,
    flavour,
    kind,
    isIdempotent: kind === "level-1" && seed % 3 !== 0,
    wantsToken: kind === "level-1" && seed % 5 === 0,
    hasStorage: seed % 4 < 2,
    maxSubscriptions: way === "few" ? 1 + (seed % 4) : undefined,
    createClient,
  };
  return new World(options);
}

/** Lets things happen at random. Gives how many did. */
async function disturb(world: World, { seen = new Map(), trace, without = [] }: RunOptions): Promise<number> {
  const { random } = world;
  const possible = kinds
    .filter(({ fits, name }) => !without.includes(name) && (fits?.(world) ?? true))
    .flatMap((kind) => Array.from({ length: kind.weight ?? 1 }, () => kind));
  const count = 10 + random.below(20);
  world.latencyMs = () => random.below(5);
  for (let at = 0; at < count; at += 1) {
    const kind = random.pick(possible);
    trace?.(`${world.clock.now()} ${kind.name}`);
    seen.set(kind.name, (seen.get(kind.name) ?? 0) + 1);
    await kind.happen(world);
    await world.clock.advance(random.below(random.pick([1, 10, 60, 1_500])));
    world.check();
  }
  return count;
}

function equal(known: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(known, expected)) {
    throw new Error(`${what}: ${JSON.stringify(known)} instead of ${JSON.stringify(expected)}`);
  }
}

/** The user who left something behind comes back once more, and then the one who is there now. */
async function comeBack(world: World): Promise<void> {
  const { user } = world;
  const isLeft = ({ outcome }: OwnWrite): boolean => outcome === "closed" || outcome === "dropped";
  const left = world.writes.find((write) => write.user !== user && isLeft(write));
  if (!left) return;
  await world.signIn(left.user, false);
  await world.clock.advance(60_000);
  await world.signIn(user, false);
}

/** Lets everything come to rest. */
async function settle(world: World): Promise<void> {
  world.isOffline = world.isBuffering = world.isHanging = world.isTokenWrong = false;
  world.isBlocked = world.hasNoSockets;
  world.latencyMs = () => 1;
  world.mangle = (data) => [data];
  world.answersToLose = world.service.refusePromises = world.callbacksToThrow = 0;
  world.service.refuseReads.length = world.service.refuseWrites.length = 0;
  if (!world.hub) world.service.start();
  await comeBack(world);
  // What the network does at last is to break what there is, but for a socket.
  for (const stream of world.streams) stream.fail();
  // A connection that is dead ends with what was said in it last, and that may be a refusal.
  await world.clock.advance(silenceMs + 4_000);
  // What was refused for good is asked for again by whoever still wants it, for all who look.
  const failed = world.followed.filter(hasEnded);
  for (const one of failed.filter((each) => each instanceof Replayed && each.isOver)) {
    one.stop();
    world.followed.splice(world.followed.indexOf(one), 1);
    world.replay(one.target);
  }
  const way = world.random.below(3);
  if (way === 0) world.client.renew();
  for (const one of failed) {
    const { client } = world;
    const other = /\d$/.test(one.target) ? client.record(one.target) : client.collection(one.target);
    const live = one instanceof Looked ? one.live : other;
    if (way === 1) live.ready().catch(() => {});
    else if (way === 2) live.subscribe(() => {})();
  }
  // Where streams were held back, they are tried again after five minutes.
  await world.clock.advance(world.hasNoSockets ? 450_000 : 150_000);
  world.check();
}

function isExcused({ refused, turnedAway }: Service, tag: string): boolean {
  return refused.has(tag) || turnedAway.has(tag);
}

function checkWrites({ writes, service, hasStorage }: World): void {
  for (const { tag, outcome, isKept, isGuarded, doneAtLogout, after = tag } of writes) {
    const count = service.applied.get(tag) ?? 0;
    const what = `${tag} is ${outcome}${isKept ? ", kept" : ""}: it was done`;
    if (count > 1) throw new Error(`${what} ${count} times.`);
    if (outcome === "dropped" && count > doneAtLogout) throw new Error(`${what}, after its user had logged out.`);
    if (outcome === "pending") throw new Error(`${what} ${count} times, and nobody is told.`);
    if (outcome === "resolved" && count !== 1 && !service.refused.has(tag)) throw new Error(`${what} not at all.`);
    // One that was done may be repeated with a token that is none by then: nobody can tell.
    if (outcome === "refused" && count !== 0 && !service.turnedAway.has(tag)) throw new Error(`${what}.`);
    if (outcome === "unknown" && service.options.isIdempotent && !(isGuarded && count === 0))
      throw new Error(`${what} ${count} times.`);
    if (outcome === "closed" && isKept && hasStorage && service.options.isIdempotent) {
      // That the record is another than the one that was seen, the client may find without the server's refusal.
      const isExcusable = isGuarded || isExcused(service, tag) || isExcused(service, after);
      if (count === 0 && !isExcusable) throw new Error(`${what} not at all.`);
    }
  }
}

/** A document that is one record comes in its envelope where nothing says what that is. */
function recordOf(row: unknown): unknown {
  const { record } = row as { record?: unknown };
  return record ?? row;
}

/** True where a client has all the connections that it may, and follows more than they may, or did a moment ago. */
function isPoolFull({ sockets, service }: World): boolean {
  return sockets.size === mostConnections && service.options.maxSubscriptions === 1;
}

function checkRows(world: World): void {
  const isLevel0 = world.kind !== "level-1";
  for (const one of world.followed) {
    const expected = world.service.expected(one.target);
    const rows = one.rows()?.map(recordOf);
    const what = `${one.constructor.name} ${one.target} (${one.state})`;
    if (expected === undefined) {
      equal(rows, undefined, what);
      continue;
    }
    const byId = (list: readonly unknown[]) => [...(list as { id: number }[])].sort((a, b) => a.id - b.id);
    equal(rows && isLevel0 ? byId(rows) : rows, expected, what);
    // Only so many streams, or connections, are open at once.
    const isFull = world.hasNoSockets ? world.streams.size === mostStreams : isPoolFull(world);
    if (!isFull || one.state !== "polling") equal(one.state, "live", `the state of ${what}`);
    if (!one.isSettled) throw new Error(`${what} shows something that is pending.`);
  }
}

/** Lets others overtake own writes: what is shown is right soon after, and not only once a heartbeat comes. */
async function overtakeAll(world: World): Promise<void> {
  checkRows(world);
  await overtake(world);
  // The record that it follows was destroyed: whoever wants the one that has its URL by now asks for that.
  for (const one of world.followed.filter(hasEnded)) {
    one.stop();
    world.followed.splice(world.followed.indexOf(one), 1);
  }
  try {
    checkRows(world);
  } catch (error) {
    throw new Error(`${(error as Error).message}, a moment after what was overtaken`);
  }
}

/** Holds what is left against what must be, and ends the client. */
async function conclude(world: World): Promise<void> {
  checkRows(world);
  checkWrites(world);
  world.client.close();
  equal(world.clientClock.timers, 0, "timers of a closed client");
  await world.clock.settle();
  equal(world.clientClock.timers, 0, "timers of a closed client, a moment later");
  for (const one of world.followed) one.stop();
  equal(world.clientClock.timers, 0, "timers of a closed client that nobody follows");
  await world.clock.advance(10);
  equal([...world.sockets].filter(({ isDead }) => !isDead).length, 0, "open sockets");
  equal(world.streams.size, 0, "open streams");
  world.check();
  await world.stop();
}

/** What of a run is wanted. */
export interface RunOptions {
  /** Counts how often which event happened. */
  readonly seen?: Map<string, number>;
  /** Told of each event. */
  readonly trace?: (text: string) => void;
  /** Kinds of events that don't happen: those that are younger than a seed that is kept. */
  readonly without?: readonly string[];
  readonly createClient?: WorldOptions["createClient"];
  /** How clients follow: where no socket passes, by streams; by sockets that may follow few URLs each. Default `sockets`. */
  readonly way?: "sockets" | "streams" | "few";
}

/** A whole run. Gives how many events it had. @throws Error where something is not as it must be */
export async function run(seed: number, options: RunOptions = {}): Promise<number> {
  const world = worldOf(seed, options);
  try {
    for (let count = world.random.below(5); count > 0; count -= 1) {
      world.service.write([{ name: "a", columns: columns(world) }]);
    }
    world.look("/a");
    world.replay("/a");
    const most = mostFollowed(world) - 2;
    if (options.way === "few") for (const target of new Set(targetsOf(world).slice(-most))) world.look(target);
    const events = await disturb(world, options);
    await settle(world);
    await overtakeAll(world);
    await conclude(world);
    return events;
  } finally {
    world.client.close();
  }
}
