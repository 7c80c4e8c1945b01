import { expect, it, onTestFinished, vi } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import type { TableSources } from "../../../src/scaffold/engine/snapshot.ts";
import { SourceFinder } from "../../../src/scaffold/postgres/engine/source-finder.ts";
import type { Origin } from "../../../src/server/index.ts";
import { runNode } from "../../cli/command.ts";
import { secret, signed } from "../tokens/issuer.ts";
import { type Connect, connectTo, connectToUrl } from "./leak-follower.ts";
import { type LeakOutcome, runLeakStory } from "./leak-run.ts";
import { LeakHistory, type LeakViewer, viewers, worldSql } from "./leak-world.ts";
import { serverOfFile } from "./server.ts";
import { openViewerSite, type ViewerSiteOptions } from "./viewer-site.ts";

const server = serverOfFile();
const seed = Number(process.env.ROCKET_SEED ?? 1 + Math.floor(Math.random() * 1e6));
const transitions = Number(process.env.ROCKET_TRANSITIONS ?? (process.env.ROCKET_LONG ? 1_000 : 250));

/** A machine that is slow is no fault, so this is long: a look that is missed for good is never made up for. */
const patienceMs = 30_000;

/** A story over two server processes that share one database. */
async function tell(options: ViewerSiteOptions, length: number, patienceMs: number): Promise<LeakOutcome> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(worldSql);
  const url = server.url(name);
  const sites = [await openViewerSite(url, options), await openViewerSite(url, options)];
  const processes = sites.map(({ hub }) => connectTo(hub));
  const outcome = await runLeakStory({
    ...{ history: new LeakHistory(client), processes, seed, transitions: length, patienceMs },
  });
  const errors = sites.flatMap((site) => site.errors.map(String));
  return { ...outcome, faults: [...outcome.faults, ...errors] };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

it(`shows nobody what its own GET would not give, whatever rights come and go: seed ${seed}`, async () => {
  const { faults, messages, revocations, transitions: done } = await tell({}, transitions, patienceMs);
  expect(faults).toEqual([]);
  expect(done).toBeGreaterThanOrEqual(transitions);
  expect(messages).toBeGreaterThan(transitions / 10);
  if (process.env.ROCKET_TRANSITIONS === undefined) return;
  const times = [...revocations].map(([how, ms]) => `${how}: ${median(ms).toFixed(0)} ms of ${ms.length}`);
  console.log(
    `${done} transitions, ${messages} messages. Rights taken away are gone, at the median, ${times.join(", ")}`,
  );
}, 7_200_000);

it("shows nobody what its own GET would not give, over two processes and sockets", async () => {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(worldSql);
  const flags = ["--port", "0", "--jwt-secret-env", "ROCKET_TEST_SECRET", "--anonymous-role", "anon"];
  const processes: Connect[] = [];
  for (let nth = 0; nth < 2; nth += 1) {
    const args = ["serve", server.url(name), ...flags];
    const command = runNode("dist/bin/rocket.js", args, { ROCKET_TEST_SECRET: secret });
    await command.until(({ stdout }) => /http:\/\/127\.0\.0\.1:\d+\n/.test(stdout));
    processes.push(connectToUrl(/http:\/\/127\.0\.0\.1:\d+/.exec(command.stdout)?.[0] ?? ""));
  }
  const tokens = new Map<string, string>();
  for (const { role, sub } of viewers) {
    tokens.set(`${role} ${sub}`, await signed(sub === undefined ? { role } : { role, sub }));
  }
  const whoIs = ({ role, sub }: LeakViewer): Field => ["Authorization", `Bearer ${tokens.get(`${role} ${sub}`)}`];

  const { faults, messages } = await runLeakStory({
    ...{ history: new LeakHistory(client), processes, seed, whoIs, patienceMs },
    transitions: Math.ceil(transitions / 10),
  });

  expect(faults).toEqual([]);
  expect(messages).toBeGreaterThan(100);
}, 7_200_000);

/** A way in which it could be wrong who is shown what. */
interface Defect {
  readonly name: string;
  readonly seed: () => ViewerSiteOptions;
}

/** Has something else found to decide what is shown. */
function finding(other: (sources: TableSources) => Partial<TableSources>): ViewerSiteOptions {
  const { find } = SourceFinder.prototype;
  const spy = vi.spyOn(SourceFinder.prototype, "find").mockImplementation(async function (
    this: SourceFinder,
    ...given
  ) {
    const sources = await find.apply(this, given);
    return { ...sources, ...other(sources) };
  });
  onTestFinished(() => spy.mockRestore());
  return {};
}

/** An origin whose answers say nothing of whom they are for. */
function withoutCacheControl(origin: Origin): Origin {
  return async (request) => {
    const answer = await origin(request);
    return { ...answer, fields: answer.fields.filter(([name]) => !["Cache-Control", "Vary"].includes(name)) };
  };
}

const defects: readonly Defect[] = [
  { name: "the role is not taken on", seed: () => ({ mistake: (viewer) => ({ ...viewer, role: undefined }) }) },
  {
    name: "the claims of the request before are kept",
    seed: () => {
      let kept: Record<string, unknown> | undefined;
      return {
        mistake: (viewer) => {
          const claims = kept ?? viewer.claims;
          kept = { ...viewer.claims };
          return { ...viewer, claims };
        },
      };
    },
  },
  {
    name: "a function that hides what it reads is taken for one that reads nothing",
    seed: () => finding(() => ({ isComplete: true })),
  },
  {
    name: "the tables that policies read are not looked at",
    seed: () => finding(({ tables }) => ({ tables: tables.filter((table) => !table.includes(".")) })),
  },
  {
    name: "a view is shared by viewers",
    seed: () => ({ around: withoutCacheControl, derived: { viewer: () => "everybody" } }),
  },
];

it.each(defects)(
  "is caught where $name",
  async (defect) => {
    const { faults } = await tell(defect.seed(), 4_000, 3_000);
    expect(faults).not.toEqual([]);
  },
  120_000,
);
