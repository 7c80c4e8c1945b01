import { describe, expect, it, onTestFinished } from "vitest";
import { detach } from "../../../src/scaffold/sqlite/journal/detach.ts";
import { pauseJournal } from "../../../src/scaffold/sqlite/journal/migration.ts";
import { createSqliteJournal, type SqliteJournalOptions } from "../../../src/scaffold/sqlite/journal.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { plainFormat } from "./plain-format.ts";
import { ask, connect, newPath, watch } from "./workspace.ts";

const columns = "a TEXT, b INTEGER REFERENCES t0";

function tables(count: number): string {
  const one = (at: number): string => `CREATE TABLE t${at} (id INTEGER PRIMARY KEY, ${columns})`;
  return Array.from({ length: count }, (_, at) => one(at)).join(";");
}

/** As many as are done in 5 ms, and no more than these: others may wait for 50. */
const tablesAtOnce = 4;
const countTriggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
const countTables = "SELECT count(*) FROM sqlite_schema WHERE name GLOB '_rocket_*' AND type = 'table'";

describe.each(["WAL", "DELETE"])(
  "While 120 tables are worked on, in mode %s, others can write again and again:",
  (mode) => {
    /** A database, and a program that writes between all steps of some work, and waits for no lock at all. */
    function start() {
      const path = newPath();
      const other = connect(path, `PRAGMA journal_mode = ${mode}; ${tables(120)}`);
      const clock = createFakeClock();
      const count = (): number => Number(ask(other, countTriggers)[0]);
      /** Goes on with the work until it ends; gives how many tables were changed at once at most. */
      const beside = async (work: Promise<unknown>): Promise<number> => {
        let isOver = false;
        const end = work.finally(() => {
          isOver = true;
        });
        let most = 0;
        let writes = 0;
        for (let before = count(); !isOver; writes += 1) {
          other.exec(`INSERT INTO t${writes % 120} (a) VALUES ('x'); UPDATE t7 SET b = NULL`);
          await clock.advance(5);
          const now = count();
          most = Math.max(most, Math.abs(now - before));
          before = now;
        }
        await end;
        expect(writes).toBeGreaterThan(14);
        return most / triggersOfOne;
      };
      return { path, other, clock, count, beside };
    }

    const triggersOfOne = 8;

    it("when they are armed, armed again after a migration, and detached", async () => {
      const { path, other, clock, count, beside } = start();
      const errors: unknown[] = [];
      const onError = (error: unknown): void => void errors.push(error);
      const made = createSqliteJournal({ path, format: plainFormat, clock, onError });
      expect(await beside(made)).toBeLessThanOrEqual(tablesAtOnce);
      const journal = await made;
      await journal.close();
      const all = count();
      expect(all).toBe(120 * triggersOfOne);
      const pausing = pauseJournal(path, { clock });
      expect(await beside(pausing)).toBeLessThanOrEqual(tablesAtOnce);
      expect(count()).toBe(0);
      expect(await beside((await pausing).resume())).toBeLessThanOrEqual(tablesAtOnce);
      expect(count()).toBe(all);
      expect(await beside(detach(path, { clock }))).toBeLessThanOrEqual(tablesAtOnce);
      expect([count(), ...ask(other, countTables)]).toEqual([0, "0"]);
      expect(errors).toEqual([]);
    }, 60_000);

    it("when a migration made them while a server runs", async () => {
      const { path, other, clock, count } = start();
      await detach(path);
      const { journal } = await watch(path, { clock: createFakeClock(), tables: (name) => name === "t7" });
      await journal.close();
      const watched = watch(path, { clock, quietMs: 250, pollMs: 10, tables: (name) => name === "t7" || name > "u" });
      await clock.advance(1_000);
      const { news } = await watched;
      const before = count();
      other.exec(Array.from({ length: 40 }, (_, at) => `CREATE TABLE u${at} (id INTEGER PRIMARY KEY)`).join(";"));
      let most = 0;
      for (let step = 0, last = count(); step < 1_000; step += 1) {
        other.exec("INSERT INTO t7 (a) VALUES ('x')");
        await clock.advance(10);
        most = Math.max(most, count() - last);
        last = count();
      }
      expect([count() - before, most]).toEqual([40 * triggersOfOne, tablesAtOnce * triggersOfOne]);
      expect((await news()).filter((one) => one === "reset /u39")).toHaveLength(1);
    });
  },
);

