import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Replica } from "../../src/testing/index.ts";
import { Level0Reader } from "./level-0-reader.ts";
import { Level1Reader } from "./level-1-reader.ts";
import type { Reader } from "./reader.ts";
import { type SqlSystem, SqlWorld } from "./sql-world.ts";
import { storyOf } from "./story.ts";
import { violationsOf } from "./validators.ts";

const quietMs = 50;
const maxQuietRounds = 20;

async function pass(world: SqlWorld, readers: readonly Reader[], ms: number): Promise<void> {
  await world.clock.advance(ms);
  for (const reader of readers) reader.look();
}

async function steps(world: SqlWorld, readers: readonly Reader[], count: number): Promise<void> {
  const { random } = world;
  for (let step = 0; step < count; step += 1) {
    world.writeSql();
    if (random.chance(0.4)) world.writeRest();
    if (random.chance(0.4)) world.writeSql();
    const reader = random.pick(readers);
    if (!reader.isConnected) reader.connect();
    else if (random.chance(0.4)) reader.disconnect();
    else reader.change();
    await pass(world, readers, random.below(6));
  }
}

async function rest(world: SqlWorld, readers: readonly Reader[]): Promise<void> {
  for (let round = 0; round < maxQuietRounds; round += 1) {
    await pass(world, readers, quietMs);
    for (const reader of readers) if (!reader.isConnected) reader.connect(true);
    if (readers.every((reader) => reader.isCaughtUp)) break;
  }
  await pass(world, readers, quietMs);
  for (const reader of readers) reader.finish();
}

async function differences(world: SqlWorld, readers: readonly Reader[]): Promise<string[]> {
  const found: string[] = [];
  for (const { name, target, records } of readers.flatMap((reader) => reader.held())) {
    const response = await world.get(target.target);
    const truth = new Replica(target.view.url);
    if (response?.status === 200) truth.take(response);
    const has = JSON.stringify([...records].sort());
    const should = JSON.stringify([...truth.records].sort());
    if (has !== should) found.push(`GET ${target.target} shows ${should}, and ${name} holds ${has}`);
  }
  return found;
}

async function hangUp(world: SqlWorld, readers: readonly Reader[]): Promise<void> {
  for (const reader of readers) reader.disconnect();
  await world.closeServer();
}

async function judge(world: SqlWorld, readers: readonly Reader[]): Promise<string[]> {
  await rest(world, readers);
  const found = await differences(world, readers);
  await hangUp(world, readers);
  const history = await world.takeHistory();
  const violations = [...found, ...violationsOf(history)];
  if (violations.length > 0 && process.env.ROCKET_SEED) console.error(storyOf({ violations, history }));
  return violations;
}

/** A restart of the server, then a copy of the database and more writes; then the copy takes the database's place. */
async function story(world: SqlWorld): Promise<string[]> {
  const readers: readonly Reader[] = [
    new Level0Reader(world, "r0"),
    ...[1, 2, 3].map((nth) => new Level1Reader(world, `r${nth}`)),
  ];
  await world.openServer();
  await steps(world, readers, 12);
  await hangUp(world, readers);
  world.writeSql();
  await world.openServer();
  await steps(world, readers, 12);
  world.copy();
  await steps(world, readers, 8);
  const found = await judge(world, readers);
  world.restore();
  // Further than the lost writes went, so that their positions are there again.
  for (let count = 0; count < 40; count += 1) world.writeSql();
  await world.openServer();
  for (const reader of readers) reader.connect(true);
  await steps(world, readers, 6);
  return [...found, ...(await judge(world, readers))];
}

/** Runs a scaffold from a seed, with plain SQL beside it. Gives what went wrong. */
export async function runSqlSeed(system: SqlSystem, seed: number): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "rocket-sql-"));
  const world = new SqlWorld(system, seed, join(folder, "music.db"));
  try {
    return await story(world);
  } catch (error) {
    return [`the run failed: ${error instanceof Error ? error.stack : error}`];
  } finally {
    world.closeWriter();
    rmSync(folder, { recursive: true, force: true });
  }
}
