import { describe, expect, onTestFinished, test } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { type RowFilter, where } from "../../../src/scaffold/index.ts";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer } from "../../../src/testing/index.ts";
import { type AppSite, serveApp } from "./app-site.ts";
import { column, serveRules, tokenOf } from "./rules-site.ts";
import { type EngineSql, here, type TestOptions } from "./service.ts";
import { told, until } from "./told.ts";

const sql: EngineSql = `
  CREATE TABLE teams (id integer PRIMARY KEY, name text);
  CREATE TABLE members (team_id integer NOT NULL REFERENCES teams (id), person text NOT NULL, PRIMARY KEY (team_id, person));
  CREATE TABLE notes (id integer PRIMARY KEY, owner text NOT NULL, team_id integer REFERENCES teams (id), text text, secret text);
  CREATE TABLE closed (id integer PRIMARY KEY);
  INSERT INTO teams VALUES (1, 'one'), (2, 'two');
  INSERT INTO members VALUES (1, 'ann'), (2, 'bob');
  INSERT INTO closed VALUES (1);
  INSERT INTO notes VALUES (1, 'ann', 1, 'a1', 's'), (2, 'bob', 2, 'b2', 's'), (3, 'cy', 1, 'c3', 's');`;

interface Person {
  readonly sub: string;
  readonly kind: string;
  readonly teams: readonly number[];
}

const people = {
  ann: (): Person => ({ sub: "ann", kind: "admin", teams: [1] }),
  bob: (): Person => ({ sub: "bob", kind: "member", teams: [2] }),
  visitor: () => ({}),
};

type Rows = (viewer: Person, table: string, action: string) => RowFilter;

const own: Rows = (viewer, table, action) => {
  if (table !== "notes") return undefined;
  return action === "read" ? where`or=(owner.eq.${viewer.sub},team_id.in.(${viewer.teams}))` : "owner=eq.$sub";
};

function open(rows: Rows, options: TestOptions = {}): Promise<AppSite> {
  return serveApp(sql, { ...people }, { rows: rows as unknown as NonNullable<TestOptions["rows"]>, ...options });
}

const ids = async (site: AppSite, name: string, target = "/notes"): Promise<unknown[]> =>
  column(await site.as(name, "GET", target), "id");

describe("The rows that an application gives a viewer", () => {
  test("are all that it may read, and write, by action", async () => {
    const site = await open(own);
    const status = async (name: string, method: string, target: string, body?: object): Promise<number> =>
      (await site.as(name, method, target, body)).status;

    expect([await ids(site, "ann"), await ids(site, "bob"), await ids(site, "visitor")]).toEqual([[1, 3], [2], []]);
    expect([
      await status("ann", "GET", "/notes/2"),
      await status("ann", "PATCH", "/notes/1", { text: "x" }),
      await status("ann", "PATCH", "/notes/1", { owner: "bob" }),
      await status("ann", "PATCH", "/notes/3", { text: "x" }),
      await status("ann", "PATCH", "/notes/2", { text: "x" }),
      await status("ann", "POST", "/notes", { id: 4, owner: "ann" }),
      await status("ann", "POST", "/notes", { id: 5, owner: "bob" }),
      await status("ann", "DELETE", "/notes/3"),
      await status("ann", "DELETE", "/notes/4"),
    ]).toEqual([404, 200, 403, 403, 404, 201, 403, 403, 204]);
    expect(await site.rows("SELECT id, owner FROM notes ORDER BY id")).toEqual([
      [1, "ann"],
      [2, "bob"],
      [3, "cy"],
    ]);
  });

  test("are none of a table that it says nothing of, or false", async () => {
    const site = await open((_viewer, table) => (table === "notes" ? false : undefined));

    expect([await ids(site, "ann"), await ids(site, "ann", "/closed")]).toEqual([[], []]);
    expect((await site.as("ann", "POST", "/closed", { id: 2 })).status).toBe(403);
  });

  test("are asked for once in a request, by table and action", async () => {
    const asked: string[] = [];
    const site = await open((viewer, table, action) => {
      asked.push(`${viewer.sub} ${action} ${table}`);
      return true;
    });

    await site.as("ann", "GET", "/notes?select=*,teams(*)&limit=2");
    await site.as("bob", "PATCH", "/notes/1", { text: "x" });

    expect(asked.filter((one) => one.startsWith("ann")).toSorted()).toEqual(["ann read notes", "ann read teams"]);
    expect(asked.filter((one) => one.startsWith("bob")).toSorted()).toEqual(["bob read notes", "bob update notes"]);
  });

  test("hold beside rules, which say what columns there are", async () => {
    const read = "team_id=eq.1";
    const site = await open(own, { rules: { notes: { read, columns: { read: ["owner", "text"] } } } });

    const answer = await site.as("ann", "GET", "/notes");

    expect([await ids(site, "ann"), await ids(site, "bob")]).toEqual([[1, 3], []]);
    expect(answer.text).not.toContain("secret");
    expect((await site.as("ann", "POST", "/notes", { id: 9, owner: "ann" })).status).toBe(403);
    expect((await site.as("ann", "GET", "/teams")).status).toBe(404);
  });

  test("follow paths along foreign keys, and what is embedded is judged, too", async () => {
    const site = await open((viewer, table) =>
      table === "notes" ? where`team.members.person=eq.${viewer.sub}` : table === "teams" && viewer.kind === "admin",
    );

    expect([await ids(site, "ann"), await ids(site, "bob")]).toEqual([[1, 3], [2]]);
    expect((await site.as("bob", "GET", "/notes?select=id,teams(name)")).json).toEqual({
      notes: [expect.objectContaining({ id: 2, teams: null })],
    });
  });

  test("may be said of those that tokens name, too", async () => {
    const rows = (viewer: Readonly<Record<string, unknown>>): RowFilter => where`owner=eq.${viewer.sub}`;
    const site = await serveRules(sql, undefined as never, { rows: rows as NonNullable<TestOptions["rows"]> });

    expect(column(await site.as({ sub: "bob" }, "GET", "/notes"), "id")).toEqual([2]);
    expect(column(await site.send("GET", "/notes"), "id")).toEqual([]);
  });
});

