import { describe, expect, onTestFinished, test } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { Rules } from "../../../src/scaffold/index.ts";
import { createHub, type Hub } from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer } from "../../../src/testing/index.ts";
import { column, type RulesSite, serveRules, tokenOf } from "./rules-site.ts";
import { type EngineSql, here } from "./service.ts";
import { told, until } from "./told.ts";

const boolean = here({ sqlite: "BOOLEAN", postgres: "boolean" });
const sql: EngineSql = `
  CREATE TABLE teams (id integer PRIMARY KEY, name text, lead text);
  CREATE TABLE members (team integer NOT NULL REFERENCES teams (id), person text NOT NULL, kind text, PRIMARY KEY (team, person));
  CREATE TABLE notes (id integer PRIMARY KEY, owner text, team_id integer REFERENCES teams (id), shared ${boolean} NOT NULL DEFAULT FALSE, text text, secret text);
  INSERT INTO teams VALUES (1, 'one', 'ann'), (2, 'two', 'bob');
  INSERT INTO members VALUES (1, 'ann', 'lead'), (1, 'cy', 'guest'), (2, 'bob', 'lead');
  INSERT INTO notes VALUES (1, 'ann', 1, FALSE, 'a1', 's'), (2, 'ann', 2, TRUE, 'a2', 's'), (3, 'bob', 2, FALSE, 'b3', 's'),
    (4, 'bob', NULL, FALSE, 'b4', 's');`;

function site(read: string, more: Rules = {}): Promise<RulesSite> {
  return serveRules(sql, { notes: { read, create: "", update: "", delete: "" }, ...more });
}

class Followed {
  readonly hub: Hub;
  readonly site: RulesSite;

  constructor(site: RulesSite, refreshMs = 60_000) {
    const { origin, journal } = site.scaffold;
    this.site = site;
    this.hub = createHub({ origin, derived: { refreshMs }, ...(journal ? { journal } : {}) });
    onTestFinished(() => void this.hub.close(0));
  }

  async follow(claims: object, target: string, more: readonly Field[] = []): Promise<MemoryPeer> {
    const fields = [["Host", "example.com"], ...Object.entries(await tokenOf(claims)), ...more] as Field[];
    const peer = await connectMemoryPeer(this.hub, target, { fields });
    await until(() => peer.messages.some(({ status }) => status === 304 || status >= 400));
    return peer;
  }

  /** Runs another program's statements; resolves once all were told so much. */
  async run(statements: string, ...expected: readonly (readonly [MemoryPeer, number])[]): Promise<void> {
    await this.site.run(statements);
    await this.site.scaffold.journal?.poll();
    await until(() => expected.every(([peer, count]) => told(peer).length >= count));
  }
}

const [ann, bob, cy] = [{ sub: "ann" }, { sub: "bob" }, { sub: "cy" }];

