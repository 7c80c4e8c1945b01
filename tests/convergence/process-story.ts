import { Replica } from "../../src/testing/index.ts";
import type { History } from "./history.ts";
import { Level0Reader } from "./level-0-reader.ts";
import { Level1Reader } from "./level-1-reader.ts";
import { Model } from "./model.ts";
import type { ProcessRun } from "./process-run.ts";
import type { Reader } from "./reader.ts";
import { fences, sqlTargets } from "./sql-statements.ts";
import { violationsOf } from "./validators.ts";

const steps = 48;
const killEvery = 12;
const killSqlEvery = 15;
const harmEvery = 16;

async function stir(run: ProcessRun, reader: Reader): Promise<void> {
  const { random } = run;
  if (!reader.isConnected) reader.connect();
  else {
    const dice = random.next();
    if (dice < 0.25) reader.disconnect();
    else if (dice < 0.35) reader.pause();
    else if (dice < 0.5) reader.resume();
    else reader.change();
  }
}

async function step(run: ProcessRun, readers: readonly Reader[], nth: number): Promise<void> {
  const { random } = run;
  for (const reader of readers) reader.look();
  const isKilled = nth % killEvery === killEvery - 1;
  if (nth % killSqlEvery === killSqlEvery - 1) await run.killSql();
  // Those that are not awaited meet what comes next on the way: a kill, a disconnect.
  const writes = [run.writeSql(), run.writeRest(), run.writeRest()];
  if (isKilled) await run.kill();
  else if (random.chance(0.7)) await Promise.all(writes);
  if (nth % harmEvery === harmEvery - 1) await run.harm();
  await stir(run, random.pick(readers));
  await run.writeSql();
  await Promise.all(writes);
  if (isKilled) await run.start();
}

function textsOf(records: ReadonlyMap<string, string>): string {
  return JSON.stringify([...records].sort());
}

/** What GETs show, as the texts that replicas are compared with. */
async function truths(run: ProcessRun): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { target, view } of sqlTargets) {
    const response = await run.get(target);
    const truth = new Replica(view.url);
    if (response?.status === 200) truth.take(response);
    found.set(view.url, textsOf(truth.records));
  }
  return found;
}

/** Writes something that each view shows, and waits until everyone has come that far and holds what a GET shows. */
async function comeToRest(run: ProcessRun, readers: readonly Reader[]): Promise<void> {
  const ends = new Map<string, number>();
  for (const { views, ...write } of fences) {
    const mark = await run.writeFence(write);
    for (const url of views) ends.set(url, mark?.position ?? Number.POSITIVE_INFINITY);
  }
  const shown = await truths(run);
  for (const reader of readers) reader.resume();
  await run.until(() => {
    for (const reader of readers) {
      reader.look();
      if (!reader.isConnected) reader.connect(true);
    }
    return readers.every(
      (reader) =>
        reader.isCaughtUp &&
        reader.positions().every(({ url, position }) => position >= (ends.get(url) ?? 0)) &&
        reader.held().every(({ target, records }) => textsOf(records) === shown.get(target.view.url)),
    );
  });
  for (const reader of readers) reader.finish();
}

/** Writes that were acknowledged and that the history lacks, or that it has later than their position says. */
function acknowledgedViolations(run: ProcessRun, history: History): string[] {
  const { byVersion } = new Model(history);
  return run.acknowledged.flatMap(({ version, mark }) => {
    const position = byVersion.get(version)?.position;
    if (position === undefined) return [`version ${version} was acknowledged, and was never committed`];
    if (!mark) return run.database.hasPositions ? [`version ${version} was acknowledged without a position`] : [];
    return position <= mark.position
      ? []
      : [`version ${version} is at ${position}, after its answer's ${mark.position}`];
  });
}

/** Runs everything from the run's seed. Gives what went wrong, and the history. */
export async function runProcesses(run: ProcessRun): Promise<{ violations: string[]; history: History }> {
  const readers: readonly Reader[] = [
    new Level0Reader(run, "r0"),
    ...[1, 2, 3].map((nth) => new Level1Reader(run, `r${nth}`)),
    new Level1Reader(run, "r4", "event-stream"),
    new Level1Reader(run, "r5", "http-stream"),
  ];
  await run.start();
  for (let nth = 0; nth < steps; nth += 1) await step(run, readers, nth);
  await comeToRest(run, readers);
  for (const reader of readers) reader.disconnect();
  await run.endSql();
  const stopped = await run.stop();
  const history = await run.history();
  const exit = stopped
    .filter(({ code }) => code !== 0)
    .map(({ code, stderr }) => `a server ended with ${code}: ${stderr}`);
  return { violations: [...exit, ...acknowledgedViolations(run, history), ...violationsOf(history)], history };
}
