import { describe, expect, it } from "vitest";
import type { ServerOptions } from "../../src/node/index.ts";
import { createServer } from "../../src/node/index.ts";
import { createMemoryJournal } from "../../src/server/index.ts";
import { type DialOptions, dial, dialRaw, handshake, isWell, type Site, startSite } from "./fixture.ts";

async function statusOf(site: Site, options: DialOptions): Promise<number> {
  try {
    const client = await dial(site, "/a", options);
    client.socket.close();
    await client.closed;
    return 101;
  } catch (error) {
    return Number(/\d+$/.exec(String(error))?.[0]);
  }
}

/** The status of a request with that Host, over HTTP or as a handshake. */
async function hostStatus(site: Site, host: string | undefined, isUpgrade: boolean): Promise<number> {
  const plain = "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const text = isUpgrade ? handshake(site, "/a") : plain;
  const sent =
    host === undefined ? text.replace(/Host: .*\r\n/, "") : text.replace(/Host: .*\r\n/, `Host: ${host}\r\n`);
  const raw = await dialRaw(site, sent);
  const answer = await raw.until(/^HTTP\/1\.1 \d{3}/);
  raw.socket.destroy();
  return Number(/\d{3}/.exec(answer.slice(9))?.[0]);
}

describe("the Origin of a handshake", () => {
  it("is allowed where it is the request's own host and port, on the list, or absent [R-SEC-1]", async () => {
    const site = await startSite({ allowOrigins: ["https://app.example.com", "http://other.example:8000/"] });
    const allowed = [
      site.url,
      site.url.replace("http:", "https:"),
      "https://app.example.com",
      "http://other.example:8000",
      undefined,
    ];
    for (const origin of allowed) {
      expect([origin, await statusOf(site, origin === undefined ? {} : { origin })]).toEqual([origin, 101]);
    }
    expect(site.log).toEqual([]);
  });

  it("is refused with 403 before the 101 where it is foreign or null, at both levels, and logged [R-SEC-1]", async () => {
    const site = await startSite({ allowOrigins: ["https://app.example.com"] });
    const foreign = [
      "https://evil.example",
      "null",
      `http://127.0.0.1:${site.port + 1}`,
      "http://127.0.0.1",
      `http://localhost:${site.port}`,
      "https://app.example.com.evil.example",
      "http://app.example.com",
      `file://127.0.0.1:${site.port}`,
      "",
    ];
    for (const origin of foreign) {
      for (const protocols of [["rocket.v1"], []]) {
        expect([origin, await statusOf(site, { protocols, headers: { Origin: origin } })]).toEqual([origin, 403]);
      }
    }
    expect(site.log[0]).toContain("--allow-origin https://evil.example");
    const suggested = site.log.flatMap((line) => /--allow-origin (.*)/.exec(line)?.[1] ?? []);
    expect(suggested.filter((origin) => !/^http/.test(origin))).toEqual([]);
    expect(site.log.length).toBeGreaterThan(suggested.length);
    expect(await isWell(site)).toBe(true);
  });

  it("may leave out a default port, as Host may [R-SEC-1]", async () => {
    const site = await startSite();
    const upgrade = async (host: string, origin: string): Promise<string> => {
      const text = handshake(site, "/a", [`Origin: ${origin}`]).replace(/Host: .*\r\n/, `Host: ${host}\r\n`);
      const raw = await dialRaw(site, text);
      const answer = await raw.until(/^HTTP\/1\.1 \d{3}/);
      raw.socket.destroy();
      return answer.slice(9, 12);
    };
    expect(await upgrade("localhost", "https://localhost")).toBe("101");
    expect(await upgrade("localhost:443", "https://localhost")).toBe("101");
    expect(await upgrade("LOCALHOST:80", "http://localhost")).toBe("101");
    expect(await upgrade("localhost:8080", "http://localhost")).toBe("403");
  });
});