describe("A live view by a rule that is a filter", () => {
  const read = "or=(owner.eq.$sub,shared.is.true)";

  test("is decided by the journal", async () => {
    const open = await site(read);

    const answers = [await open.as(ann, "GET", "/notes"), await open.as(ann, "GET", "/notes/1")];

    expect(answers.map(({ view, reads }) => [view?.collection, reads])).toEqual([
      ["/notes", undefined],
      ["/notes", undefined],
    ]);
  });

  test("says what comes, changes and leaves as the viewer may see it", async () => {
    const followed = new Followed(await site(read));
    const [anns, bobs] = [await followed.follow(ann, "/notes"), await followed.follow(bob, "/notes")];
    const [one] = [await followed.follow(ann, "/notes/1")];

    await followed.run("UPDATE notes SET text = 'x' WHERE id = 1", [anns, 2], [one, 2]);
    await followed.run("UPDATE notes SET owner = 'bob' WHERE id = 1", [anns, 3], [bobs, 2], [one, 3]);
    await followed.run("UPDATE notes SET shared = TRUE WHERE id = 4", [anns, 4], [bobs, 3]);
    await followed.run("UPDATE notes SET text = 'y' WHERE id = 3", [bobs, 4]);
    await followed.run("UPDATE notes SET shared = FALSE WHERE id = 2", [bobs, 5]);
    await followed.run("UPDATE notes SET text = 'last' WHERE id = 2", [anns, 6]);

    expect(told(anns)).toEqual(["200", "202 /notes/1", "204 /notes/1", "201 /notes/4", "202 /notes/2", "202 /notes/2"]);
    expect(told(bobs)).toEqual(["200", "201 /notes/1", "202 /notes/4", "202 /notes/3", "204 /notes/2"]);
    expect(told(one)).toEqual(["200", "202 /notes/1", "204 /notes/1"]);
  });

  test("is one for all viewers whose claims say the same", async () => {
    const followed = new Followed(await site("or=($kind.eq.admin,owner.eq.$sub)"));

    await followed.follow({ sub: "x", kind: "admin" }, "/notes");
    await followed.follow({ sub: "y", kind: "admin" }, "/notes");
    expect(followed.hub.counts.views).toBe(1);
    await followed.follow(ann, "/notes");
    await followed.follow({ ...ann, kind: "guest" }, "/notes");
    await followed.follow(ann, "/notes");
    expect(followed.hub.counts.views).toBe(2);
    await followed.follow(bob, "/notes");
    expect(followed.hub.counts.views).toBe(3);
  });

  test("is resumed where nothing but who asks tells what is shown, and begins anew elsewhere", async () => {
    const mine = new Followed(await site("owner=eq.$sub"));
    const first = await mine.follow(ann, "/notes");
    const position = fieldValue(first.messages[0]?.fields ?? [], "event-id") ?? "";
    const resumed = await mine.follow(ann, "/notes", [["Last-Event-ID", position]]);

    const theirs = new Followed(await site("owner=in.($groups)"));
    const before = await theirs.follow({ sub: "x", groups: ["ann", "bob"] }, "/notes");
    const from = fieldValue(before.messages[0]?.fields ?? [], "event-id") ?? "";
    const after = await theirs.follow({ sub: "x", groups: ["bob"] }, "/notes", [["Last-Event-ID", from]]);

    expect(resumed.messages[0]?.status).toBe(304);
    expect(after.messages[0]?.status).toBe(200);
    expect(String(after.messages[0]?.body)).not.toContain("a1");
  });

  test("begins anew where a connection shows other claims", async () => {
    const followed = new Followed(await site("owner=in.($groups)"));
    const peer = await followed.follow({ sub: "x", groups: ["ann"] }, "/notes");
    const { Authorization = "" } = await tokenOf({ sub: "x", groups: ["bob"] });

    peer.send(
      `SUBSCRIBE /notes HTTP/1.1\r\nHost: example.com\r\nRequest-ID: 1\r\nAuthorization: ${Authorization}\r\n\r\n`,
    );
    await until(() => peer.messages.filter(({ status }) => status === 200).length === 2);
    await followed.run("UPDATE notes SET text = 'n1' WHERE id = 1; UPDATE notes SET text = 'n3' WHERE id = 3", [
      peer,
      3,
    ]);

    const bodies = peer.messages.map(({ body }) => String(body));
    const anew = peer.messages.findLastIndex(({ status }) => status === 200);
    expect(bodies.slice(anew).join("\n")).not.toMatch(/a1|n1/);
    expect(told(peer, anew)).toEqual(["200", "202 /notes/3"]);
  });
});

