import { describe, expect, it } from "vitest";
import { encodeRequest, type Field, type HttpResponse } from "../../src/protocol/index.ts";
import type { OriginRequest } from "../../src/server/index.ts";
import { answers, type Client, dial, startSite } from "./fixture.ts";

let last = 0;

function ask(client: Client, line: string, fields: readonly Field[] = [], body = ""): Promise<HttpResponse> {
  const [method = "", target = ""] = line.split(" ");
  last += 1;
  client.socket.send(encodeRequest({ method, target, fields: [["Request-ID", `${last}`], ...fields], body }));
  return client.until(answers(`${last}`));
}

describe("a request in band to a server of its own origin", () => {
  it("has the bound of bodies over HTTP, a body of just that length included", async () => {
    const asked: OriginRequest[] = [];
    const site = await startSite({ maxBodyBytes: 1_000 }, () => async (request) => {
      asked.push(request);
      return { status: 204, fields: [], body: "" };
    });
    const client = await dial(site, "/.well-known/rocket");
    expect((await ask(client, "POST /a", [], "ü".repeat(501))).status).toBe(413);
    expect(asked).toEqual([]);
    expect((await ask(client, "POST /a", [], "ü".repeat(500))).status).toBe(204);
  });

  it("brings entity tags that were given out with a coding as the origin's own [R-FLD-11]", async () => {
    const tags: (string | undefined)[] = [];
    const body = JSON.stringify({ text: "x".repeat(5_000) });
    const site = await startSite({}, () => async ({ fields, isInBand }) => {
      if (isInBand) tags.push(fields.find(([name]) => name === "If-Match")?.[1]);
      return {
        status: 200,
        fields: [
          ["Content-Type", "application/json"],
          ["ETag", '"one"'],
        ],
        body,
      };
    });
    const coded = await fetch(`${site.url}/a`, { headers: { "Accept-Encoding": "gzip" } });
    const etag = coded.headers.get("etag") ?? "";
    expect(etag).not.toBe('"one"');
    await coded.text();
    const client = await dial(site, "/.well-known/rocket");
    const answer = await ask(client, "PATCH /a", [["If-Match", etag]], "{}");
    expect(tags).toEqual(['"one"']);
    expect(answer.body).toBe(body);
  });

  it("is ignored at Level 0 [R-L0-5]", async () => {
    const asked: OriginRequest[] = [];
    const site = await startSite({}, (origin) => (request) => {
      if (request.isInBand) asked.push(request);
      return origin(request);
    });
    const client = await dial(site, "/a", { protocols: [] });
    client.socket.send(encodeRequest({ method: "DELETE", target: "/a/1", fields: [["Request-ID", "1"]] }));
    site.put(1);
    expect((await client.until(() => true)).status).toBe(201);
    expect(asked).toEqual([]);
  });

  it("below a base path has it in its target, also for the well-known URL [R-WK-5]", async () => {
    const targets: string[] = [];
    const site = await startSite({ basePath: "/api" }, () => async ({ target }) => {
      targets.push(target);
      return { status: 200, fields: [], body: "" };
    });
    const client = await dial(site, "/api/.well-known/rocket");
    await ask(client, "GET /api/a");
    expect(targets).toEqual(["/api/a"]);
    expect(String((await ask(client, "GET /api/.well-known/rocket")).body)).toContain('"version":"1.0"');
    expect((await ask(client, "POST /api/.well-known/rocket")).status).toBe(405);
  });
});
