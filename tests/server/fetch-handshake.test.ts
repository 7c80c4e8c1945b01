import { describe, expect, it } from "vitest";
import { readHandshake } from "../../src/server/index.ts";

const handshake = { Upgrade: "websocket", Connection: "Upgrade", Host: "example.com:8080" };

function read(headers: Record<string, string>, allowOrigins: readonly string[] = []): ReturnType<typeof readHandshake> {
  return readHandshake(new Request("http://example.com:8080/a%20b?c=d", { headers: { ...handshake, ...headers } }), {
    allowOrigins,
  });
}

describe("a handshake that came as a Request", () => {
  it("is of Level 1 where rocket.v1 is offered, and says what to echo [R-L1-1]", () => {
    expect(read({ "Sec-WebSocket-Protocol": "x, rocket.v1", Cookie: "a=1" })).toMatchObject({
      ...{ level: 1, target: "/a%20b?c=d", subprotocol: "rocket.v1" },
      fields: expect.arrayContaining([["cookie", "a=1"]]),
    });
    const plain = read({});
    expect(plain).toMatchObject({ level: 0 });
    expect(plain).not.toHaveProperty("subprotocol");
  });

  it("has the token that a subprotocol brought, and not the subprotocol [R-SEC-3]", () => {
    const given = read({ "Sec-WebSocket-Protocol": "rocket.v1, rocket.bearer.YWJj" });
    expect(given).toMatchObject({ fields: expect.arrayContaining([["Authorization", "Bearer abc"]]) });
    expect(JSON.stringify(given)).not.toContain("rocket.bearer");
    const other = { Authorization: "Basic eA==", "Sec-WebSocket-Protocol": "rocket.v1, rocket.bearer.YWJj" };
    expect(JSON.stringify(read(other))).not.toContain("Bearer abc");
  });

  it("lacks what Connection names for one hop, and has its host where that is in the URL alone [R-SEC-9]", () => {
    const named = { Connection: "Upgrade, X-Role, X-Forwarded-For", "X-Role": "admin", "X-Forwarded-For": "1.2.3.4" };
    const given = JSON.stringify(read(named));
    expect(given).not.toContain("admin");
    expect(given).toContain("1.2.3.4");
    const headers = { Upgrade: "websocket" };
    expect(readHandshake(new Request("https://example.com/a", { headers }))).toMatchObject({
      fields: expect.arrayContaining([["host", "example.com"]]),
    });
  });

  it("of an allowed page of another origin may not write in band [R-BAND-19]", () => {
    expect(read({ Origin: "https://app.example.com" }, ["https://app.example.com"])).toMatchObject({ mayWrite: false });
    expect(read({ Origin: "http://example.com:8080" })).not.toHaveProperty("mayWrite");
  });

  it.each([
    [{ Origin: "http://example.com:8080" }, true],
    [{ Origin: "https://EXAMPLE.com:8080" }, true],
    [{ Origin: "https://app.example.com" }, true],
    [{ Origin: "https://example.com" }, false],
    [{ Origin: "https://evil.example" }, false],
    [{ Origin: "null" }, false],
    [{ "Sec-Fetch-Site": "cross-site" }, false],
    [{ "Sec-Fetch-Site": "same-origin" }, true],
    [{}, true],
  ] as const)("of a page with %j is let in: %s [R-SEC-1]", async (headers, isLetIn) => {
    const answer = read(headers, ["https://app.example.com"]);
    if (isLetIn) expect(answer).toMatchObject({ level: 0 });
    else expect(answer).toMatchObject({ status: 403 });
  });

  it("is none where the request wants something else", () => {
    expect(readHandshake(new Request("http://a/"))).toBeUndefined();
    expect(read({ Upgrade: "h2c" })).toBeUndefined();
    expect(readHandshake(new Request("http://a/", { method: "POST", headers: handshake }))).toBeUndefined();
  });
});
