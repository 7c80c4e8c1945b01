import { describe, expect, test } from "vitest";
import { ann, as, serveRoles } from "./roles.ts";
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
