import { execFile } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { parseTarget } from "../../../src/scaffold/rest/target.ts";
import { shapeOf } from "../../../src/scaffold/sqlite/threads/shapes.ts";
import type { Batch } from "../../../src/server/index.ts";
import { serve, temporaryFile } from "./service.ts";
import { readTimeoutMs, type ThreadWorld, threadWorld } from "./thread-world.ts";

const textOf = ({ body }: { body: string | Uint8Array }): string =>
  typeof body === "string" ? body : new TextDecoder().decode(body);

/** A folder that goes with the test. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-threads-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return (await Promise.race([promise.catch(() => undefined), Promise.resolve(pending)])) !== pending;
}

/** Whether no reader keeps the WAL from being emptied. */
function isFree({ other }: ThreadWorld): boolean {
  const [row] = other.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  return row?.busy === 0;
}

describe("While a read takes long", () => {
  test("other reads, writes and the tail go on, and it has the state that it began with", async () => {
    const world = await threadWorld();
    const batches: Batch[] = [];
    const end = world.scaffold.journal?.tail((batch) => batches.push(batch));
    const slow = world.get("/held");
    await world.begun();

    expect((await world.get("/t/1")).status).toBe(200);
    expect((await world.get("/t")).status).toBe(200);
    expect((await world.send("PATCH", "/t/1", { name: "changed" })).status).toBe(200);
    world.other.exec("INSERT INTO t VALUES (3, 'another program')");
    await world.scaffold.journal?.poll();
    expect(batches.flatMap(({ changes }) => changes.map(({ url }) => url))).toEqual(["/t/1", "/t/3"]);
    expect(await isSettled(slow)).toBe(false);

    world.open();
    const answer = await slow;
    expect([answer.status, textOf(answer)]).toEqual([200, '{"held":[{"url":"/held/1","id":1,"v":1}]}']);
    expect(answer.view?.position).toBe(batches[0]?.after);
    end?.();
  });

  test("that its thread began before a change of the schema, the next one has the new schema", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/held");
    await world.begun();
    const next = world.get("/t?name=one");
    world.other.exec("ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'new'");
    world.open();
    expect((await slow).status).toBe(200);
    expect(textOf(await next)).toBe('{"t":[{"url":"/t/1","id":1,"name":"one","more":"new"}]}');
  });

  test("one more that is known to be slow waits for it, and a quick one does not", async () => {
    const world = await threadWorld();
    world.open();
    await world.get("/slow");
    rmSync(join(world.folder, "open"));
    const first = world.get("/slow");
    await world.begun(2);
    const second = world.get("/slow");
    expect((await world.get("/t?order=name")).status).toBe(200);
    expect((await world.get("/t?order=name.desc")).status).toBe(200);
    expect([await isSettled(first), await isSettled(second), world.count()]).toEqual([false, false, 2]);
    world.open();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });
});

