import { createServer as createHttpServer } from "node:http";
import { onTestFinished } from "vitest";
import { attach, createServer } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";
import { type Clock, systemClock } from "../../src/server/index.ts";
import { createDatabase, runSql } from "../cli/database.ts";
import { listen } from "../proxy/setting.ts";
import { createNotesApp } from "./notes-app.ts";

const limits = { maxSubscriptions: 2 };

/** Ten times as fast as the system's, so that a heartbeat comes within two seconds. */
const fastClock: Clock = {
  ...systemClock,
  now: () => systemClock.now() * 10,
  setTimer: (callback, ms) => systemClock.setTimer(callback, ms / 10),
};

/** One of this project's servers; gives the URL of a collection. */
export interface OwnServer {
  readonly name: "serve" | "attach" | "proxy";
  readonly start: () => Promise<string>;
  /** Whether its heartbeats come soon. */
  readonly isFast: boolean;
  /** Requirements of which every case is left out, for what this server is. */
  readonly leftOut: readonly string[];
}

async function startServe(): Promise<string> {
  const path = createDatabase();
  // Long enough that answers are compressed.
  runSql(path, `UPDATE artists SET genre = '${"slow".repeat(500)}' WHERE id = 3`);
  const scaffold = await createScaffold({ path });
  const server = createServer({
    ...scaffold,
    clock: fastClock,
    limits: { ...limits, originTimeoutMs: 100_000, stallTimeoutMs: 3_600_000 },
    drainMs: 0,
  });
  const { port } = await server.listen(0);
  onTestFinished(async () => {
    await server.close();
    await scaffold.close();
  });
  return `http://127.0.0.1:${port}/artists`;
}

async function startAttach(): Promise<string> {
  const { server, url } = await listen(createHttpServer(createNotesApp({ hasLinks: false })));
  const attachment = attach(server, { limits, onError: () => {} });
  onTestFinished(() => attachment.close());
  return `${url}/notes`;
}

async function startProxy(): Promise<string> {
  const { url } = await listen(createHttpServer(createNotesApp({ hasLinks: true })));
  const fast = { originTimeoutMs: 100_000, stallTimeoutMs: 3_600_000 };
  const server = createProxy({
    ...{ upstream: url, clock: fastClock, drainMs: 0, log: () => {} },
    limits: { ...limits, ...fast },
  });
  const { port } = await server.listen(0);
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${port}/notes`;
}

const ofJournals = ["R-DELTA-2", "R-DELTA-5", "R-DELTA-6", "R-DELTA-7", "R-POS-2", "R-POS-6", "R-POS-7", "R-WK-4"];
const ofBatches = ["R-BATCH-1", "R-BATCH-2", "R-BATCH-3", "R-BATCH-4"];

export const ownServers: readonly OwnServer[] = [
  {
    name: "serve",
    start: startServe,
    isFast: true,
    leftOut: ["R-DER-3", "R-DER-4", "R-DER-5", "R-DER-8", "R-FLD-9"],
  },
  {
    name: "attach",
    start: startAttach,
    isFast: false,
    leftOut: [
      ...ofJournals,
      ...ofBatches,
      "R-FLD-6",
      "R-FLD-9",
      "R-FLD-11",
      "R-HB-1",
      "R-HB-2",
      "R-L1-2",
      "R-STR-16",
      "R-STR-22",
      "R-SUB-13",
    ],
  },
  {
    name: "proxy",
    start: startProxy,
    isFast: true,
    // Other subprotocols are passed on to the upstream, which refuses them.
    leftOut: [...ofJournals, ...ofBatches, "R-FLD-4", "R-FLD-6", "R-L1-2", "R-STR-22", "R-SUB-13"],
  },
];
