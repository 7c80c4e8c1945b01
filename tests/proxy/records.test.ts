import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { Follower } from "./follower.ts";
import { proxied } from "./setting.ts";

/** An API in HAL, as its frameworks write it: with nothing in it, there is no `_embedded`. */
function hal(): RequestListener {
  const ids: number[] = [];
  const row = (id: number) => ({ no: id, _links: { self: { href: `/people/${id}` } } });
  return (request, response) => {
    if (request.method === "POST") ids.push(ids.length + 1);
    const embedded = ids.length > 0 ? { _embedded: { people: ids.map(row) } } : {};
    response.writeHead(request.method === "POST" ? 201 : 200, { "Content-Type": "application/hal+json" });
    response.end(JSON.stringify({ _links: { self: { href: "/people" } }, ...embedded }));
  };
}

const records = { "/people": { list: "/_embedded/people", link: "/_links/self/href" } };

describe("an API whose lists are deep in its documents, behind the proxy,", () => {
  it.each([
    ["", records, "/people/2"],
    ["/api", { "/api/people": { list: "/_embedded/people", key: "no" } }, "/api/people/2"],
  ])(
    "is followed row by row where the option records has a pointer, below the base path %j",
    async (basePath, entries, row) => {
      const { url, logged } = await proxied(hal(), { records: entries, basePath });
      await fetch(`${url}${basePath}/people`, { method: "POST" });
      const follower = await new Follower(`${url}${basePath}/people`, ["rocket.v1"]).caughtUp();
      await fetch(`${url}${basePath}/people`, { method: "POST" });
      expect((await follower.notifications(2))[1]).toBe(`201 ${row} {"no":2,"_links":{"self":{"href":"/people/2"}}}`);
      expect(logged).toEqual([]);
    },
  );

  it("says so in its log, once, where a document has no list there [R-FLD-13]", async () => {
    const { url, logged } = await proxied(hal(), { records });
    const follower = await new Follower(`${url}/people`, ["rocket.v1"]).caughtUp();
    expect(follower.messages[0]).toContain(
      'Items: list="/_embedded/people", record="", link="/_links/self/href", unfit="/_embedded/people"',
    );
    expect(logged).toEqual([expect.stringContaining('/people answers has no list "/_embedded/people"')]);
    await fetch(`${url}/people`, { method: "POST" });
    // The list is there now: that is another state, and not a step.
    expect((await follower.notifications(2))[1]).toContain('200 {"_links"');
    expect(logged).toHaveLength(1);
  });
});
