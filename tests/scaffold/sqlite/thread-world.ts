import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { vi } from "vitest";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { type Service, serve, type TestOptions, temporaryFile } from "./service.ts";

/** Functions for SQL by which tests hold a thread, and see what it does. On the main thread they hold nothing. */
const moduleText = `
  import { appendFileSync, existsSync } from "node:fs";
  import { isMainThread, threadId } from "node:worker_threads";
  const folder = new URL(".", import.meta.url);
  const has = (name) => existsSync(new URL(name, folder));
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const pause = (ms) => Atomics.wait(cell, 0, 0, ms);
  const begin = () => appendFileSync(new URL("begun", folder), "*");
  /** Waits until the test lets it go on. */
  export function held(value) {
    if (isMainThread) return value;
    begin();
    while (!has("open")) pause(1);
    return value;
  }
  /** Takes a millisecond for a row. */
  export function lingers(value) {
    if (value === 1) begin();
    pause(1);
    return isMainThread ? "main" : "thread " + threadId;
  }
  /** Takes more than what counts as slow, and waits. */
  export function slow(value) {
    if (isMainThread) return value;
    pause(120);
    return held(value);
  }
  /** Never comes back, unless the test says so. */
  export function stuck(value) {
    if (isMainThread) return value;
    begin();
    while (!has("open"));
    return value;
  }
  /** Ends its thread. */
  export function deadly(value) {
    if (!isMainThread && !has("open")) process.exit(3);
    return value;
  }
  export function fails() {
    throw new RangeError("That is private.");
  }`;

const names = ["held", "lingers", "slow", "stuck", "deadly", "fails"];

const sql = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
  INSERT INTO t VALUES (1, 'one'), (2, 'two');
  CREATE TABLE held (id INTEGER PRIMARY KEY, v AS (held(id)));
  INSERT INTO held VALUES (1);
  CREATE TABLE owned (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t, v AS (held(id)));
  INSERT INTO owned VALUES (1, 1);
  CREATE TABLE lingers (id INTEGER PRIMARY KEY, n INTEGER, v AS (lingers(id)));
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000) INSERT INTO lingers SELECT i, i FROM c;
  CREATE TABLE few (id INTEGER PRIMARY KEY, v AS (lingers(id)));
  INSERT INTO few VALUES (2);
  CREATE TABLE slow (id INTEGER PRIMARY KEY, v AS (slow(id)));
  INSERT INTO slow VALUES (1);
  CREATE TABLE stuck (id INTEGER PRIMARY KEY, v AS (stuck(id)));
  INSERT INTO stuck VALUES (1);
  CREATE TABLE deadly (id INTEGER PRIMARY KEY, v AS (deadly(id)));
  INSERT INTO deadly VALUES (1);
  CREATE TABLE fails (id INTEGER PRIMARY KEY, v AS (fails(id)));
  INSERT INTO fails VALUES (1);
`;

/** How long reads may take in these tests: far longer than any does, for timers of this length are the tests' own. */
export const readTimeoutMs = 77_777;

/** A second, or what is left of one that began just now. */
const isSecond = (ms: number): boolean => ms > 500 && ms <= 1_000;

/** The platform's clock, but that timers of two lengths run down when a test says so. */
function handClock(): { readonly clock: Clock; runDown(ms: number): void } {
  const timers: { readonly ms: number; readonly callback: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    setTimer(callback, ms) {
      if (ms < 70_000 && !isSecond(ms)) return systemClock.setTimer(callback, ms);
      const timer = { ms, callback };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  };
  const runDown = (ms: number): void => {
    const due = timers.filter((timer) => isSecond(ms) === isSecond(timer.ms));
    for (const timer of due) {
      timers.splice(timers.indexOf(timer), 1);
      timer.callback();
    }
  };
  return { clock, runDown };
}

/** A scaffold whose reads are done by threads, and what holds them. */
export interface ThreadWorld extends Service {
  /** Lets what is held go on. */
  open(): void;
  /** Resolves once so many reads have begun in threads, all told. */
  begun(count?: number): Promise<void>;
  /** Where the files are by which it is held. */
  readonly folder: string;
  /** How many have. */
  count(): number;
  runDown(ms: number): void;
  get(target: string, signal?: AbortSignal, address?: string): ReturnType<Service["scaffold"]["origin"]>;
}

/** Makes one that ends with the test. */
export async function threadWorld(options: TestOptions = {}): Promise<ThreadWorld> {
  const module = temporaryFile("functions.mjs");
  writeFileSync(module, moduleText);
  const folder = dirname(module);
  const { clock, runDown } = handClock();
  const functionsModule = pathToFileURL(module);
  const service = await serve(sql, {
    ...{ mainReadMs: 0, readTimeoutMs, functionsModule, clock },
    ...options,
    prepare: (database) => {
      options.prepare?.(database);
      // The other program has them in name only: it computes them with each row that it writes.
      for (const name of names) database.function(name, { deterministic: true, varargs: true }, () => null);
    },
  });
  const begun = join(folder, "begun");
  const count = (): number => (existsSync(begun) ? readFileSync(begun, "utf8").length : 0);
  return {
    ...service,
    ...{ runDown, count, folder },
    open: () => writeFileSync(join(folder, "open"), ""),
    begun: (least = 1) => vi.waitUntil(() => count() >= least, { timeout: 20_000, interval: 5 }).then(() => undefined),
    get: (target, signal, address) => {
      const peer = address === undefined ? {} : { peer: { remoteAddress: address } };
      return service.scaffold.origin({
        method: "GET",
        target,
        fields: [],
        body: "",
        ...(signal && { signal }),
        ...peer,
      });
    },
  };
}