describe("A value in a filter", () => {
  test.each<readonly [string, unknown, readonly number[]]>([
    ["is itself, whatever it has of a filter's text", "cy,owner.eq.ann", []],
    ["is no claim", "$sub", []],
    ["is no two parameters", "x&or=(id.gt.0)", []],
    ["is no escaped one", "x%26id=gt.0", []],
    ["is a text", "cy", [3]],
    ["that is missing is met by nothing", undefined, []],
    ["that is null is met by nothing", null, []],
    ["that is an object is met by nothing", { sub: "cy" }, []],
    ["that is a list where one is expected is met by nothing", ["cy"], []],
  ])("%s", async (_name, value, expected) => {
    const site = await open((_viewer, table) => table === "notes" && where`owner=eq.${value}`);

    expect(await ids(site, "ann")).toEqual(expected);
  });

  test("that is missing is met by nothing under not, too", async () => {
    const site = await open(() => where`owner=neq.${undefined}`);

    expect(await ids(site, "ann")).toEqual([]);
  });

  test("may be a number, a big integer, a date, a truth, or a list of them", async () => {
    const dates = here({ sqlite: "text", postgres: "timestamptz" });
    const site = await open((_viewer, table) =>
      table === "things" ? where`at=lte.${new Date(1_000)}&ok=is.true&n=in.(${[1, 2n]},${3})` : true,
    );
    await site.run(
      `CREATE TABLE things (id integer PRIMARY KEY, at ${dates}, ok ${here({ sqlite: "BOOLEAN", postgres: "boolean" })}, n integer)`,
    );
    await site.run(
      "INSERT INTO things VALUES (1, '1970-01-01T00:00:00.000Z', TRUE, 1), (2, '1970-01-01T00:00:00.500Z', TRUE, 2), (3, '2020-01-01T00:00:00.000Z', TRUE, 3), (4, '1970-01-01T00:00:00.000Z', TRUE, 4)",
    );

    expect(await ids(site, "ann", "/things")).toEqual([1, 2]);
  });

  test.each<readonly [string, () => RowFilter]>([
    ["in a pattern", () => where`owner=like.*${"a"}*`],
    ["as a pattern", () => where`owner=like.${"a"}`],
    ["as a part of a text", () => where`owner=eq.x${"a"}`],
    ["behind a dollar", () => where`owner=eq.$${"a"}`],
    ["as an operator", () => where`owner=${"eq"}.ann`],
    ["in the place of a condition", () => where`or=(${"owner.eq.ann"})`],
  ])("has to stand by itself, and else nothing is shown: %s", async (_name, filter) => {
    const site = await open((_viewer, table) => table === "notes" && filter());

    const answer = await site.as("ann", "GET", "/notes");

    expect([answer.status, /a1|b2|c3/.test(answer.text)]).toEqual([500, false]);
    expect(site.errors.map(String).join()).toContain('What `rows` gives for read of "notes" can\'t be: ');
  });
});

