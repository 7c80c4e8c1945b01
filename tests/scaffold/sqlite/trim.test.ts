import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { rangeSql } from "../../../src/scaffold/sqlite/journal/trim.ts";
import { serve } from "./service.ts";

test("A step that trims the journal looks its range up, and reads nothing through", async () => {
  const { path, send } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
  for (const id of [2, 3]) expect((await send("POST", "/t", { id })).status).toBe(201);
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());

  expect(database.prepare(rangeSql).raw().get()).toEqual([1, 2]);
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${rangeSql}`).all() as { detail: string }[];
  const details = plan.map(({ detail }) => detail);
  expect(details.filter((detail) => detail.startsWith("SEARCH"))).toHaveLength(2);
  expect(details.filter((detail) => /^SCAN (?!CONSTANT)/.test(detail))).toEqual([]);
});