describe("A read", () => {
  test("that is short is done on the main thread, and one that is not is done by a thread", async () => {
    const { get } = await threadWorld({ mainReadMs: 2 });
    expect(textOf(await get("/few"))).toContain('"v":"main"');
    const long = textOf(await get("/lingers?limit=20"));
    expect(long.match(/"v":"thread/g)).toHaveLength(20);
  });

  test("is done on the main thread where functions are given as such", async () => {
    const where = () => "here";
    const { send } = await serve(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, v AS (place(id))); INSERT INTO t VALUES (1)",
      {
        ...{ mainReadMs: 0, functions: { place: where } },
        prepare: (other) => void other.function("place", { deterministic: true, varargs: true }, where),
      },
    );
    expect((await send("GET", "/t")).text).toContain('"v":"here"');
  });

  test("that no thread has started for in time is done on the main thread where it is short, and refused where it is not", async () => {
    const functionsModule = join(temporaryFolder(), "functions.mjs");
    const late = "if (!isMainThread) await new Promise((resolve) => setTimeout(resolve, 60_000));";
    const pause = "export const lingers = (value) => { Atomics.wait(cell, 0, 0, 1); return value; };";
    const cell = "const cell = new Int32Array(new SharedArrayBuffer(4));";
    writeFileSync(functionsModule, `import { isMainThread } from "node:worker_threads"; ${late} ${cell} ${pause}`);
    const rows = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) SELECT i FROM c";
    const { send } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, v AS (lingers(id))); INSERT INTO t ${rows}`, {
      ...{ mainReadMs: 0, readTimeoutMs: 500, functionsModule },
      prepare: (other) => void other.function("lingers", { deterministic: true }, (value) => value),
    });
    expect((await send("GET", "/t/7")).json).toMatchObject({ t: { id: 7, v: 7 } });
    const refused = await send("GET", "/t?limit=1000");
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("no thread that reads has started")]);
  });

  test("of a file whose name has odd characters comes from a thread, too", async () => {
    const world = await threadWorld({ path: temporaryFile("ö 100%?mode=memory#'\"&.db") });
    expect(textOf(await world.get("/lingers/1"))).toContain('"v":"thread ');
  });

  test("that fails in a thread is the same answer, and is reported as it would be on the main thread", async () => {
    const inThread = await threadWorld();
    const here = await threadWorld({ readThreads: 0 });
    const targets = ["/fails", "/t/9", "/t?no=1", "/nothing", "/t/1?a=b", "/t?limit=x"];
    for (const target of targets) expect(await inThread.get(target)).toEqual(await here.get(target));
    expect(inThread.errors.map(String)).toEqual(here.errors.map(String));
    expect(inThread.errors.map(String)).toEqual(["Error: GET /fails: That is private."]);
  });

  test("is done on the main thread while the file is not at its path", async () => {
    const world = await threadWorld({ readThreads: 1 });
    renameSync(world.path, `${world.path}.old`);
    expect(JSON.parse(textOf(await world.get("/t"))).t).toHaveLength(2);
    renameSync(`${world.path}.old`, world.path);
    expect(textOf(await world.get("/lingers/1"))).toContain('"v":"thread ');
  });

  test("sees the file that has taken the database's place", async () => {
    const world = await threadWorld({ readThreads: 1 });
    expect(JSON.parse(textOf(await world.get("/t"))).t).toHaveLength(2);
    const fresh = temporaryFile("fresh.db");
    const database = new Database(fresh);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
    database.exec("INSERT INTO t VALUES (7, 'fresh')");
    database.close();
    world.other.close();
    for (const end of ["-wal", "-shm"]) rmSync(world.path + end, { force: true });
    renameSync(fresh, world.path);
    let text = "";
    while (!text.includes("fresh")) {
      await world.scaffold.journal?.poll();
      text = textOf(await world.get("/t"));
    }
    expect(text).toBe('{"t":[{"url":"/t/7","id":7,"name":"fresh"}]}');
  });
});

describe("A read that takes longer than it may", () => {
  test("is 503 with the index that would help, and leaves neither its thread nor the WAL taken", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/lingers?v=x&order=n.desc");
    await world.begun();
    world.runDown(readTimeoutMs);
    const answer = await slow;
    expect([answer.status, answer.fields.find(([name]) => name === "Retry-After")?.[1]]).toEqual([503, "30"]);
    expect(JSON.parse(textOf(answer)).detail).toBe(
      `This read took longer than ${readTimeoutMs} ms, so it was ended. No index serves "v", "n"; one would help: ` +
        'CREATE INDEX "lingers_v_n" ON "lingers" ("v", "n" DESC)',
    );
    expect((await world.get("/t")).status).toBe(200);
    expect(isFree(world)).toBe(true);
    expect(world.errors).toMatchObject([{ code: "read-too-slow" }]);
  });

  test("advises no index where there is one", async () => {
    const world = await threadWorld();
    world.other.exec("CREATE INDEX i ON lingers (n)");
    const slow = world.get("/lingers?order=n");
    await world.begun();
    world.runDown(readTimeoutMs);
    expect(JSON.parse(textOf(await slow)).detail).toMatch(/ended\. Ask for less of it/);
  });

  test("is 503 where only the count of a page takes long", async () => {
    const world = await threadWorld({ readThreads: 1 });
    expect((await world.get("/lingers?v=gte.&limit=1")).status).toBe(200);
    const slow = world.get("/lingers?v=gte.&per_page=1");
    await world.begun(2);
    world.runDown(readTimeoutMs);
    expect((await slow).status).toBe(503);
    expect((await world.get("/t?page=1")).status).toBe(200);
    expect(isFree(world)).toBe(true);
  });

  test("tells nothing of one that is not counted", () => {
    const target = parseTarget("/lingers?limit=1");
    expect(shapeOf("GET", target, true)).not.toBe(shapeOf("GET", target));
    expect(shapeOf("GET", parseTarget("/t?page=2"))).toBe(shapeOf("GET", parseTarget("/t?page=3")));
  });

  test("is given up with its thread where that is stuck, and another thread takes its place", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/stuck");
    await world.begun();
    world.runDown(readTimeoutMs);
    expect((await slow).status).toBe(503);
    const next = world.get("/t");
    world.runDown(1_000);
    expect((await next).status).toBe(200);
    await expect.poll(() => isFree(world)).toBe(true);
  });

  test.each([
    ["a table of few rows", "/held"],
    ["a record", "/held/1"],
  ])("is to be tried again soon where it reads little: %s", async (_what, target) => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get(target);
    await world.begun();
    world.runDown(readTimeoutMs);
    const answer = await slow;
    world.open();
    expect([answer.status, answer.fields.find(([name]) => name === "Retry-After")?.[1]]).toEqual([503, "2"]);
    expect(JSON.parse(textOf(answer)).detail).toBe(
      `This read took longer than ${readTimeoutMs} ms, so it was ended. Little is read: the machine is busy.`,
    );
  });

  test("is not called little where it has records of other tables with it", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/owned?select=*,t(*)");
    await world.begun();
    world.runDown(readTimeoutMs);
    const answer = await slow;
    world.open();
    expect([answer.status, answer.fields.find(([name]) => name === "Retry-After")?.[1]]).toEqual([503, "30"]);
    expect(JSON.parse(textOf(answer)).detail).toBe(
      `This read took longer than ${readTimeoutMs} ms, so it was ended. ` +
        'Ask for less of it: embed fewer records, each with a "limit" of its own, or filter.',
    );
  });

  test("has a second at most where it keeps others from writing", async () => {
    const prepare = (other: Database.Database) => void other.pragma("journal_mode = DELETE");
    const world = await threadWorld({ readThreads: 1, prepare });
    const slow = world.get("/lingers?v=x");
    await world.begun();
    world.other.pragma("busy_timeout = 0");
    expect(() => world.other.exec("UPDATE t SET name = 'x'")).toThrow("locked");
    world.runDown(1_000);
    expect(JSON.parse(textOf(await slow)).detail).toContain("longer than 1000 ms");
    expect((await world.send("PATCH", "/t/1", { name: "written" })).status).toBe(200);
  });

  test("has all of that second for itself: its thread's start takes nothing of it", async () => {
    const prepare = (other: Database.Database) => void other.pragma("journal_mode = DELETE");
    const world = await threadWorld({ readThreads: 1, prepare });
    const answer = world.get("/t");
    // It is given to the thread, which starts, meanwhile.
    await setImmediate();
    world.runDown(1_000);
    expect((await answer).status).toBe(200);
  });

  test("ends on the main thread, too, where there are no threads", async () => {
    const world = await threadWorld({ readThreads: 0, readTimeoutMs: 100 });
    const answer = await world.get("/lingers?v=x");
    expect([answer.status, JSON.parse(textOf(answer)).detail]).toEqual([503, expect.stringContaining('"lingers_v"')]);
    expect((await world.get("/t")).status).toBe(200);
  });
});

describe("A read that nobody waits for any more", () => {
  test("never begins where it has waited", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/held");
    await world.begun();
    const leaving = new AbortController();
    const left = world.get("/held?id=1", leaving.signal);
    leaving.abort();
    expect((await left).status).toBe(503);
    world.open();
    expect([(await slow).status, (await world.get("/t")).status, world.count()]).toEqual([200, 200, 1]);
  });

  test("is ended where it runs", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const leaving = new AbortController();
    const left = world.get("/lingers?v=x", leaving.signal);
    await world.begun();
    leaving.abort();
    expect((await left).status).toBe(503);
    expect((await world.get("/t")).status).toBe(200);
    expect(isFree(world)).toBe(true);
  });
});

describe("Threads", () => {
  test("have a bounded number of reads that wait, and whoever has the most is refused", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const slow = world.get("/held", undefined, "10.0.0.1");
    await world.begun();
    const many = Array.from({ length: 512 }, () => world.get("/t", undefined, "10.0.0.1"));
    const refused = await world.get("/t", undefined, "10.0.0.1");
    expect([refused.status, refused.fields.find(([name]) => name === "Retry-After")?.[1]]).toEqual([503, "1"]);
    const other = world.get("/t", undefined, "10.0.0.2");
    expect((await many.at(-1))?.status).toBe(503);
    world.open();
    expect([(await slow).status, (await other).status, (await many[0])?.status]).toEqual([200, 200, 200]);
  });

  test("end with the scaffold, whatever they do; what they read and what waits is 503", async () => {
    const world = await threadWorld({ readThreads: 1 });
    const running = world.get("/lingers?v=x");
    await world.begun();
    const waiting = world.get("/t");
    await world.scaffold.close();
    expect([(await running).status, (await waiting).status, (await world.get("/t")).status]).toEqual([503, 503, 503]);
    expect(isFree(world)).toBe(true);
    expect(world.errors).toEqual([]);
  });

  test("keep no process alive that has nothing else to do", async () => {
    expect(inject("buildError")).toBe("");
    const path = temporaryFile();
    new Database(path).exec("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY)").close();
    const script = `
      import { createScaffold } from ${JSON.stringify(new URL("../../../dist/scaffold/index.js", import.meta.url).href)};
      const scaffold = await createScaffold({ path: ${JSON.stringify(path)}, mainReadMs: 0 });
      const { status } = await scaffold.origin({ method: "GET", target: "/t", fields: [], body: "" });
      console.log(status);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect(stdout).toBe("200\n");
  });

  test("are replaced where one breaks down: its read is a 500, and the next one is answered", async () => {
    const world = await threadWorld({ readThreads: 1 });
    expect((await world.get("/deadly")).status).toBe(500);
    expect(String(world.errors[0])).toContain("A thread that reads has ended");
    world.open();
    expect((await world.get("/deadly")).status).toBe(200);
  });

  test("are done without where this process can have none, and that is told once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rocket-rest-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const functionsModule = join(folder, "main-only.mjs");
    writeFileSync(
      functionsModule,
      'import { isMainThread } from "node:worker_threads"; if (!isMainThread) throw new Error("no threads here");',
    );
    const { send, errors } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY)", { mainReadMs: 0, functionsModule });
    const answers = await Promise.all([send("GET", "/t"), send("GET", "/t?id=1"), send("GET", "/t/1")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect((await send("GET", "/t")).status).toBe(200);
    expect(errors).toMatchObject([{ code: "reads-unthreaded", message: expect.stringContaining("no threads here") }]);
  });
});
