import { describe, expect, test } from "vitest";
import type { Rules } from "../../../src/scaffold/index.ts";
import { type RulesSite, rowsIn, serveRules } from "./rules-site.ts";

const sql = `CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT);
  CREATE TABLE members (team_id INTEGER NOT NULL REFERENCES teams (id), person TEXT NOT NULL, PRIMARY KEY (team_id, person));
  CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, team_id INTEGER REFERENCES teams (id), text TEXT, secret TEXT);
  CREATE TABLE tags (id INTEGER PRIMARY KEY, word TEXT);
  CREATE TABLE notes_tags (note_id INTEGER NOT NULL REFERENCES notes (id), tag_id INTEGER NOT NULL REFERENCES tags (id),
    by_person TEXT NOT NULL, PRIMARY KEY (note_id, tag_id));
  CREATE TABLE closed (id INTEGER PRIMARY KEY, note_id INTEGER REFERENCES notes (id));
  INSERT INTO teams VALUES (1, 'Reds', 's1'), (2, 'Blues', 's2');
  INSERT INTO members VALUES (1, 'ann'), (2, 'bob');
  INSERT INTO notes VALUES (1, 'ann', 1, 'a', 'x'), (2, 'bob', 1, 'b', 'y'), (3, 'bob', 2, 'c', 'z');
  INSERT INTO tags VALUES (1, 'one'), (2, 'two');
  INSERT INTO notes_tags VALUES (1, 1, 'ann'), (1, 2, 'bob'), (2, 1, 'bob')`;

const rules: Rules = {
  teams: { read: "members.person=eq.$sub", columns: { read: ["name"] } },
  notes: { read: "owner=eq.$sub", columns: { read: ["owner", "team_id", "text"] } },
  members: { read: "" },
  tags: { read: "" },
  notes_tags: { read: "by_person=eq.$sub" },
};

const [ann, bob] = [{ sub: "ann" }, { sub: "bob" }];

function open(): Promise<RulesSite> {
  return serveRules(sql, rules);
}

describe("Embedded records under rules", () => {
  test("are those that the viewer may read, in each direction and on each level", async () => {
    const site = await open();

    const teams = await site.as(ann, "GET", "/teams?select=name,notes(text,teams(name))");
    const notes = await site.as(bob, "GET", "/notes?select=text,team:teams(name)");
    const deep = await site.as(bob, "GET", "/members?select=teams(notes(text))&person=eq.bob");

    expect(teams.text).toBe(
      '{"teams":[{"url":"/teams/1","name":"Reds","notes":[{"url":"/notes/1","text":"a","teams":{"url":"/teams/1","name":"Reds"}}]}]}',
    );
    expect(rowsIn(notes)).toEqual([
      { url: "/notes/2", text: "b", team: null },
      { url: "/notes/3", text: "c", team: { url: "/teams/2", name: "Blues" } },
    ]);
    expect(deep.text).toContain('"teams":{"url":"/teams/2","notes":[{"url":"/notes/3","text":"c"}]}');
  });

  test("come through a third table only by those of its records that may be read", async () => {
    const site = await open();

    const answer = await site.as(ann, "GET", "/notes?select=text,tags(word)");

    expect(rowsIn(answer)).toEqual([{ url: "/notes/1", text: "a", tags: [{ url: "/tags/1", word: "one" }] }]);
  });

  test("have no columns that may not be read, by no way", async () => {
    const site = await open();
    const ask = (target: string) => site.as(ann, "GET", target);

    const all = await ask("/teams?select=*,notes(*)");
    const asked = [
      ...[
        "/teams?select=notes(secret)",
        "/teams?select=notes(id)&notes.secret=eq.x",
        "/teams?select=notes(id)&notes.order=secret",
      ],
      ...[
        "/notes?select=id,teams(id)&order=teams(secret)",
        "/notes?select=secret.max()",
        "/teams?select=notes(secret.max())",
      ],
    ];

    expect(all.text).toBe(
      '{"teams":[{"url":"/teams/1","id":1,"name":"Reds","notes":[{"url":"/notes/1","id":1,"owner":"ann","team_id":1,"text":"a"}]}]}',
    );
    for (const target of asked) expect((await ask(target)).status).toBe(400);
  });

  test("do not tell by which records are there what may not be read", async () => {
    const site = await open();
    const ask = async (target: string): Promise<unknown[]> => rowsIn(await site.as(ann, "GET", target));

    expect(await ask("/members?select=person,teams!inner(name)&person=eq.bob")).toEqual([]);
    expect(await ask("/members?select=person,teams()&teams=is.null")).toEqual([
      { url: "/members/2,bob", person: "bob" },
    ]);
    expect(await ask("/tags?select=word,notes!inner()&notes.text=eq.b")).toEqual([]);
    expect(await ask("/tags?select=word,notes(count())")).toEqual([
      { url: "/tags/1", word: "one", notes: [{ count: 1 }] },
      { url: "/tags/2", word: "two", notes: [{ count: 0 }] },
    ]);
    expect(
      (await ask("/members?select=person,teams()&order=teams(name).desc.nullslast")).map(
        (row) => (row as { person: string }).person,
      ),
    ).toEqual(["ann", "bob"]);
    expect(await ask("/notes?select=count()")).toEqual([{ count: 1 }]);
    expect(await ask("/notes?select=team_id,count()&limit=5")).toEqual([{ team_id: 1, count: 1 }]);
  });

  test("are unknown where their table is closed", async () => {
    const site = await open();

    const [closed, unknown] = [
      await site.as(ann, "GET", "/notes?select=closed(*)"),
      await site.as(ann, "GET", "/notes?select=nothing(*)"),
    ];

    expect([closed.status, unknown.status]).toEqual([400, 400]);
    expect(closed.text.replace("closed", "nothing")).toBe(unknown.text);
  });

  test("of one record are under the same rules", async () => {
    const site = await open();

    expect((await site.as(ann, "GET", "/notes/2?select=text")).status).toBe(404);
    expect((await site.as(ann, "GET", "/notes/1?select=text,teams(name)")).text).toBe(
      '{"note":{"url":"/notes/1","text":"a","teams":{"url":"/teams/1","name":"Reds"}}}',
    );
    expect((await site.as(ann, "GET", "/teams/2/notes")).status).toBe(404);
    expect(rowsIn(await site.as(ann, "GET", "/teams/1/notes?select=text"))).toEqual([{ url: "/notes/1", text: "a" }]);
  });

  test("are asked for again when what decides about them changes", async () => {
    const site = await open();

    const answer = await site.as(ann, "GET", "/notes?select=text,teams(name)");

    expect([...(answer.reads?.collections ?? [])].sort()).toEqual(["/members", "/notes", "/teams"]);
  });
});