describe("A rule by a path", () => {
  const cases: readonly (readonly [read: string, claims: object, ids: number[]])[] = [
    ["teams.members.person=eq.$sub", cy, [1]],
    ["team.members.person=eq.$sub", bob, [2, 3]],
    ["team_id.lead=eq.$sub", ann, [1]],
    ["or=(owner.eq.$sub,team.members.person.eq.$sub)", bob, [2, 3, 4]],
    ["team.members.person=eq.$sub&team.members.kind=eq.lead", cy, []],
    ["team.members.person=eq.$sub&team.members.kind=eq.lead", ann, [1]],
    ["and=(team.members.person.eq.$sub,or(team.members.kind.eq.lead,team.members.kind.eq.x))", cy, []],
    ["team.members.person=eq.$sub&team.members.kind=neq.guest", cy, []],
    ["team.members.person=eq.$sub", {}, []],
    ["team.name=in.(one,two)&shared=is.true", {}, [2]],
  ];

  test.each(cases)("leads along foreign keys: %s for %j", async (read, claims, ids) => {
    const open = await site(read);

    const answer = await open.as({ iss: "x", ...claims }, "GET", "/notes");
    const records = [];
    for (const id of [1, 2, 3, 4]) records.push((await open.as({ iss: "x", ...claims }, "GET", `/notes/${id}`)).status);

    expect(column(answer, "id")).toEqual(ids);
    expect(records).toEqual([1, 2, 3, 4].map((id) => (ids.includes(id) ? 200 : 404)));
  });

  test("leads through a third table", async () => {
    const open = await serveRules(
      `CREATE TABLE people (id integer PRIMARY KEY, name text);
       CREATE TABLE books (id integer PRIMARY KEY, title text);
       CREATE TABLE loans (person integer NOT NULL REFERENCES people (id), book integer NOT NULL REFERENCES books (id), PRIMARY KEY (person, book));
       INSERT INTO people VALUES (1, 'ann'), (2, 'bob'); INSERT INTO books VALUES (1, 'x'), (2, 'y'); INSERT INTO loans VALUES (1, 2)`,
      { books: { read: "people.name=eq.$sub" } },
    );

    expect(column(await open.as(ann, "GET", "/books"), "id")).toEqual([2]);
    expect(column(await open.as(bob, "GET", "/books"), "id")).toEqual([]);
  });

  test("is followed by asking again, and who leaves loses what is gone by a 204", async () => {
    const followed = new Followed(await site("team.members.person=eq.$sub"));
    const [anns, record] = [await followed.follow(ann, "/notes"), await followed.follow(ann, "/notes/1")];

    await followed.run("INSERT INTO members VALUES (2, 'ann', 'guest')", [anns, 3]);
    await followed.run("UPDATE notes SET text = 'x' WHERE id = 3", [anns, 4]);
    await followed.run("DELETE FROM members WHERE team = 2 AND person = 'ann'", [anns, 6]);
    await followed.run("DELETE FROM members WHERE team = 1 AND person = 'ann'", [anns, 7], [record, 2]);

    expect(told(anns)).toEqual([
      ...["200", "201 /notes/2", "201 /notes/3", "202 /notes/3", "204 /notes/2", "204 /notes/3", "204 /notes/1"],
    ]);
    expect(told(record).slice(1).join()).toMatch(/^(204|404)/);
  });

  test("judges writes in their transaction", async () => {
    const rule = "team.members.person=eq.$sub";
    const open = await serveRules(sql, { notes: { read: "", create: rule, update: rule, delete: rule } });

    const answers = [
      await open.as(cy, "POST", "/notes", { id: 5, team_id: 1, text: "mine" }),
      await open.as(cy, "POST", "/notes", { id: 6, team_id: 2, text: "theirs" }),
      await open.as(cy, "PATCH", "/notes/5", { team_id: 2 }),
      await open.as(cy, "PATCH", "/notes/5", { text: "changed" }),
      await open.as(cy, "PATCH", "/notes/3", { text: "changed" }),
      await open.as(cy, "DELETE", "/notes/3"),
      await open.as(cy, "DELETE", "/notes/5"),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 403, 403, 200, 403, 403, 204]);
    expect(await open.rows("SELECT id, text FROM notes ORDER BY id")).toEqual([
      ...[
        [1, "a1"],
        [2, "a2"],
        [3, "b3"],
        [4, "b4"],
      ],
    ]);
  });

  test("takes no record for the proof of its own right", async () => {
    const lead = "teams.members.person=eq.$sub&teams.members.kind=eq.lead";
    const open = await serveRules(sql, { members: { read: "", create: lead, update: lead, delete: lead } });
    const send = (method: string, target: string, body?: object) => open.as(ann, method, target, body);

    const answers = [
      await send("POST", "/members", { team: 2, person: "ann", kind: "lead" }),
      await send("PUT", "/members/2,ann", { team: 2, person: "ann", kind: "lead" }),
      await open.as(cy, "PATCH", "/members/1,cy", { kind: "lead" }),
      await send("POST", "/members", { team: 1, person: "dee", kind: "lead" }),
      await send("PATCH", "/members/1,cy", { kind: "other" }),
      await send("PATCH", "/members/1,ann", { kind: "lead" }),
      await send("DELETE", "/members/1,ann"),
      await send("DELETE", "/members/1,cy"),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 201, 200, 200, 204, 403]);
  });

  test("takes no changed record for that either, and an unchanged one still", async () => {
    const open = await serveRules(
      `CREATE TABLE rooms (id integer PRIMARY KEY);
       INSERT INTO rooms VALUES (1), (2);
       CREATE TABLE seats (id integer PRIMARY KEY, room integer REFERENCES rooms (id), person text, kind text, note text);
       INSERT INTO seats VALUES (1, 1, 'ann', 'lead', ''), (2, 2, 'bob', 'lead', '')`,
      { seats: { read: "", update: "rooms.seats.person=eq.$sub&rooms.seats.kind=eq.lead" } },
    );

    const moved = await open.as(ann, "PATCH", "/seats/1", { room: 2 });
    const noted = await open.as(ann, "PATCH", "/seats/1", { note: "mine" });

    expect([moved.status, noted.status]).toEqual([403, 200]);
    expect(await open.rows("SELECT room FROM seats WHERE id = 1")).toEqual([[1]]);
  });

  test.each([
    ["tems.name=eq.x", 'There is no relation "tems" from "notes"; there are teams.'],
    ["team.members.prson=eq.x", 'There is no column "prson"; there are team, person, kind'],
    ["not.and=(team.members.person.eq.$sub,shared.is.true)", "`not.and` and `not.or` can't stand before a path"],
  ])("that leads nowhere is refused at start: %s", async (read, text) => {
    await expect(site(read)).rejects.toThrow(text);
  });
});

