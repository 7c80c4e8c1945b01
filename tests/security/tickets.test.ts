import { describe, expect, it } from "vitest";
import { bearerSubprotocol } from "../../src/protocol/index.ts";
import { guardedDoors } from "./guarded-doors.ts";

const page = { Origin: "https://app.example" };
const allowOrigins = ["https://app.example", "https://other.example"];

describe.each(guardedDoors)("A ticket at $name", ({ open }) => {
  it("stands once for the credentials of its POST, in a handshake, and is shown to nobody [R-SEC-12] [R-SEC-13]", async () => {
    const door = await open();
    const ticket = await door.ticket("/a?id=1");
    expect(ticket).toMatch(/^[\w-]{43}$/);
    door.seen.length = 0;
    const path = `/a?rocket-ticket=${ticket}&id=1`;
    const first = await door.socket(path);
    expect(first).toMatchObject({ status: 200 });
    expect(door.seen[0]).toMatchObject({ target: "/a?id=1", cookie: "sid=anna" });
    expect(await door.socket(path)).toBe(401);
    expect(JSON.stringify([first, door.seen, door.told])).not.toContain(ticket);
  });

  it("stands for them in a GET that asks for a stream, in the place of what that has [R-SEC-13]", async () => {
    const door = await open();
    const ticket = await door.ticket("/a", { Authorization: "Bearer abc", Cookie: "x=1" });
    door.seen.length = 0;
    expect(await door.stream(`/a?rocket-ticket=${ticket}`, { Cookie: "sid=eve", Authorization: "Bearer eve" })).toBe(
      200,
    );
    expect(door.seen[0]).toEqual({ target: "/a", cookie: "x=1", authorization: "Bearer abc" });
    expect(await door.stream(`/a?rocket-ticket=${ticket}`)).toBe(401);
  });

  it("leaves no other credentials beside its own [R-SEC-13]", async () => {
    const door = await open();
    const ticket = await door.ticket("/a");
    door.seen.length = 0;
    const protocols = ["rocket.v1", bearerSubprotocol("eve")];
    await door.socket(`/a?rocket-ticket=${ticket}`, { Cookie: "sid=eve" }, protocols);
    expect(door.seen[0]).toMatchObject({ cookie: "sid=anna", authorization: undefined });
  });

  it("is no good in band, and nobody sees it there [R-SEC-13]", async () => {
    const door = await open();
    const path = `/a?rocket-ticket=${await door.ticket("/a")}`;
    door.seen.length = 0;
    const head = (method: string) => `${method} ${path} HTTP/1.1\r\nRequest-ID: ${method}\r\n\r\n`;
    const asked = [head("SUBSCRIBE"), head("GET")];
    expect(await door.inBand(asked, { Cookie: "sid=anna" })).toEqual([401, 401]);
    expect([door.seen, door.told]).toEqual([[], []]);
  });

  it("is not given out in band: who asks is told to by HTTP, and the origin is not asked [R-SEC-12]", async () => {
    const door = await open();
    door.seen.length = 0;
    const head = "Request-ID: 1\r\nContent-Type: application/json\r\n\r\n";
    const asked = [`POST /.well-known/rocket/tickets HTTP/1.1\r\n${head}{"url":"/a"}`];
    expect(await door.inBand(asked, { Cookie: "sid=anna" })).toEqual([421]);
    expect([door.seen, door.told]).toEqual([[], []]);
  });

  it("is used once even where two come at once [R-SEC-13]", async () => {
    const door = await open();
    const path = `/a?rocket-ticket=${await door.ticket("/a")}`;
    const statuses = await Promise.all([door.stream(path), door.stream(path), door.stream(path)]);
    expect(statuses.sort()).toEqual([200, 401, 401]);
  });

  it("opens the well-known URL, where nothing is asked until somebody subscribes [R-SEC-12]", async () => {
    const door = await open();
    const ticket = await door.ticket("/.well-known/rocket");
    expect(await door.socket(`/.well-known/rocket?rocket-ticket=${ticket}`)).toMatchObject({ status: 200 });
  });

  it("is for pages of the POST's origin alone [R-SEC-12] [R-SEC-13]", async () => {
    const door = await open({ allowOrigins });
    const first = await door.ticket("/a", page);
    expect(await door.socket(`/a?rocket-ticket=${first}`, page)).toMatchObject({ status: 200 });
    for (const headers of [{}, { Origin: door.url }, { Origin: "https://other.example" }]) {
      const ticket = await door.ticket("/a", page);
      expect(await door.socket(`/a?rocket-ticket=${ticket}`, headers)).toBe(401);
      expect(await door.socket(`/a?rocket-ticket=${ticket}`, page)).toBe(401);
    }
    // The host's own pages say who they are in a POST, and not in a GET.
    const own = await door.ticket("/a", { Origin: door.url });
    expect(await door.stream(`/a?rocket-ticket=${own}`, { "Sec-Fetch-Site": "same-origin" })).toBe(200);
  });

  it.each([
    ["another URL", (ticket: string) => `/b?rocket-ticket=${ticket}`],
    ["more of a query", (ticket: string) => `/a?x=1&rocket-ticket=${ticket}`],
    ["a percent-encoded letter", (ticket: string) => `/%61?rocket-ticket=${ticket}`],
    ["two slashes", (ticket: string) => `//a?rocket-ticket=${ticket}`],
    ["a ticket twice", (ticket: string) => `/a?rocket-ticket=${ticket}&rocket-ticket=${ticket}`],
    ["a ticket and an empty one", (ticket: string) => `/a?rocket-ticket=${ticket}&rocket-ticket`],
    ["an unknown ticket", () => `/a?rocket-ticket=${"A".repeat(43)}`],
    ["a ticket that is cut", (ticket: string) => `/a?rocket-ticket=${ticket.slice(1)}`],
    ["an empty ticket", () => "/a?rocket-ticket="],
  ])("is refused with 401 where there is %s, whatever else the request shows [R-SEC-13]", async (_title, path) => {
    const door = await open();
    const ticket = await door.ticket("/a");
    door.seen.length = 0;
    expect(await door.socket(path(ticket), { Cookie: "sid=anna" })).toBe(401);
    expect(await door.stream(path(ticket), { Cookie: "sid=anna" })).toBe(401);
    expect(door.seen).toEqual([]);
  });

  it.each([
    ["a plain GET", "GET", { Accept: "application/json" }],
    ["a HEAD", "HEAD", {}],
    ["a POST", "POST", {}],
  ])("is refused and used up in %s [R-SEC-13]", async (_title, method, headers) => {
    const door = await open();
    const path = `/a?rocket-ticket=${await door.ticket("/a")}`;
    door.seen.length = 0;
    expect(await door.stream(path, headers, method)).toBe(401);
    expect(await door.stream(path)).toBe(401);
    expect(door.seen).toEqual([]);
  });

  it.each<[string, number, unknown, Record<string, string>]>([
    ["no credentials", 401, { url: "/a" }, { Cookie: "" }],
    ["credentials that the origin refuses", 401, { url: "/a" }, { Cookie: "sid=eve" }],
    ["a URL that is forbidden", 403, { url: "/forbidden" }, {}],
    ["a URL that leads elsewhere", 422, { url: "/moved" }, {}],
    ["a page that is not allowed", 403, { url: "/a" }, { Origin: "https://evil.example" }],
    ["no page at all", 403, { url: "/a" }, { Origin: "null" }],
    ["no JSON", 400, "{", {}],
    ["no object", 400, "null", {}],
    ["an absolute URL", 400, { url: "http://evil.example/a" }, {}],
    ["a fragment", 400, { url: "/a#b" }, {}],
    ["a line end", 400, { url: "/a\r\nX: y" }, {}],
    ["a ticket", 400, { url: "/a?rocket-ticket=x" }, {}],
    ["a form", 415, "url=/a", { "Content-Type": "text/plain" }],
    ["a long body", 413, { url: `/${"a".repeat(20_000)}` }, {}],
  ])("is not given for %s: %i [R-SEC-12]", async (_title, status, body, headers) => {
    const door = await open();
    const response = await door.order(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it("is asked for by POST, and by pages that are allowed across origins [R-SEC-12]", async () => {
    const door = await open({ allowOrigins });
    const url = `${door.url}/.well-known/rocket/tickets`;
    expect((await fetch(url)).status).toBe(405);
    const asking = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type" };
    const preflight = await fetch(url, { method: "OPTIONS", headers: { ...page, ...asking } });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
    const response = await door.order({ url: "/a" }, page);
    expect(response.status).toBe(201);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(Object.keys((await response.json()) as object).sort()).toEqual(["expiresAt", "ticket"]);
  });
});

describe("A ticket below a base path", () => {
  const basePath = "/api";

  it.each(guardedDoors)(
    "of $name is asked for there, and opens the well-known URL there [R-SEC-12] [R-WK-5]",
    async ({ open }) => {
      const door = await open({ basePath });
      const order = async (url: string): Promise<string> => {
        const response = await fetch(`${door.url}/api/.well-known/rocket/tickets`, {
          method: "POST",
          headers: { "Content-Type": "application/json", Cookie: "sid=anna" },
          body: JSON.stringify({ url }),
        });
        expect(response.status).toBe(201);
        return ((await response.json()) as { ticket: string }).ticket;
      };
      const path = "/api/.well-known/rocket";
      expect(await door.socket(`${path}?rocket-ticket=${await order(path)}`)).toMatchObject({ status: 200 });
      const again = await order(path);
      expect(await door.socket(`${path}?rocket-ticket=${again}x`)).toBe(401);
      const plain = await fetch(`${door.url}${path}?rocket-ticket=${again}`);
      expect(plain.status).toBe(401);
    },
  );
});