describe.each(["WAL", "DELETE"])(
  "While a journal of large rows and small ones is removed, in mode %s, others can write:",
  (mode) => {
    const held = "SELECT count(*), total(length(n1)) FROM _rocket_journal";
    const isThere = "SELECT 1 FROM sqlite_schema WHERE name = '_rocket_journal'";

    /** A journal that holds 2,000 small rows, 40 of 100 kB, and 2,000 small ones, and a program that waits for no lock. */
    async function start(options: Partial<SqliteJournalOptions>) {
      const path = newPath();
      const other = connect(path, `PRAGMA journal_mode = ${mode}; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`);
      const clock = createFakeClock();
      const made = watch(path, { clock, pollMs: 10, ...options });
      await clock.advance(1_000);
      const { journal } = await made;
      const fill = (count: number, size: number): void =>
        other.exec(
          `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
         INSERT INTO t (a) SELECT substr(hex(zeroblob(${size})), 1, ${size}) FROM n`,
        );
      fill(4_000, 20);
      fill(60, 100_000);
      fill(4_000, 20);
      /** Goes on until something is so; gives the most rows and bytes that went at once. */
      const beside = async (isOver: () => boolean): Promise<{ rows: number; bytes: number; writes: number }> => {
        const most = { rows: 0, bytes: 0, writes: 0 };
        let before: readonly number[] = [0, 0];
        while (!isOver()) {
          other.exec("INSERT INTO t (a) VALUES ('x')");
          most.writes += 1;
          const [rows = 0, bytes = 0] =
            ask(other, isThere).length > 0 ? (ask(other, held)[0]?.split("|").map(Number) ?? []) : [0, 0];
          most.rows = Math.max(most.rows, (before[0] ?? 0) - rows);
          most.bytes = Math.max(most.bytes, (before[1] ?? 0) - bytes);
          before = [rows, bytes];
          await clock.advance(3);
        }
        return most;
      };
      return { path, other, clock, journal, beside };
    }

    it("by trimming, 250 rows or some 256 KiB at once", async () => {
      const { other, beside } = await start({ retention: { maxChanges: 1_000 } });
      const count = (): number => Number(ask(other, "SELECT count(*) FROM _rocket_journal")[0]);
      const most = await beside(() => count() < 1_300);
      expect(most.rows).toBeLessThanOrEqual(250);
      expect(most.bytes).toBeLessThan(400_000);
      expect(most.writes).toBeGreaterThan(20);
    });

    it("by detaching, 1,000 rows or some 256 KiB at once", async () => {
      const { path, other, clock, journal, beside } = await start({});
      await journal.close();
      let isOver = false;
      const detaching = detach(path, { clock }).finally(() => {
        isOver = true;
      });
      const most = await beside(() => isOver);
      await detaching;
      expect(ask(other, countTables)).toEqual(["0"]);
      expect(most.rows).toBeLessThanOrEqual(1_000);
      expect(most.bytes).toBeLessThan(400_000);
      expect(most.writes).toBeGreaterThan(20);
    });
  },
);

describe("A first start that goes on in slices", () => {
  /** One that stands between two slices. */
  async function standStill() {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${tables(20)}`);
    const clock = createFakeClock();
    const journal = createSqliteJournal({ path, format: plainFormat, clock, onError: () => undefined });
    journal.catch(() => undefined);
    await clock.advance(0);
    const armed = ask(connection, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'").length;
    expect(armed).toBeGreaterThan(0);
    expect(armed).toBeLessThan(20);
    return { path, connection, clock, journal };
  }

  it("has no position before all is armed, and is gone on with by the next one where it was killed", async () => {
    const { path, connection } = await standStill();
    expect(ask(connection, "SELECT count(*) FROM _rocket_segment")).toEqual(["0"]);
    connection.exec("INSERT INTO t0 (a) VALUES ('x'); INSERT INTO t19 (a) VALUES ('x')");
    const { journal, news } = await watch(path);
    expect(ask(connection, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'")).toHaveLength(20);
    expect(journal.unwatched.size).toBe(0);
    connection.exec("INSERT INTO t0 (a) VALUES ('y'); INSERT INTO t19 (a) VALUES ('y')");
    expect(await news()).toEqual(["create /t0/number 2", "create /t19/number 2"]);
    expect(ask(connection, "SELECT count(*) FROM _rocket_journal WHERE has = 0")).toEqual(["0"]);
  });

  it("leaves nothing when it fails in the middle", async () => {
    const { path, connection, clock, journal } = await standStill();
    const paused = await pauseJournal(path);
    await clock.advance(1_000);
    await expect(journal).rejects.toMatchObject({ code: "journal-migrating" });
    expect(ask(connection, "SELECT name FROM sqlite_schema WHERE name GLOB '_rocket_*'")).toEqual([
      "_rocket_migration",
    ]);
    await paused.resume();
    expect([ask(connection, countTriggers), ask(connection, countTables)]).toEqual([["0"], ["0"]]);
  });

  it("goes on after another program has changed the schema, and two at once come up both", async () => {
    const { path, connection, clock, journal } = await standStill();
    connection.exec("CREATE TABLE more (id INTEGER PRIMARY KEY, wide1, wide2, wide3); DROP TABLE t3");
    const other = await watch(path);
    await clock.advance(1_000);
    const first = await journal;
    onTestFinished(() => first.close());
    connection.exec("INSERT INTO more VALUES (1, 2, 3, 4)");
    expect(await other.news()).toEqual(["create /more/number 1"]);
    expect(ask(connection, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'")).toHaveLength(20);
  });

  it("puts nothing back that is detached meanwhile by a server that runs", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${tables(20)}`);
    const { journal } = await watch(path);
    const clock = createFakeClock();
    const detaching = detach(path, { clock });
    await expect(journal.arm()).rejects.toMatchObject({ code: "journal-detached" });
    await clock.advance(5_000);
    await expect(journal.arm()).rejects.toMatchObject({ code: "journal-detached" });
    await clock.advance(5_000);
    await detaching;
    expect([ask(connection, countTriggers), ask(connection, countTables)]).toEqual([["0"], ["0"]]);
  });
});
