import { describe, expect, test } from "vitest";
import { column, type RulesSite, serveRules } from "./rules-site.ts";

const sql = `CREATE TABLE boards (id integer PRIMARY KEY, name text);
  CREATE TABLE seats (board integer NOT NULL REFERENCES boards (id), person text, PRIMARY KEY (board, person));
  CREATE TABLE cards (id integer PRIMARY KEY, board_id bigint REFERENCES boards (id), owner text, title text UNIQUE);
  CREATE TABLE lanes (board integer, name text, PRIMARY KEY (board, name));
  CREATE TABLE notes (id integer PRIMARY KEY, board integer, lane text, title text UNIQUE,
    CONSTRAINT lane FOREIGN KEY (board, lane) REFERENCES lanes (board, name));
  INSERT INTO boards VALUES (1, 'anns'), (2, 'bobs');
  INSERT INTO seats VALUES (1, 'ann'), (2, 'bob');
  INSERT INTO cards VALUES (1, 1, 'ann', 'a1'), (2, 2, 'bob', 'b2');
  INSERT INTO lanes VALUES (1, 'ann'), (2, 'ann'), (2, 'bob');
  INSERT INTO notes VALUES (1, 1, 'ann', 'n1'), (2, 2, 'bob', 'n2')`;

const [ann, bob] = [{ sub: "ann" }, { sub: "bob" }];
const member = "board.seats.person=eq.$sub";
const ignore = { Prefer: "resolution=ignore-duplicates" };
const merge = { Prefer: "resolution=merge-duplicates" };

function open(rule: string = member): Promise<RulesSite> {
  const cards = { read: rule, create: rule, update: rule, delete: rule };
  return serveRules(sql, { cards, boards: { read: "seats.person=eq.$sub" } });
}

describe("A write that the database refuses, and that the viewer may not make by a path", () => {
  const bodies: readonly (readonly [what: string, body: object])[] = [
    ["a hidden record's foreign key", { id: 5, board_id: 1, title: "x" }],
    ["a missing record's foreign key", { id: 5, board_id: 99, title: "x" }],
    ["a hidden record's key", { id: 1, board_id: 1, title: "x" }],
    ["a hidden record's value", { id: 5, board_id: 1, title: "a1" }],
    ["a hidden record's key and no board", { id: 1, board_id: null, title: "x" }],
    ["a foreign key that fits no column", { id: 5, board_id: 99_999_999_999, title: "x" }],
  ];

  test.each(bodies)("is a 403 like others: %s", async (_, body) => {
    const site = await open();

    const answers = [
      await site.as(bob, "POST", "/cards", body),
      await site.as(bob, "POST", "/cards", [{ id: 6, board_id: 2, title: "own" }, body]),
      await site.as(bob, "POST", "/cards", body, ignore),
      await site.as(bob, "POST", "/cards", body, merge),
      await site.as(bob, "POST", "/cards", [body], ignore),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await site.rows("SELECT id FROM cards ORDER BY id")).toEqual([[1], [2]]);
  });

  test.each([1, 99])("is a 403 where a foreign key is changed to %i", async (board) => {
    const site = await open();

    const answers = [
      await site.as(bob, "PATCH", "/cards/2", { board_id: board }),
      await site.as(bob, "PATCH", "/cards?id=eq.2", { board_id: board }),
      await site.as(bob, "PUT", "/cards/2", { board_id: board, title: "a1" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test("is a 403 where any of several ways is none", async () => {
    const site = await open("or=(owner.eq.$sub,board.seats.person.eq.$sub)");
    const post = (body: object) => site.as(bob, "POST", "/cards", { id: 5, title: "x", ...body });

    const answers = [await post({ owner: "ann", board_id: 99 }), await post({ owner: "bob", board_id: 99 })];

    expect(answers.map(({ status }) => status)).toEqual([403, 409]);
  });

  test("is a 403 where a part of a foreign key is changed", async () => {
    const rule = "lane.name=eq.$sub&lane.board=eq.2";
    const site = await serveRules(sql, {
      notes: { read: "", create: rule, update: rule },
      lanes: { read: rule.replaceAll("lane.", "") },
    });

    const answers = [
      await site.as(bob, "PATCH", "/notes/2", { board: 1 }),
      await site.as(bob, "PATCH", "/notes/2", { lane: "none" }),
      await site.as(bob, "PATCH", "/notes/2", { title: "n1" }),
      await site.as(bob, "PATCH", "/notes/2", { lane: "bob", title: "new" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 409, 200]);
  });
});

describe("A write that the database refuses, and that the viewer may make by a path", () => {
  test("is told as it is", async () => {
    const site = await open();

    const answers = [
      await site.as(ann, "POST", "/cards", { id: 1, board_id: 1, title: "x" }),
      await site.as(ann, "PATCH", "/cards/1", { title: "b2" }),
      await site.as(ann, "PATCH", "/cards/1", { board_id: 1, title: "b2" }),
      await site.as(ann, "POST", "/cards", { id: 1, board_id: 1, title: "new" }, merge),
      await site.as(ann, "POST", "/cards", { id: 7, board_id: 1, title: "more" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 200, 201]);
    expect(column(await site.as(ann, "GET", "/cards?select=title&order=title"), "title")).toEqual(["more", "new"]);
  });
});