describe("What an application can't say", () => {
  const failing: readonly (readonly [string, Rows, string])[] = [
    [
      "it throws",
      () => {
        throw new Error("the reason");
      },
      'What `rows` gives for read of "notes" threw an error.',
    ],
    ["it is async", (async () => true) as unknown as Rows, "belongs into the viewer, by `authorize`"],
    ["it names no column", () => "ownr=eq.1", 'There is no column "ownr"'],
    ["it is no filter", () => "owner=eq.ann&limit=1", '"limit" is no part of a rule'],
    ["it is a number", (() => 1) as unknown as Rows, "neither a text nor true nor false"],
  ];

  test.each(failing)("is a 500, and nothing is shown: %s", async (_name, rows, told) => {
    const site = await open(rows);

    const answers = [
      await site.as("ann", "GET", "/notes"),
      await site.as("ann", "GET", "/notes/1"),
      await site.as("ann", "GET", "/teams?select=*,notes(*)"),
      await site.as("ann", "POST", "/notes", { id: 9, owner: "ann" }),
      await site.as("ann", "DELETE", "/notes/1"),
    ];
    const peer = await site.follow("ann", "/notes");

    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500]);
    expect(answers.map(({ text }) => text).join()).not.toMatch(/a1|the reason|ownr/);
    expect(peer.messages.map(({ status }) => status)).toEqual([500]);
    expect(site.errors.map(String).join("\n")).toContain(told);
    expect(await site.rows("SELECT count(*) FROM notes")).toEqual([[here<unknown>({ sqlite: 3, postgres: "3" })]]);
  });

  test("of a record without a key that is to be made is a 500, unless it is yes or no", async () => {
    const site = await open((viewer, table) =>
      table === "log" ? (viewer.kind === "admin" ? true : "text=eq.x") : true,
    );
    await site.run(
      here({ sqlite: "CREATE VIEW log AS SELECT text FROM notes", postgres: "CREATE TABLE log (text text)" }),
    );
    await site.run(
      here({
        sqlite:
          "CREATE TRIGGER log_it INSTEAD OF INSERT ON log BEGIN INSERT INTO notes (owner, text) VALUES ('l', new.text); END",
        postgres: "SELECT 1",
      }),
    );

    const [admins, members] = [
      await site.as("ann", "POST", "/log", { text: "x" }),
      await site.as("bob", "POST", "/log", { text: "x" }),
    ];

    expect([admins.status, members.status]).toEqual([201, 500]);
    expect(site.errors.map(String).join()).toContain("which has no key, can't be judged");
  });
});

describe("A live view of an application's rows", () => {
  test("is told what comes in, changes and goes out, and nothing else", async () => {
    const site = await open(own);
    const [anns, bobs] = [await site.follow("ann", "/notes"), await site.follow("bob", "/notes")];

    await site.change("UPDATE notes SET text = 'x' WHERE id = 1");
    await site.change("UPDATE notes SET owner = 'bob', team_id = 2 WHERE id = 1");
    await site.change("INSERT INTO notes VALUES (4, 'ann', NULL, 'a4', 's')");
    await site.change("DELETE FROM notes WHERE id = 4");
    await until(() => told(anns).length === 5 && told(bobs).length === 2);

    expect(told(anns)).toEqual(["200", "202 /notes/1", "204 /notes/1", "201 /notes/4", "204 /notes/4"]);
    expect(told(bobs)).toEqual(["200", "201 /notes/1"]);
    expect((await site.as("ann", "GET", "/notes")).view?.collection).toBe("/notes");
  });

  test("is judged anew once the application says that it may be others", async () => {
    let teams = [1];
    const site = await open((_viewer, table) => table === "notes" && where`team_id=in.(${teams})`);
    const peer = await site.follow("ann", "/notes");

    teams = [2];
    site.scaffold.rightsChanged();
    await until(() => told(peer).length === 2);
    await site.change("UPDATE notes SET text = 'x'");
    await until(() => told(peer).length === 3);

    expect(told(peer)).toEqual(["200", "200", "202 /notes/2"]);
  });

  test("is judged anew for those that tokens name, too", async () => {
    let isOpen = true;
    const site = await serveRules(sql, undefined as never, { rows: () => isOpen && "owner=eq.$sub" });
    const { origin, journal, derived, revocations } = site.scaffold;
    const hub = createHub({ origin, derived, revocations, ...(journal && { journal }) });
    onTestFinished(() => void hub.close(0));
    const peers = await Promise.all(
      ["ann", "bob"].map(async (sub) => {
        const fields = [["Host", "example.com"], ...Object.entries(await tokenOf({ sub }))] as Field[];
        return connectMemoryPeer(hub, "/notes", { fields });
      }),
    );
    await until(() => peers.every((peer) => told(peer).length === 1));

    isOpen = false;
    site.scaffold.rightsChanged(({ sub }) => sub === "ann");
    await until(() => peers[0]?.messages.filter(({ status }) => status === 304).length === 2);

    expect(
      peers.map(({ messages }) =>
        messages.filter(({ status }) => status === 200).map(({ body }) => /a1|b2/.exec(String(body))?.[0]),
      ),
    ).toEqual([["a1", undefined], ["b2"]]);
  });
});
