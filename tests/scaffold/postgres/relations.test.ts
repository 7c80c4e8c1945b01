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
