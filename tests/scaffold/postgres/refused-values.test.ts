import { SignJWT } from "jose";
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

/** A service to whom comes whoever the first token says. */
async function serveTo(role: string | undefined, text: string) {
  if (role === undefined) return serve(server, text);
  const secret = "0123456789abcdef0123456789abcdef";
  const grants = `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role}`;
  const service = await serve(server, `${text}; ${grants}`, { tokens: { secret } });
  const claims = new SignJWT({ role }).setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h");
  const Authorization = `Bearer ${await claims.sign(new TextEncoder().encode(secret))}`;
  const send: typeof service.send = (method, target, body, fields) =>
    service.send(method, target, body, { Authorization, ...fields });
  return { ...service, send };
}

test("A number that the database gives by itself, and another record has, is said to be the database's own fault", async () => {
  const { send } = await serve(server, "CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE)");
  expect((await send("POST", "/t", { id: 1, a: 1 })).status).toBe(201);
  const own = await send("POST", "/t", { a: 2 });
  expect([own.status, own.json]).toMatchObject([
    409,
    {
      detail: expect.stringMatching(/^The database gave the record a value by itself that another one has\. .*setval/),
      errors: [{ field: "id", detail: "The database gave this value, and another record has it." }],
    },
  ]);
  const given = await send("POST", "/t", { id: 2, a: 1 });
  expect(given.json).toMatchObject({ errors: [{ field: "a", detail: "Another record has this value." }] });
});

describe.each([undefined, "webby"])(
  "A value that PostgreSQL does not read as its column's type, as the role %s",
  (role) => {
    test("is a 422 that names the column and the value, however it is written", async () => {
      const { send, errors } = await serveTo(role, sql);

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
      const { send } = await serveTo(role, sql);
      const upsert = (body: object) =>
        send("POST", "/t?on_conflict=u", body, { Prefer: "resolution=merge-duplicates" });
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
  },
);

describe.each([undefined, "webby"])("A value that is too long for its column, as the role %s", (role) => {
  const tables = `CREATE DOMAIN code AS varchar(3);
    CREATE TABLE t (id serial PRIMARY KEY, free text, v varchar(5), c char(2), n numeric(5, 2), r numeric(3, -2), d code, s smallint)`;

  test.each([
    ["v", "sixsix", 'The column does not take "sixsix". It takes at most 5 characters.'],
    ["v", "👋👋👋👋👋👋", 'The column does not take "👋👋👋👋👋👋". It takes at most 5 characters.'],
    ["c", "abc", 'The column does not take "abc". It takes at most 2 characters.'],
    ["n", 1000, 'The column does not take "1000". It takes numeric(5,2).'],
    ["n", "999.995", "Digits of this number would be lost: this column can't hold it."],
    ["r", 100000, 'The column does not take "100000". It takes numeric(3,-2).'],
    ["d", "abcd", 'The column does not take "abcd".'],
    ["s", 40000, "Digits of this number would be lost: this column can't hold it."],
  ])("is a 422 that names the column and what it takes: %s = %o", async (field, value, detail) => {
    const { send, errors } = await serveTo(role, tables);
    expect((await send("POST", "/t", { v: "five5", c: "ab", n: 999.99, r: 99900, d: "abc" })).status).toBe(201);

    const body = { free: "a text of any length", v: "five5   ", [field]: value };
    for (const [method, target] of [
      ["POST", "/t"],
      ["PUT", "/t/1"],
      ["PATCH", "/t/1"],
      ["PUT", "/t/7"],
    ] as const) {
      const { status, json } = await send(method, target, body);
      expect([method, status, (json as { errors: object }).errors]).toEqual([method, 422, [{ field, detail }]]);
    }
    expect((await send("GET", "/t?select=id")).json).toEqual({ t: [{ url: "/t/1", id: 1 }] });
    expect(errors).toEqual([]);
  });

  test("is found behind those that fit, NaN too", async () => {
    const { send } = await serveTo(role, tables);
    expect((await send("POST", "/t", { n: "NaN", v: "sixsix", c: "ab" })).json).toMatchObject({
      errors: [{ field: "v", detail: 'The column does not take "sixsix". It takes at most 5 characters.' }],
    });
    expect((await send("POST", "/t", [{ v: "five5" }, { v: "sixsix" }])).json).toMatchObject({
      detail: "Record 2 of the list: A value is none that its column takes.",
      errors: [{ field: "v" }],
    });
    expect((await send("GET", "/t")).json).toEqual({ t: [] });
  });

  test("is one that the request did not give: then no column is named", async () => {
    const { send } = await serve(
      server,
      "CREATE TABLE t (id serial PRIMARY KEY, a text, v varchar(5) DEFAULT 'sixsix')",
    );
    expect((await send("POST", "/t", { a: "sixsix" })).json).toMatchObject({
      status: 422,
      detail: "A value is of a type that its column does not take.",
    });
  });
});
