import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { View } from "../../../src/server/direct/view.ts";
import type { Change } from "../../../src/server/index.ts";
import { serve } from "./service.ts";

const filters = [
  "year=gte.1970",
  "year=gte.1970&year=lt.1972",
  "year=neq.1971",
  "year=is.null",
  "year=in.(1970,1972)",
  "year=not.in.(1970,1972)",
  "name=like.a*",
  "name=not.like.a*",
  "name=eq.ab&year=gt.1969",
  "or=(name.eq.ab,year.lt.1970)",
  "or=(year.is.null,and(year.gt.1970,name.neq.b))",
  "live=is.true",
  "live=not.is.true",
  "live=gt.false&or=(year.eq.1970,year.eq.1971)",
];

const id = fc.integer({ min: 1, max: 8 });
const name = fc.constantFrom("NULL", "'a'", "'ab'", "'b'", "''");
const year = fc.constantFrom("NULL", "1968", "1970", "1971", "1972");
const live = fc.constantFrom("NULL", "true", "false");
const statement = fc.oneof(
  fc
    .tuple(id, name, year, live)
    .map(
      (row) =>
        `INSERT INTO t VALUES (${row.join(", ")}) ON CONFLICT (id) DO UPDATE SET name = ${row[1]}, year = ${row[2]}`,
    ),
  fc.tuple(id, name).map(([at, value]) => `UPDATE t SET name = ${value} WHERE id = ${at}`),
  fc.tuple(id, year).map(([at, value]) => `UPDATE t SET year = ${value} WHERE id >= ${at}`),
  fc.tuple(id, live).map(([at, value]) => `UPDATE t SET live = ${value} WHERE id = ${at}`),
  id.map((at) => `DELETE FROM t WHERE id = ${at}`),
);

test("A view by any operator is, change by change, what its GET gives", async () => {
  const { scaffold, send, run } = await serve(
    "CREATE TABLE t (id integer PRIMARY KEY, name text, year integer, live boolean)",
  );
  const changes: Change[] = [];
  onTestFinished(scaffold.journal?.tail((batch) => changes.push(...batch.changes)) ?? (() => undefined));
  const views = await Promise.all(
    filters.map(async (filter) => {
      const { view } = await send("GET", `/t?${filter}`);
      if (!view) throw new Error(`${filter} is not decided by changes.`);
      return { filter, view: new View(view), urls: new Set<string>() };
    }),
  );
  for (const sql of fc.sample(statement, 60)) {
    await run(sql);
    await scaffold.journal?.poll();
    for (const change of changes.splice(0)) {
      for (const { filter, view, urls } of views) {
        const status = view.judge(change)?.status;
        expect([filter, sql, status === 202 || status === 204]).toEqual([filter, sql, urls.has(change.url)]);
        if (status === 201) urls.add(change.url);
        if (status === 204) urls.delete(change.url);
      }
    }
    for (const { filter, urls } of views) {
      const { json } = await send("GET", `/t?${filter}`);
      const found = (json as { t: { id: number }[] }).t.map((row) => `/t/${row.id}`);
      expect([filter, sql, [...urls].sort()]).toEqual([filter, sql, found.sort()]);
    }
  }
});
