import { describe, expect, it } from "vitest";
import { serve } from "../scaffold/sqlite/service.ts";

const sql = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN, size REAL, name TEXT, any);
  INSERT INTO t VALUES (1, 1, 1.5, 'a' || char(0) || 'b', 'a' || char(0) || 'b');
  CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;
  INSERT INTO words VALUES ('1'), ('a'), ('a' || char(0) || 'b');
  CREATE TABLE pairs (a REAL, b BOOLEAN, PRIMARY KEY (a, b)) WITHOUT ROWID;
  INSERT INTO pairs VALUES (1.5, 1);
`;

describe("a database's URLs", () => {
  it.each([
    "/t/1%00",
    "/t/1%00x",
    "/t/%001",
    "/t/1.0%00",
    "/t?id=1%00",
    "/t?flag=1%00",
    "/t?flag=true%00",
    "/t?size=1.5%00y",
    "/pairs/1.5%00,true",
    "/pairs/1.5,1%00",
  ])("are no other record's by a NUL that SQL stops at: %s is a 400", async (target) => {
    const { send } = await serve(sql);
    expect((await send("GET", target)).status).toBe(400);
    expect((await send("DELETE", target.replace(/\?.*/, "/1%00"))).status).toBe(400);
    expect((await send("GET", "/t/1")).status).toBe(200);
  });

  it("have a NUL where a text has one, and tell it from the text before it", async () => {
    const { send } = await serve(sql);
    expect((await send("GET", "/words/a%00b")).json).toMatchObject({ word: { word: "a\0b" } });
    expect((await send("GET", "/words/a")).json).toMatchObject({ word: { word: "a" } });
    expect((await send("GET", "/words/1%00")).status).toBe(404);
    expect((await send("GET", "/t?name=a")).json).toEqual({ t: [] });
    expect((await send("GET", "/t?any=a")).json).toEqual({ t: [] });
    expect((await send("GET", "/t?any=a%00b")).json).toMatchObject({ t: [{ id: 1 }] });
  });

  it.each(["//t/1", "/t//1", "/t/1/", "/t/1//", "/./t/1", "/x/../t/1", "/t%2F1", "/t/1;a", "/t\\1", "/T/1"])(
    "are not taken for one where they are spelt %s",
    async (target) => {
      const { send } = await serve(sql);
      expect((await send("GET", target)).status).toBe(404);
    },
  );
});
