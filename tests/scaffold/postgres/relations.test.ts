import { describe, expect, test } from "vitest";
import { ann, as, ben, serveRoles } from "./roles.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

const sql = `CREATE SCHEMA other; CREATE TABLE other.places (id int PRIMARY KEY);
  CREATE TABLE teams (id int PRIMARY KEY, name text);
  CREATE TABLE members (id int PRIMARY KEY, team_id int REFERENCES teams, owner uuid);
  CREATE TABLE salaries (id int PRIMARY KEY, team_id int REFERENCES teams);
  CREATE TABLE visits (id int, place_id int REFERENCES other.places, team_id int REFERENCES teams, PRIMARY KEY (id)) PARTITION BY HASH (id);
  CREATE TABLE visits_0 PARTITION OF visits FOR VALUES WITH (MODULUS 1, REMAINDER 0);
  INSERT INTO teams VALUES (1, 'one'); INSERT INTO visits VALUES (1, NULL, 1);
  INSERT INTO members VALUES (1, 1, '${ann}'), (2, 1, gen_random_uuid());
  ALTER TABLE members ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON members USING (owner = auth.uid());
  GRANT SELECT ON teams, members, visits TO authenticated; GRANT SELECT (id) ON salaries TO authenticated`;

describe("A list below a record", () => {
  test("has what its viewer may see", async () => {
    const { send } = await serveRoles(server, sql);

    const answer = await send("GET", "/teams/1/members", undefined, await as(ann));

    expect((answer.json as { members: { id: number }[] }).members.map(({ id }) => id)).toEqual([1]);
  });

  test("is there where the viewer may read the foreign key's columns, and else as unknown as any other", async () => {
    const { send } = await serveRoles(server, sql);

    const hidden = await send("GET", "/teams/1/salaries", undefined, await as(ann));
    const unknown = await send("GET", "/teams/1/nothings", undefined, await as(ann));

    expect([hidden.status, unknown.status]).toEqual([404, 404]);
    expect((hidden.json as { detail: string }).detail.replace("salaries", "nothings")).toBe(
      (unknown.json as { detail: string }).detail,
    );
    expect((unknown.json as { detail: string }).detail).toContain("there are members, visits");
  });

  test("may be of partitions", async () => {
    const { send } = await serveRoles(server, sql);

    const answer = await send("GET", "/teams/1/visits", undefined, await as(ann));

    expect(answer.field("Content-Location")).toBe("/visits?team_id=1");
    expect(answer.text).toContain('"team_id":1');
  });
});

describe("Embedded records", () => {
  const some = `${sql}; UPDATE members SET team_id = 1; INSERT INTO members VALUES (3, NULL, '${ann}')`;

  test("are those that the viewer may see, on each level", async () => {
    const { send } = await serveRoles(server, some);

    const anns = await send("GET", "/teams?select=name,members(id,teams(members(id)))", undefined, await as(ann));
    const bens = await send("GET", "/teams?select=name,members(id)", undefined, await as(ben));
    const inner = await send("GET", "/teams?select=name,members!inner(id)", undefined, await as(ben));
    const counted = await send("GET", "/teams?select=members(count())", undefined, await as(ann));

    const url = '"url":"/members/1"';
    expect(anns.text).toBe(
      `{"teams":[{"url":"/teams/1","name":"one","members":[{${url},"id":1,"teams":{"url":"/teams/1","members":[{${url},"id":1}]}}]}]}`,
    );
    expect(bens.text).toBe('{"teams":[{"url":"/teams/1","name":"one","members":[]}]}');
    expect(inner.text).toBe('{"teams":[]}');
    expect(counted.text).toBe('{"teams":[{"url":"/teams/1","members":[{"count":1}]}]}');
  });

  test("are unknown where the viewer may not read the foreign key, or what it sorts and filters by", async () => {
    const { send } = await serveRoles(server, some);

    const hidden = await send("GET", "/teams?select=salaries(id)", undefined, await as(ann));
    const unknown = await send("GET", "/teams?select=nothings(id)", undefined, await as(ann));

    expect([hidden.status, unknown.status]).toEqual([400, 400]);
    expect((hidden.json as { detail: string }).detail.replace("salaries", "nothings")).toBe(
      (unknown.json as { detail: string }).detail,
    );
  });

  test("are followed by what decides what the viewer may see of them", async () => {
    const { send, client } = await serveRoles(
      server,
      `${some}; CREATE TABLE friends (owner uuid, friend uuid, PRIMARY KEY (owner, friend));
       CREATE POLICY of_friends ON members FOR SELECT USING (owner IN (SELECT f.friend FROM friends f WHERE f.owner = auth.uid()));
       GRANT SELECT ON friends TO authenticated`,
    );

    const before = await send("GET", "/teams?select=members(id)", undefined, await as(ben));
    await client.query(`INSERT INTO friends VALUES ('${ben}', '${ann}')`);
    const after = await send("GET", "/teams?select=members(id)", undefined, await as(ben));

    expect([...(before.reads?.collections ?? [])].sort()).toEqual(["/friends", "/members", "/teams"]);
    expect([before.text, after.text].map((text) => text.includes("/members/1"))).toEqual([false, true]);
  });

  test("are not missed where their table was emptied meanwhile", async () => {
    const { send, client } = await serveRoles(server, some);
    await send("GET", "/teams?select=visits(id)", undefined, await as(ann));
    await client.query("TRUNCATE visits");

    expect((await send("GET", "/teams?select=visits(id)", undefined, await as(ann))).text).toContain('"visits":[]');
  });
});