describe("A live view of a table with columns that may not be read", () => {
  test("tells nothing of them", async () => {
    const followed = new Followed(
      await serveRules(sql, { notes: { read: "owner=eq.$sub", columns: { read: ["owner", "text"] } } }),
    );
    const [list, record] = [await followed.follow(ann, "/notes"), await followed.follow(ann, "/notes/1")];

    await followed.run("UPDATE notes SET secret = 'hidden' WHERE id = 1");
    await followed.run("UPDATE notes SET text = 'x' WHERE id = 1", [list, 2], [record, 2]);
    await followed.run("DELETE FROM notes WHERE id = 2", [list, 3]);

    expect(told(list)).toEqual(["200", "202 /notes/1", "204 /notes/2"]);
    for (const { body } of [...list.messages, ...record.messages]) expect(String(body)).not.toMatch(/secret|hidden/);
  });
});

describe("Lists below a record", () => {
  test("obey the rules of both tables", async () => {
    const open = await serveRules(sql, {
      teams: { read: "members.person=eq.$sub" },
      notes: { read: "shared=is.true" },
    });

    const answers = [await open.as(bob, "GET", "/teams/2/notes"), await open.as(bob, "GET", "/teams/1/notes")];
    const closed = await open.as(bob, "GET", "/teams/2/members");

    expect(column(answers[0] as (typeof answers)[0], "id")).toEqual([2]);
    expect(answers[1]?.status).toBe(404);
    expect(closed.status).toBe(404);
    expect(closed.text).not.toContain("person");
  });
});
