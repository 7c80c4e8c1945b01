import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createServer } from "../../../src/node/index.ts";
import { fieldValue, parseItems, resolvePointer } from "../../../src/protocol/index.ts";
import type { Change, Representation } from "../../../src/server/index.ts";
import { columnTypes } from "./samples.ts";
import { musicSql, type Service, serve } from "./service.ts";
import { storedValues } from "./values.ts";

const typesSql = `CREATE TABLE things (id INTEGER PRIMARY KEY,
  ${columnTypes.map(({ name, declaredType }) => `${name} ${declaredType}`).join(", ")})`;

/** Every change that the journal gives from now on. */
function changesOf({ scaffold }: Service): Change[] {
  const changes: Change[] = [];
  const untail = scaffold.journal?.tail((batch) => void changes.push(...batch.changes));
  onTestFinished(() => untail?.());
  return changes;
}

/** What each change shows of its record as it was. */
async function shownBefore(service: Service, changes: readonly Change[]): Promise<(Representation | undefined)[]> {
  await service.scaffold.journal?.poll();
  return changes.map((change) => change.representBefore?.());
}

describe("What the journal shows of a record before an update", () => {
  test("is what it showed after the change before, byte for byte, with the same tag [R-DELTA-6]", async () => {
    const service = await serve(typesSql);
    const changes = changesOf(service);
    const names = columnTypes.map(({ name }) => name);
    service.other.exec("INSERT INTO things (id) VALUES (1)");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), storedValues, async (name, value) => {
        const bound = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
        service.other.prepare(`UPDATE things SET ${name} = ?`).run(bound);
        const shown = await shownBefore(service, changes);
        expect(shown.at(-1)).toEqual(changes.at(-2)?.represent());
      }),
      { numRuns: 100 },
    );
  });

  test("is nothing where the journal has not all of it, and where it is no update [R-DELTA-2]", async () => {
    const service = await serve(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b BLOB, n); INSERT INTO t VALUES (1, 'x', NULL, 0)",
    );
    const changes = changesOf(service);
    const long = "replace(hex(zeroblob(32768)), '00', 'ü')";
    service.other.exec(`
      UPDATE t SET a = 'y';
      UPDATE t SET a = ${long} || ${long} || 'z';
      UPDATE t SET n = 1;
      UPDATE t SET a = NULL;
      UPDATE t SET b = zeroblob(65536);
      UPDATE t SET b = zeroblob(65537);
      UPDATE t SET b = NULL;
      UPDATE t SET n = 2;
      UPDATE t SET id = 2;
      INSERT OR REPLACE INTO t VALUES (2, 'y', zeroblob(65537), 0);
      INSERT OR REPLACE INTO t VALUES (2, 'y', NULL, 0);
      DELETE FROM t`);
    const shown = await shownBefore(service, changes);
    expect(changes.map(({ kind }, at) => `${kind} ${shown[at] !== undefined}`)).toEqual([
      "update true",
      "update true",
      "update false",
      "update false",
      "update true",
      "update true",
      "update false",
      "update true",
      "delete false",
      "create false",
      "update true",
      "update false",
      "delete false",
    ]);
  });

  test("has the rows of lists in it as they are there, and nothing beside them [R-DELTA-7]", async () => {
    const { send } = await serve(musicSql);
    const list = await send("GET", "/artists");
    const items = parseItems(list.field("Items") ?? "");
    const rows = resolvePointer(list.json, items?.list ?? "") as { url: string }[];
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const { json } = await send("GET", row.url);
      expect(json).toEqual({ artist: row });
      expect(resolvePointer(json, items?.record ?? "")).toEqual(row);
    }
  });
});

interface Subscriber {
  readonly frames: { readonly text: string; readonly isBinary: boolean }[];
  /** Resolves with the frames from a place on, once there are so many. */
  from(place: number, count: number): Promise<string[]>;
}

/** Follows a URL of a served database over a WebSocket. */
async function follow(port: number, path: string, headers: Record<string, string>): Promise<Subscriber> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ["rocket.v1"], { headers, perMessageDeflate: false });
  onTestFinished(() => socket.terminate());
  const frames: { text: string; isBinary: boolean }[] = [];
  let heard = (): void => {};
  socket.on("message", (data: Buffer, isBinary) => {
    frames.push({ text: data.toString(), isBinary });
    heard();
  });
  const from = async (place: number, count: number): Promise<string[]> => {
    while (frames.length < place + count) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
    return frames.slice(place, place + count).map(({ text }) => text);
  };
  await from(0, 2);
  return { frames, from };
}

async function listen(service: Service): Promise<number> {
  const { origin, journal, promises } = service.scaffold;
  if (!journal) throw new Error("There is no journal.");
  const rocket = createServer({ origin, journal, promises, drainMs: 0 });
  onTestFinished(() => rocket.close());
  return (await rocket.listen(0, "127.0.0.1")).port;
}

const asking = { Accept: "application/json, application/merge-patch+json" };