describe("Views of tables in another schema", () => {
  const api = `CREATE SCHEMA private; CREATE TABLE private.people (id int PRIMARY KEY, name text, born date);
    CREATE TABLE private.posts (id int PRIMARY KEY, writer int REFERENCES private.people, text text, UNIQUE (writer, text));
    CREATE TABLE private.profiles (person int PRIMARY KEY REFERENCES private.people, motto text);
    INSERT INTO private.people VALUES (1, 'Ann', '2000-01-01'), (2, 'Ben', NULL);
    INSERT INTO private.posts VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'); INSERT INTO private.profiles VALUES (1, 'go');
    CREATE VIEW people AS SELECT id, name AS called FROM private.people;
    CREATE VIEW some_posts AS SELECT id, writer AS writer_id, text FROM private.posts WHERE id < 3;
    CREATE VIEW posts AS SELECT * FROM some_posts;
    CREATE VIEW profiles AS SELECT person, motto FROM private.profiles;
    CREATE VIEW pairs AS SELECT a.id, a.writer FROM private.posts a, private.posts b;
    GRANT SELECT ON people, posts, profiles, pairs TO authenticated`;

  test("embed each other as those tables would, and no more than the viewer may read", async () => {
    const { send } = await serveRoles(server, api);
    const ask = async (target: string) => send("GET", target, undefined, await as(ann));

    const people = await ask("/people?select=called,posts(text),profiles(motto)&posts.order=text.desc&order=id");
    const posts = await ask("/posts?select=text,...people(called)&order=id&limit=1");
    const below = await ask("/people/1/posts?select=text&limit=1&order=id");
    const hidden = await ask("/people?select=some_posts(text)");
    const joined = await ask("/pairs?select=people(called)");

    expect(people.json).toEqual({
      people: [
        {
          ...{ url: "/people/1", called: "Ann", profiles: { url: "/profiles/1", motto: "go" } },
          posts: [
            { url: "/posts/2", text: "b" },
            { url: "/posts/1", text: "a" },
          ],
        },
        { url: "/people/2", called: "Ben", posts: [], profiles: null },
      ],
    });
    expect([posts.text, below.text]).toEqual([
      '{"posts":[{"url":"/posts/1","text":"a","called":"Ann"}]}',
      '{"posts":[{"url":"/posts/1","text":"a"}]}',
    ]);
    expect([hidden.status, joined.status]).toEqual([400, 400]);
    expect((joined.json as { detail: string }).detail).toContain("there are none");
    // As of each of them: here nobody may watch the tables.
    expect([people.notLive, people.reads]).toEqual([(await ask("/people")).notLive, undefined]);
    expect(people.notLive).toContain("can't be watched");
  });
});

describe("What is selected of a write", () => {
  const notes = `CREATE TABLE people (id int PRIMARY KEY, name text);
    CREATE TABLE notes (id int PRIMARY KEY, owner uuid, person_id int REFERENCES people, text text, secret text DEFAULT 's');
    CREATE TABLE log (at int, text text, secret text DEFAULT 's');
    INSERT INTO people VALUES (1, 'one'), (2, 'two'); INSERT INTO notes VALUES (1, '${ann}', 1, 'a'), (2, '${ben}', 2, 'b');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON notes USING (owner = auth.uid()) WITH CHECK (true);
    ALTER TABLE people ENABLE ROW LEVEL SECURITY; CREATE POLICY first ON people USING (id = 1);
    GRANT SELECT (id, owner, person_id, text), INSERT (id, owner, person_id, text), UPDATE (text, person_id), DELETE ON notes TO authenticated;
    GRANT SELECT ON people TO authenticated; GRANT INSERT ON log TO authenticated; GRANT SELECT (at, text) ON log TO authenticated`;

  test("is what the viewer may see of it, by grants and by policies", async () => {
    const { send } = await serveRoles(server, notes);
    const fields = { ...(await as(ann)), Prefer: "return=representation" };

    const changed = await send("PATCH", "/notes?id=gt.0&select=*,people(name)", { text: "x" }, fields);
    const moved = await send("PATCH", "/notes/1?select=text,people(name)", { person_id: 2 }, fields);
    const secret = await send("PATCH", "/notes/1?select=secret", { text: "y" }, fields);
    const logged = await send("POST", "/log", { at: 1, text: "l", secret: "z" }, fields);
    const gone = await send("DELETE", "/notes/1?select=text,people(*)", undefined, fields);

    expect(changed.json).toEqual({
      notes: [
        { url: "/notes/1", id: 1, owner: ann, person_id: 1, text: "x", people: { url: "/people/1", name: "one" } },
      ],
    });
    expect([moved.text, secret.status]).toEqual(['{"note":{"url":"/notes/1","text":"x","people":null}}', 400]);
    expect([logged.status, gone.text]).toEqual([422, '{"note":{"url":"/notes/1","text":"x","people":null}}']);
  });

  test("of a row without a key is what the viewer may read of it", async () => {
    const { send } = await serveRoles(server, notes);
    const fields = { ...(await as(ann)), Prefer: "return=representation" };

    const logged = await send("POST", "/log", { at: 1, text: "l" }, fields);

    expect([logged.status, logged.text]).toEqual([201, '{"log":{"at":1,"text":"l"}}']);
  });
});
