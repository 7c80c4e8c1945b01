import { expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

const sql = `CREATE TABLE notes (id int PRIMARY KEY, tags text[], doc json, by text);
  INSERT INTO notes VALUES (1, '{a}', '{}', 'x');
  CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.by := current_setting('request.method') || ' ' || current_setting('request.path') || ' ' || current_setting('request.jwt.claims');
    RETURN NEW; END $$;
  CREATE TRIGGER sign BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION sign();
  CREATE FUNCTION header(name text) RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_setting('request.headers')::json->>name $$;
  CREATE FUNCTION header_now(name text) RETURNS text LANGUAGE sql AS $$ SELECT current_setting('request.headers')::json->>name $$;
  CREATE TYPE pair AS (a int, b int);
  CREATE DOMAIN positive_pair AS pair CHECK ((VALUE).a > 0);
  CREATE FUNCTION a_pair() RETURNS positive_pair STABLE LANGUAGE sql AS $$ SELECT ROW(10, 5)::positive_pair $$;
  CREATE FUNCTION pairs() RETURNS SETOF positive_pair STABLE LANGUAGE sql AS $$ SELECT ROW(10, 5)::positive_pair $$;
  CREATE TABLE holders (id int PRIMARY KEY, held positive_pair, kind regclass);
  INSERT INTO holders VALUES (1, ROW(10, 5));`;

it("names the types of arrays in the schema document, and the JSON that they take", async () => {
  const { send } = await serve(server, sql);
  const { json } = await send("GET", "/.well-known/rocket/schema");
  const { collections } = json as {
    collections: { name: string; columns: Record<"name" | "type" | "kind", string>[] }[];
  };
  const { columns = [] } = collections.find(({ name }) => name === "notes") ?? {};
  const told = columns.map(({ name, type, kind }) => `${name} ${type} ${kind}`);
  expect(told).toEqual(["id int4 number", "tags text[] json", "doc json json", "by text text"]);
});

it("names other types in the schema document, and says what an enum has, as it is then", async () => {
  const { send, client } = await serve(
    server,
    `CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'so so' BEFORE 'ok'; CREATE DOMAIN shown AS mood;
     CREATE TYPE pair AS (a int, b mood); CREATE TYPE span AS RANGE (subtype = int);
     CREATE TABLE days (id int PRIMARY KEY, mood mood, shown shown, moods mood[], pair pair, span span)`,
  );
  const described = async (): Promise<string[]> => {
    const { json } = await send("GET", "/.well-known/rocket/schema");
    const [{ columns } = { columns: [] }] = (
      json as { collections: { columns: { name: string; type: string; values?: string[] }[] }[] }
    ).collections;
    return columns.map(({ name, type, values }) => [name, type, ...(values ?? [])].join(" "));
  };
  expect(await described()).toEqual([
    ...["id int4", "mood mood sad so so ok", "shown mood sad so so ok", "moods mood[]", "pair pair", "span span"],
  ]);
  await client.query("ALTER TYPE mood ADD VALUE 'glad'");
  expect((await described())[1]).toBe("mood mood sad so so ok glad");
  const { status, json } = await send("POST", "/days", { id: 1, mood: "glad", moods: ["ok", "glad"] });
  expect([status, json]).toMatchObject([201, { day: { mood: "glad", moods: ["ok", "glad"] } }]);
});

it("tells triggers and functions about the request where there are no tokens", async () => {
  const { send, errors } = await serve(server, sql);
  const made = await send("POST", "/notes", { id: 2 }, { Prefer: "return=representation" });
  const changed = await send("PATCH", "/notes/1", { tags: [] }, { "Content-Type": "application/merge-patch+json" });
  const note = (await send("GET", "/notes/1")).json;
  const read = await send("GET", "/rpc/header?name=x-own", undefined, { "X-Own": "one" });
  const called = await send("POST", "/rpc/header_now", { name: "x-own" }, { "X-Own": "two" });
  expect([made.status, (made.json as { note: { by: string } }).note.by]).toEqual([201, "POST /notes {}"]);
  expect([changed.status < 300, (note as { note: { by: string } }).note.by]).toEqual([true, "PATCH /notes/1 {}"]);
  expect([read.json, called.json, errors]).toEqual([{ header: "one" }, { header_now: "two" }, []]);
});

it.each([
  ["/rpc/a_pair", { a_pair: "(10,5)" }],
  ["/rpc/pairs", { pairs: ["(10,5)"] }],
  ["/holders/1", { holder: { url: "/holders/1", id: 1, held: "(10,5)", kind: null } }],
])("shows all of a value of a domain over a composite type: %s", async (target, json) => {
  const { send, errors } = await serve(server, sql);
  expect([(await send("GET", target)).json, errors]).toEqual([json, []]);
});

it.each([
  [`/notes?tags=cs.${"{".repeat(501)}${"}".repeat(501)}`],
  [`/notes?tags=eq.${"{".repeat(501)}${"}".repeat(501)}`],
  ["/holders?kind=eq.none_such"],
  ["/notes?select=doc,count()"],
])("refuses what PostgreSQL can't read or compare, and logs nothing: %s", async (target) => {
  const { send, errors } = await serve(server, sql);
  expect([(await send("GET", target)).status, errors]).toEqual([400, []]);
});