describe("the Host of a request to a loopback address", () => {
  const loopback = ["localhost", "localhost:1", "127.0.0.1", "127.3.2.1:80", "[::1]", "[::1]:8080", "app.localhost"];
  const rebound = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8080", ""];

  it.each(loopback)("may be %s [R-SEC-2]", async (host) => {
    const site = await startSite();
    expect([await hostStatus(site, host, false), await hostStatus(site, host, true)]).toEqual([200, 101]);
  });

  it.each(rebound)("is refused with 421 where it is %j [R-SEC-2]", async (host) => {
    const site = await startSite();
    expect([await hostStatus(site, host, false), await hostStatus(site, host, true)]).toEqual([421, 421]);
  });

  it("is refused where a request has none [R-SEC-9]", async () => {
    const site = await startSite();
    expect(await hostStatus(site, undefined, true)).toBe(400);
    expect(await hostStatus(site, undefined, false)).toBe(400);
  });

  it("may be a name that the server was told of, and the refusal of others says how [R-SEC-2]", async () => {
    const site = await startSite({ allowHosts: ["Music.example"] });
    expect(await hostStatus(site, "music.EXAMPLE:8080", true)).toBe(101);
    expect(await hostStatus(site, "localhost", true)).toBe(101);
    expect(await hostStatus(site, "other.example", true)).toBe(421);
    expect(site.log[0]).toContain("--allow-host other.example");
  });

  it("may be any elsewhere, unless there is a list: then that is the list [R-SEC-2]", async () => {
    const open = await startSite({}, undefined, "0.0.0.0");
    expect(await hostStatus(open, "music.example", true)).toBe(101);
    const listed = await startSite({ allowHosts: ["music.example"] }, undefined, "0.0.0.0");
    expect(await hostStatus(listed, "music.example", true)).toBe(101);
    expect(await hostStatus(listed, "localhost", true)).toBe(421);
  });
});

describe("plain HTTP", () => {
  it("refuses unsafe methods from foreign pages with 403, and asks the origin nothing [R-SEC-2]", async () => {
    const asked: string[] = [];
    const site = await startSite({}, (origin) => (request) => {
      asked.push(request.method);
      return origin(request);
    });
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const foreign = await fetch(`${site.url}/a`, { method, headers: { Origin: "https://evil.example" } });
      expect(foreign.status).toBe(403);
      expect(foreign.headers.get("content-type")).toBe("application/problem+json");
    }
    expect(asked).toEqual([]);
    const own = await fetch(`${site.url}/a`, { method: "POST", headers: { Origin: site.url } });
    expect(own.status).toBe(405);
    const absent = await fetch(`${site.url}/a`, { method: "POST" });
    expect(absent.status).toBe(405);
    const read = await fetch(`${site.url}/a`, { headers: { Origin: "https://evil.example" } });
    expect(read.status).toBe(200);
    expect(read.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("lets listed origins read answers and their fields, and says that answers vary", async () => {
    const site = await startSite({ allowOrigins: ["https://app.example.com"] });
    const listed = await fetch(`${site.url}/a`, { headers: { Origin: "https://app.example.com" } });
    expect(listed.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(listed.headers.get("access-control-expose-headers")).toContain("Event-ID");
    expect(listed.headers.get("vary")).toBe("Accept, Accept-Encoding, Origin");
    const plain = await fetch(`${site.url}/a`);
    expect(plain.headers.get("access-control-allow-origin")).toBeNull();
    expect(plain.headers.get("vary")).toBe("Accept, Accept-Encoding, Origin");
  });

  it("answers the preflight of listed origins, and gives others none", async () => {
    const site = await startSite({ allowOrigins: ["https://app.example.com"] });
    const preflight = (origin: string) =>
      fetch(`${site.url}/a`, {
        method: "OPTIONS",
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "PATCH",
          "Access-Control-Request-Headers": "content-type, if-match",
        },
      });
    const listed = await preflight("https://app.example.com");
    expect(listed.status).toBe(204);
    expect(listed.headers.get("access-control-allow-methods")).toBe("PATCH");
    expect(listed.headers.get("access-control-allow-headers")).toBe("content-type, if-match");
    const foreign = await preflight("https://evil.example");
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a server's options", () => {
  const base = { origin: async () => ({ status: 404, fields: [], body: "" }), journal: createMemoryJournal() };

  it.each<[Partial<ServerOptions>, RegExp]>([
    [{ allowOrigins: ["app.example.com"] }, /allowOrigins.*"app\.example\.com"/],
    [{ allowOrigins: ["https://app.example.com/path"] }, /allowOrigins.*\/path/],
    [{ allowOrigins: ["null"] }, /allowOrigins.*"null"/],
    [{ allowOrigins: ["*"] }, /allowOrigins.*"\*"/],
    [{ allowHosts: ["http://music.example"] }, /allowHosts.*http/],
    [{ allowHosts: ["music.example:8080"] }, /allowHosts.*8080/],
    [{ allowHosts: [""] }, /allowHosts.*""/],
    [{ maxBodyBytes: 0 }, /maxBodyBytes.*0/],
    [{ maxBodyBytes: 1.5 }, /maxBodyBytes.*1\.5/],
    [{ drainMs: -1 }, /drainMs.*-1/],
    [{ drainMs: Number.POSITIVE_INFINITY }, /drainMs.*Infinity/],
    [{ limits: { maxConnections: 0 } }, /limits\.maxConnections.*0/],
  ])("refuse %j, naming option and value", (options, text) => {
    expect(() => createServer({ ...base, ...options })).toThrow(text);
  });
});
