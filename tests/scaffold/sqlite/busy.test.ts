import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { musicSql, serve } from "./service.ts";

/** The platform's clock, put forward by hand. */
function leapingClock(): { readonly clock: Clock; leap(ms: number): void } {
  const leaps: number[] = [];
  const now = (): number => systemClock.now() + leaps.reduce((sum, ms) => sum + ms, 0);
  return { clock: { ...systemClock, now }, leap: (ms) => leaps.push(ms) };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("While another program writes", () => {
  test("a write waits without holding up anything else, and goes through after it", async () => {
    const { send, other } = await serve(musicSql);
    other.exec("BEGIN IMMEDIATE; UPDATE artists SET year = 1900 WHERE id = 1");

    const write = send("PATCH", "/artists/1", { genre: "krautrock" });
    const read = await send("GET", "/artists/1");
    other.exec("COMMIT");

    expect(read.json).toMatchObject({ artist: { year: 1970 } });
    expect((await write).json).toMatchObject({ artist: { year: 1900, genre: "krautrock" } });
  });

  test("for too long, a write is 503 with Retry-After, and nothing is written later", async () => {
    const { clock, leap } = leapingClock();
    const { send, other, errors } = await serve(musicSql, { clock });
    other.exec("BEGIN IMMEDIATE");

    const writes = Promise.all([send("DELETE", "/artists/3"), send("PATCH", "/artists/1", { genre: "x" })]);
    await nextTurn();
    leap(6000);
    const answers = await writes;
    other.exec("COMMIT");

    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect(answers[0]?.field("Retry-After")).toBe("1");
    expect(answers[0]?.text).not.toContain("SQLITE");
    expect((await send("GET", "/artists/3")).status).toBe(200);
    expect(errors).toEqual([]);
  });

  test("in rollback-journal mode, a read waits for its commit", async () => {
    const { send, other } = await serve(`PRAGMA journal_mode = DELETE; ${musicSql}`);
    other.exec("BEGIN EXCLUSIVE; UPDATE artists SET year = 1900 WHERE id = 1");

    const read = send("GET", "/artists/1");
    await nextTurn();
    other.exec("COMMIT");

    expect((await read).json).toMatchObject({ artist: { year: 1900 } });
  });

  test("in rollback-journal mode, a read that waits too long is 503", async () => {
    const { clock, leap } = leapingClock();
    const { send, other } = await serve(`PRAGMA journal_mode = DELETE; ${musicSql}`, { clock });
    other.exec("BEGIN EXCLUSIVE");

    const read = send("GET", "/artists/1");
    await nextTurn();
    leap(6000);
    const answer = await read;
    other.exec("COMMIT");

    expect([answer.status, answer.field("Retry-After")]).toEqual([503, "1"]);
  });
});

describe("While another program reads, in rollback-journal mode", () => {
  test("a write's commit waits for it, and later writes wait behind", async () => {
    const { send, other } = await serve(`PRAGMA journal_mode = DELETE; ${musicSql}`);
    const rows = other.prepare("SELECT id FROM artists").iterate();
    rows.next();

    const first = send("PATCH", "/artists/1", { genre: "a" });
    await nextTurn();
    const second = send("PATCH", "/artists/1", { genre: "b" });
    await nextTurn();
    rows.return?.();

    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect((await send("GET", "/artists/1")).json).toMatchObject({ artist: { genre: "b" } });
  });
});
