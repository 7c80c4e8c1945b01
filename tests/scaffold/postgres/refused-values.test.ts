import { describe, expect, test } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

const sql = `CREATE TYPE kind AS ENUM ('inbox', 'sent');
  CREATE TABLE t (id serial PRIMARY KEY, u uuid UNIQUE, d date, i inet, l interval, z timestamptz, p point, k kind, ks kind[], n smallint);
  INSERT INTO t (n) VALUES (1)`;

const cases = [
  ["u", "no", 'The column does not take "no".'],
  ["d", "yesterday evening", 'The column does not take "yesterday evening".'],
  ["d", "2024-02-31", 'The column does not take "2024-02-31".'],
  ["i", "300.1.1.1", 'The column does not take "300.1.1.1".'],
  ["l", "a while", 'The column does not take "a while".'],
  ["z", "2024-13-01", 'The column does not take "2024-13-01".'],
  ["p", "(1)", 'The column does not take "(1)".'],
  ["k", "BAD", 'The column does not take "BAD". It takes inbox, sent.'],
  ["ks", ["inbox", "BAD"], 'The column does not take "{\\"inbox\\",\\"BAD\\"}". It takes inbox, sent.'],
] as const;

describe("A value that PostgreSQL does not read as its column's type", () => {
  test("is a 422 that names the column and the value, however it is written", async () => {
    const { send, errors } = await serve(server, sql);

    for (const [field, value, detail] of cases) {
      const body = { n: 2, [field]: value };
      const refused = { status: 422, detail: "A value is none that its column takes.", errors: [{ field, detail }] };
      for (const [method, target] of [
        ["POST", "/t"],
        ["PUT", "/t/1"],
        ["PUT", "/t/9"],
        ["PATCH", "/t/1"],
      ] as const) {
        expect((await send(method, target, body)).json, `${method} ${target} ${field}`).toMatchObject(refused);
      }
      expect((await send("PATCH", "/t/1", { [field]: value })).json).toMatchObject(refused);
      expect((await send("POST", "/t", [{ n: 3 }, body])).json).toMatchObject({
        ...refused,
        detail: "Record 2 of the list: A value is none that its column takes.",
      });
      expect((await send("PATCH", "/t?id=eq.1", body)).json).toMatchObject({
        ...refused,
        detail: "The record /t/1: A value is none that its column takes.",
      });
    }
    expect((await send("GET", "/t?select=id,n")).json).toMatchObject({ t: [{ id: 1, n: 1 }] });
    expect(errors).toEqual([]);
  });

  test("is so in an upsert, also by the column that tells whether it is there", async () => {
    const { send } = await serve(server, sql);
    const upsert = (body: object) => send("POST", "/t?on_conflict=u", body, { Prefer: "resolution=merge-duplicates" });
    const id = "00000000-0000-4000-8000-000000000000";

    expect((await upsert({ u: "no" })).json).toMatchObject({
      errors: [{ field: "u", detail: 'The column does not take "no".' }],
    });
    for (let time = 0; time < 2; time += 1) {
      expect((await upsert({ u: id, k: "BAD" })).json).toMatchObject({
        errors: [{ field: "k", detail: 'The column does not take "BAD". It takes inbox, sent.' }],
      });
      expect((await upsert({ u: id, k: "sent" })).status).toBe(time === 0 ? 201 : 200);
    }
  });
});