describe("A served database", () => {
  test("sends who asks the bytes of a delta, and others those of the record [R-DELTA-1] [R-DELTA-6]", async () => {
    const service = await serve(musicSql);
    const port = await listen(service);
    const [asks, other] = [await follow(port, "/artists", asking), await follow(port, "/artists", {})];
    const record = await follow(port, "/artists/1", asking);
    const tags = [(await service.send("GET", "/artists/1")).field("ETag")];
    service.other.exec("UPDATE artists SET year = 1971 WHERE id = 1");
    const delta = (await asks.from(2, 1))[0] ?? "";
    const after = await service.send("GET", "/artists/1");
    tags.push(after.field("ETag"));
    const eventId = /Event-ID: ([^\r]+)/.exec(delta)?.[1];
    const bytes = [
      "HTTP/1.1 202 Accepted",
      "Content-Type: application/merge-patch+json",
      "Content-Location: /artists/1",
      `Delta-Base: ${tags[0]}`,
      `ETag: ${tags[1]}`,
      `Event-ID: ${eventId}`,
      "",
      '{"artist":{"year":1971}}',
    ].join("\r\n");
    expect(asks.frames[2]).toEqual({ text: bytes, isBinary: false });
    expect(await record.from(2, 1)).toEqual([bytes]);
    expect(await other.from(2, 1)).toEqual([
      [
        "HTTP/1.1 202 Accepted",
        "Content-Type: application/json",
        "Content-Location: /artists/1",
        `ETag: ${tags[1]}`,
        `Event-ID: ${eventId}`,
        "",
        after.text,
      ].join("\r\n"),
    ]);
  });

  test("sends numbers as they are, nulls, arrays and other keys rightly, or whole [R-DELTA-2]", async () => {
    const notes = "'".concat("n".repeat(200), "'");
    const service = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r REAL, j JSON, notes TEXT);
      INSERT INTO t VALUES (1, 1, 1.5, '[1]', ${notes})`);
    const port = await listen(service);
    const { from } = await follow(port, "/t", asking);
    const told: string[] = [];
    const place = (count: number): number => {
      const at = 2 + told.length;
      told.length += count;
      return at;
    };
    const write = async (sql: string, count = 1): Promise<string[]> => {
      service.other.exec(sql);
      const frames = await from(place(count), count);
      return frames.map((text) => {
        const [head = "", body = ""] = text.split("\r\n\r\n");
        const isDelta = head.includes("Delta-Base");
        return `${head.slice(9, 12)} ${/Location: (\S+)/.exec(head)?.[1]} ${isDelta || body === "" ? body : "whole"}`;
      });
    };
    expect(await write("UPDATE t SET n = 9007199254740991")).toEqual(['202 /t/1 {"t":{"n":9007199254740991}}']);
    // Beyond what a double keeps, integers are strings.
    expect(await write("UPDATE t SET n = 9007199254740993")).toEqual(['202 /t/1 {"t":{"n":"9007199254740993"}}']);
    expect(await write("UPDATE t SET n = 7, r = 1e300")).toEqual(['202 /t/1 {"t":{"n":7,"r":1e+300}}']);
    // The JSON of a column is given out as it is stored.
    expect(await write("UPDATE t SET j = '[12345678901234567890]'")).toEqual(["202 /t/1 whole"]);
    expect(await write("UPDATE t SET r = 0.25")).toEqual(["202 /t/1 whole"]);
    expect(await write("UPDATE t SET j = '[3]'")).toEqual(["202 /t/1 whole"]);
    expect(await write("UPDATE t SET r = 0.1")).toEqual(['202 /t/1 {"t":{"r":0.1}}']);
    expect(await write("UPDATE t SET n = NULL")).toEqual(["202 /t/1 whole"]);
    expect(await write("UPDATE t SET n = 8")).toEqual(['202 /t/1 {"t":{"n":8}}']);
    expect(await write("UPDATE t SET j = '[2,null]'")).toEqual(['202 /t/1 {"t":{"j":[2,null]}}']);
    expect(await write(`UPDATE t SET j = '{"a":{"b":1,"c":2}}'`)).toEqual(['202 /t/1 {"t":{"j":{"a":{"b":1,"c":2}}}}']);
    expect(await write(`UPDATE t SET j = '{"a":{"c":3}}'`)).toEqual(['202 /t/1 {"t":{"j":{"a":{"c":3,"b":null}}}}']);
    expect(await write("UPDATE t SET id = 2", 2)).toEqual(["204 /t/1 ", "201 /t/2 whole"]);
  });

  test("goes on with deltas after a resume, once what was missed was sent whole [R-DELTA-6] [R-RES-1]", async () => {
    const service = await serve(musicSql);
    const port = await listen(service);
    const first = await follow(port, "/artists", asking);
    service.other.exec("UPDATE artists SET year = 1971 WHERE id = 1");
    const eventId = /Event-ID: ([^\r]+)/.exec((await first.from(2, 1))[0] ?? "")?.[1] ?? "";
    service.other.exec("UPDATE artists SET year = 1972 WHERE id = 1");
    await first.from(3, 1);
    const second = await follow(port, "/artists", { ...asking, "Last-Event-ID": eventId });
    const caughtUp = await second.from(0, 3);
    service.other.exec("UPDATE artists SET year = 1973 WHERE id = 1");
    const live = await second.from(3, 1);
    const kinds = [...caughtUp, ...live].map(
      (text) => `${text.slice(9, 12)} ${/Content-Type: (\S+)/.exec(text)?.[1] ?? ""}`,
    );
    expect(kinds).toEqual(["304 ", "202 application/json", "304 ", "202 application/merge-patch+json"]);
  });

  test("promises it at the well-known URL [R-WK-4]", async () => {
    const service = await serve(musicSql);
    const port = await listen(service);
    const answer = await fetch(`http://127.0.0.1:${port}/.well-known/rocket`);
    const { rocket } = (await answer.json()) as { rocket: { promises: string[] } };
    expect(rocket.promises).toContain("merge-patch");
    expect(fieldValue([...answer.headers], "content-type")).toBe("application/json");
  });
});
