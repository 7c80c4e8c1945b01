import { Replica } from "../../src/testing/index.ts";
import type { History } from "./history.ts";
import { KillBag, type KillKind } from "./kills.ts";
import { Level0Reader } from "./level-0-reader.ts";
import { Level1Reader } from "./level-1-reader.ts";
import { Model } from "./model.ts";
import type { ProcessRun } from "./process-run.ts";
import type { Held, Reader } from "./reader.ts";
import { checkRevisions } from "./revisions.ts";
import { fences, type RestWrite, sqlTargets } from "./sql-statements.ts";
import { violationsOf } from "./validators.ts";

/** How many steps are from kill to kill. */
const stepsPerKill = 2;

/** What a run found, and how much it did. */
export interface ProcessOutcome {
  readonly violations: readonly string[];
  readonly history: History;
  readonly killed: ReadonlyMap<KillKind, number>;
  readonly counts: {
    /** Transactions of plain SQL and writes over HTTP, whatever became of them. */
    readonly writes: number;
    readonly committed: number;
    readonly messages: number;
    /** Subscriptions that began at a position of an earlier connection. */
    readonly resumes: number;
    /** Replicas that were held against a GET at the end. */
    readonly replicas: number;
    /** Records that were seen by a reader, whose revision was looked at. */
    readonly revisions: number;
    /** Records whose whole history was held against the database's own log. */
    readonly logged: number;
  };
}

/** Has a reader do something, or not: it is away for a while only. */
function stir(run: ProcessRun, reader: Reader): void {
  const { random } = run;
  if (!reader.isConnected) {
    if (random.chance(0.6)) reader.connect();
  } else if (random.chance(0.3)) {
    const dice = random.next();
    if (dice < 0.25) reader.disconnect();
    else if (dice < 0.35) reader.pause();
    else if (dice < 0.5) reader.resume();
    else reader.change();
  }
}

async function step(run: ProcessRun, readers: readonly Reader[], kill: KillKind | undefined): Promise<void> {
  const { random } = run;
  for (const reader of readers) reader.look();
  // Those that are not awaited meet what comes next on the way: a kill, a disconnect.
  const writes = [run.writeSql(), run.writeRest(), run.writeRest(), run.writeSql()];
  if (kill) await run.kill(kill);
  else if (random.chance(0.7)) await Promise.all(writes);
  for (const reader of readers) stir(run, reader);
  await run.writeSql();
  await Promise.all(writes);
  if (kill) await run.start();
}

function textsOf(records: ReadonlyMap<string, string>): string {
  return JSON.stringify([...records].sort());
}

/** What GETs show, as the texts that replicas are compared with. */
async function truths(run: ProcessRun): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { target, view } of sqlTargets) {
    let response = await run.get(target);
    // The database may be on its way back.
    while (!response || response.status >= 500) response = await run.get(target);
    const truth = new Replica(view.url);
    if (response.status === 200) truth.take(response);
    found.set(view.url, textsOf(truth.records));
  }
  return found;
}

/** Writes until the answer says where that is. */
async function writeFence(run: ProcessRun, write: RestWrite): Promise<number> {
  for (;;) {
    const mark = await run.writeFence(write);
    if (mark) return mark.position;
  }
}

/** Writes something that each view shows, and waits until everyone has come that far and holds what a GET shows. */
async function comeToRest(run: ProcessRun, readers: readonly Reader[]): Promise<void> {
  const ends = new Map<string, number>();
  for (const { views, ...write } of fences) {
    const position = await writeFence(run, write);
    for (const url of views) ends.set(url, position);
  }
  const shown = await truths(run);
  for (const reader of readers) reader.resume();
  const isEqual = ({ target, records }: Held): boolean => textsOf(records) === shown.get(target.view.url);
  const isAtRest = (reader: Reader): boolean =>
    reader.isCaughtUp &&
    reader.positions().every(({ url, position }) => position >= (ends.get(url) ?? 0)) &&
    reader.held().every(isEqual);
  const story = (reader: Reader): string => {
    const unequal = reader.held().filter((held) => !isEqual(held));
    const texts = unequal.map(({ target, records }) => `${target.view.url} as ${textsOf(records)}`);
    const positions = JSON.stringify([reader.positions(), [...ends]]);
    return `${reader.name} (caught up: ${reader.isCaughtUp}) holds ${texts.join(", ")} at ${positions}`;
  };
  await run.until(
    () => {
      for (const reader of readers) {
        reader.look();
        if (!reader.isConnected) reader.connect(true);
      }
      return readers.every(isAtRest);
    },
    () =>
      `not at rest: ${readers
        .filter((reader) => !isAtRest(reader))
        .map(story)
        .join("; ")}`,
  );
  for (const reader of readers) reader.finish();
}

/** Writes that were acknowledged and that the history lacks, or that it has later than their position says. */
function acknowledgedViolations(run: ProcessRun, history: History): string[] {
  const { byVersion } = new Model(history);
  const { hasPositions, isDurable } = run.database;
  return run.acknowledged.flatMap(({ version, mark }) => {
    const position = byVersion.get(version)?.position;
    const isPromised = mark !== undefined || isDurable;
    if (position === undefined)
      return isPromised ? [`version ${version} was acknowledged, and was never committed`] : [];
    if (!mark) return hasPositions ? [`version ${version} was acknowledged without a position`] : [];
    return position <= mark.position
      ? []
      : [`version ${version} is at ${position}, after its answer's ${mark.position}`];
  });
}

async function restViolations(run: ProcessRun, readers: readonly Reader[]): Promise<string[]> {
  try {
    await comeToRest(run, readers);
    return [];
  } catch (error) {
    return [`the run did not come to rest: ${error instanceof Error ? error.message : error}`];
  }
}

/** Runs everything from the run's seed, with so many kills. Gives what went wrong, and the history. */
export async function runProcesses(run: ProcessRun, kills: number): Promise<ProcessOutcome> {
  const readers: readonly Reader[] = [
    new Level0Reader(run, "r0"),
    ...[1, 2, 3].map((nth) => new Level1Reader(run, `r${nth}`)),
    new Level1Reader(run, "r4", "event-stream"),
    new Level1Reader(run, "r5", "http-stream"),
  ];
  const bag = new KillBag(run.random, run.database.kills);
  await run.start();
  for (let nth = 0; nth < kills * stepsPerKill; nth += 1) {
    await step(run, readers, nth % stepsPerKill === stepsPerKill - 1 ? bag.draw() : undefined);
  }
  const rest = await restViolations(run, readers);
  const replicas = readers.reduce((sum, reader) => sum + reader.held().length, 0);
  for (const reader of readers) reader.disconnect();
  await run.endSql();
  const stopped = await run.stop();
  const history = await run.history();
  const exit = stopped
    .filter(({ code }) => code !== 0)
    .map(({ code, stderr }) => `a server ended with ${code}: ${stderr}`);
  const revisions = checkRevisions(history);
  const log = await run.database.compare(history.transactions);
  return {
    violations: [
      ...exit,
      ...rest,
      ...acknowledgedViolations(run, history),
      ...revisions.violations,
      ...log.violations,
      ...violationsOf(history),
    ],
    history,
    killed: run.killed,
    counts: {
      writes: run.writes,
      committed: history.transactions.length,
      messages: history.streams.reduce((sum, { entries }) => sum + entries.length, 0),
      resumes: history.streams.filter(({ asked, entries }) => asked.lastMark && entries[0]?.status === 304).length,
      replicas,
      revisions: revisions.count,
      logged: log.records,
    },
  };
}
