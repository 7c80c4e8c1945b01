import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalUrl, parseQuery } from "../../../src/scaffold/rest/query.ts";
import { resourceOf } from "../../../src/scaffold/rest/resource.ts";
import { parseTarget } from "../../../src/scaffold/rest/target.ts";
import { Served } from "../../../src/scaffold/sqlite/engine/served.ts";
import { column, columnTypes, table } from "./samples.ts";
import { serve } from "./service.ts";
import { texts } from "./values.ts";

const resource = resourceOf(
  new Served().table(table("things", [column("id", "INTEGER", "integer"), ...columnTypes])),
  "",
);

function canonical(target: string): string {
  return canonicalUrl(resource, parseQuery(resource, parseTarget(target).parameters));
}

describe("A filter", () => {
  test("and a key are compared byte for byte, whatever the collation", async () => {
    const { send } = await serve(`CREATE TABLE t (id TEXT PRIMARY KEY COLLATE NOCASE NOT NULL, a TEXT COLLATE RTRIM);
      INSERT INTO t VALUES ('Abc', 'x')`);
    const countOf = async (target: string) => ((await send("GET", target)).json as { t: unknown[] }).t.length;

    expect([(await send("GET", "/t/abc")).status, (await send("GET", "/t/Abc")).status]).toEqual([404, 200]);
    expect([await countOf("/t?id=abc"), await countOf("/t?id=Abc")]).toEqual([0, 1]);
    expect([await countOf("/t?a=x+"), await countOf("/t?a=x")]).toEqual([0, 1]);
  });
});

describe("A canonical URL", () => {
  test.each([
    ["/things?a_text=x&an_integer=1", "/things?an_integer=01&a_text=x"],
    ["/things?a_text=a+b", "/things?a_text=a%20b"],
    ["/things?a_real=1", "/things?a_real=1e0"],
    ["/things?a_boolean=1", "/things?a_boolean=true"],
    ["/things?order=id", "/things"],
    ["/things?order=id.asc,a_text", "/things?order="],
    ["/things?order=a_text", "/things?order=a_text.asc,id.asc,a_real"],
    ["/things?order=a_text,a_text.desc", "/things?order=a_text"],
    ["/things?offset=0", "/things"],
  ])("is the same for %s and %s", (one, other) => {
    expect(canonical(one)).toBe(canonical(other.replace(/\?order=$/, "")));
  });

  test.each([
    ["/things?a_text=1", "/things?a_text=01"],
    ["/things?a_text=a", "/things?a_text=A"],
    ["/things?order=a_text", "/things?order=a_text.desc"],
    ["/things?a_text=", "/things"],
    ["/things?untyped=1", "/things?untyped=1.0"],
  ])("is not the same for %s and %s", (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });

  test("is its own canonical URL", () => {
    const names = columnTypes.map(({ name }) => name);
    const filters = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), texts), { selector: ([name]) => name });
    const orders = fc.uniqueArray(fc.constantFrom(...names, "id"));

    fc.assert(
      fc.property(filters, orders, (pairs, order) => {
        const parameters = [...pairs, ...(order.length > 0 ? [["order", order.join(",")] as const] : [])];
        // A NUL is a 400 where SQL would stop at it.
        const asked = parameters.filter(([, value]) => value !== "eq." && !value.includes("\0"));
        const url = `/things?${asked.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
        const once = canonical(url);
        expect(canonical(once)).toBe(once);
      }),
    );
  });
});
