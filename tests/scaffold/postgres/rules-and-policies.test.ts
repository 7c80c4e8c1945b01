import { describe, expect, test } from "vitest";
import type { Rules } from "../../../src/scaffold/index.ts";
import type { Answer } from "../answer.ts";
import { ann, as, ben, serveRoles } from "./roles.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

const sql = `
  CREATE TABLE todos (id int PRIMARY KEY, user_id uuid NOT NULL, done boolean NOT NULL DEFAULT false, task text, note text);
  ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON todos USING (user_id = auth.uid());
  INSERT INTO todos VALUES (1, '${ann}', false, 'a1', 'n'), (2, '${ann}', true, 'a2', 'n'), (3, '${ben}', false, 'b3', 'n');
  CREATE TABLE pages (id int PRIMARY KEY, title text, draft text); INSERT INTO pages VALUES (1, 'Start', 'words');
  CREATE TABLE inbox (id int PRIMARY KEY, text text);
  GRANT ALL ON todos TO authenticated; GRANT SELECT ON todos TO anon; GRANT SELECT (id, title) ON pages TO anon;
  GRANT SELECT ON pages TO authenticated; GRANT INSERT ON inbox TO anon`;

const rules: Rules = {
  todos: { read: "done=is.false", create: "done=is.false", update: "done=is.false", delete: "" },
  pages: { read: "draft=neq.x" },
  inbox: { create: "" },
};

function ids({ json }: Answer): number[] {
  return (Object.values(json as object).find(Array.isArray) ?? []).map(({ id }: { id: number }) => id);
}

describe("Rules and policies", () => {
  test("must both allow what is done", async () => {
    const { send, client } = await serveRoles(server, sql, {}, { rules });
    const anns = await as(ann);
    const list = await send("GET", "/todos", undefined, anns);
    const statuses = [];
    for (const id of [1, 2, 3]) statuses.push((await send("GET", `/todos/${id}`, undefined, anns)).status);
    const writes = [
      await send("PATCH", "/todos/1", { done: true }, anns),
      await send("PATCH", "/todos/1", { task: "x" }, anns),
      await send("POST", "/todos", { id: 4, user_id: ben, task: "for Ben" }, anns),
      await send("POST", "/todos", { id: 4, user_id: ann, task: "mine" }, anns),
      await send("DELETE", "/todos/3", undefined, anns),
      await send("DELETE", "/todos/4", undefined, anns),
    ];

    expect([ids(list), statuses]).toEqual([[1], [200, 404, 404]]);
    expect(writes.map(({ status }) => status)).toEqual([403, 200, 403, 201, 404, 204]);
    expect((await client.query("SELECT id, task FROM todos ORDER BY id")).rows).toEqual([
      { id: 1, task: "x" },
      { id: 2, task: "a2" },
      { id: 3, task: "b3" },
    ]);
  });

  test("are followed by asking again where there are policies", async () => {
    const { send } = await serveRoles(server, sql, {}, { rules });

    const { view, reads } = await send("GET", "/todos", undefined, await as(ann));

    expect([view, reads?.collections.includes("/todos")]).toEqual([undefined, true]);
  });

  test("close a table to a role that may not read a column that a rule asks for", async () => {
    const { send } = await serveRoles(server, sql, {}, { rules });

    const [anonymous, user] = [await send("GET", "/pages"), await send("GET", "/pages", undefined, await as(ann))];

    expect([anonymous.status, user.status, ids(user)]).toEqual([404, 200, [1]]);
  });

  test("let a role add what it may not read", async () => {
    const { send, client } = await serveRoles(server, sql, {}, { rules });

    const [post, get] = [await send("POST", "/inbox", { id: 1, text: "hello" }), await send("GET", "/inbox")];

    expect([post.status, post.text, get.status]).toEqual([201, "", 401]);
    expect((await client.query("SELECT text FROM inbox")).rows).toEqual([{ text: "hello" }]);
  });

  test("act as the connection's own role for a token that names none", async () => {
    const { send } = await serveRoles(
      server,
      `${sql}; GRANT SELECT ON pages TO authenticator`,
      { anonymousRole: undefined } as object,
      { rules },
    );

    const answer = await send("GET", "/pages", undefined, await as(ann, { role: undefined }));
    const closed = await send("GET", "/todos", undefined, await as(ann, { role: undefined }));

    expect([answer.status, ids(answer), closed.status]).toEqual([200, [1], 403]);
  });
});
