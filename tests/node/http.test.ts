import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { describe, expect, it } from "vitest";
import { createServer } from "../../src/node/index.ts";
import { RocketError } from "../../src/protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../src/server/index.ts";
import { dialRaw, isWell, startSite } from "./fixture.ts";

const ok = async (): Promise<OriginResponse> => ({ status: 200, fields: [], body: "" });

describe("plain HTTP", () => {
  it("goes to the origin with method, target, fields and body, and its answer comes back", async () => {
    const asked: OriginRequest[] = [];
    const site = await startSite({}, () => async (request) => {
      asked.push(request);
      return {
        status: 201,
        fields: [
          ["Location", "/a/1"],
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
        ],
        body: "é",
      };
    });
    const response = await fetch(`${site.url}/a?x=1&x=2`, { method: "POST", body: "hello", headers: { "X-Own": "1" } });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/a/1");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("content-length")).toBe("2");
    expect(await response.text()).toBe("é");
    expect(asked[0]).toMatchObject({ method: "POST", target: "/a?x=1&x=2" });
    expect(String(asked[0]?.body)).toBe("hello");
    expect(asked[0]?.fields).toContainEqual(["X-Own", "1"]);
  });

  it("serves a GET's positions as the origin gives them [R-POS-7]", async () => {
    const site = await startSite({}, () => async () => ({ status: 201, fields: [["Event-ID", "m:7.0"]], body: "{}" }));
    const response = await fetch(`${site.url}/a`, { method: "POST", body: "{}" });
    expect(response.headers.get("event-id")).toBe("m:7.0");
  });

  it("answers HEAD without a body, with its length where it is known", async () => {
    const site = await startSite({}, () => async ({ target }) => ({
      status: 200,
      fields: [],
      body: target === "/a" ? "12345" : "",
    }));
    const known = await fetch(`${site.url}/a`, { method: "HEAD" });
    expect(known.headers.get("content-length")).toBe("5");
    expect(await known.text()).toBe("");
    const unknown = await fetch(`${site.url}/b`, { method: "HEAD" });
    expect(unknown.headers.get("content-length")).toBeNull();
  });

  it("answers 204 and 304 without body and length", async () => {
    const site = await startSite({}, () => async ({ target }) => ({
      status: Number(target.slice(1)),
      fields: [],
      body: "x",
    }));
    for (const status of [204, 304]) {
      const raw = await dialRaw(site, `GET /${status} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const answer = await raw.ended;
      expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
      expect(answer.endsWith("\r\n\r\n")).toBe(true);
      expect(answer.toLowerCase()).not.toContain("content-length");
    }
  });

  it("answers the well-known URL itself, for GET and HEAD only [R-WK-1]", async () => {
    const site = await startSite();
    const response = await fetch(`${site.url}/.well-known/rocket`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ rocket: { version: "1.0", promises: ["journal", "merge-patch"] } });
    expect((await fetch(`${site.url}/.well-known/rocket`, { method: "HEAD" })).status).toBe(200);
    const post = await fetch(`${site.url}/.well-known/rocket`, { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("refuses a body that is too large with 413, whether its length is said or not", async () => {
    let asked = 0;
    const site = await startSite({ maxBodyBytes: 1_000 }, () => () => {
      asked += 1;
      return ok();
    });
    const said = await fetch(`${site.url}/a`, { method: "POST", body: "x".repeat(1_001) });
    expect(said.status).toBe(413);
    const chunked = httpRequest(`${site.url}/a`, { method: "POST" });
    for (let at = 0; at < 500; at += 1) chunked.write("x".repeat(1_000));
    chunked.end();
    const [response] = await once(chunked, "response");
    expect(response.statusCode).toBe(413);
    response.resume();
    await once(response, "end");
    expect(asked).toBe(0);
    const exact = await fetch(`${site.url}/a`, { method: "POST", body: "x".repeat(1_000) });
    expect(exact.status).toBe(200);
  });

  it("is a 500 where the origin fails or its answer can't be written, without the text [R-SEC-6]", async () => {
    const answers: (() => Promise<OriginResponse>)[] = [
      () => Promise.reject(new Error("hunter2")),
      () => {
        throw new Error("hunter2");
      },
      async () => ({ status: 200, fields: [["X", "hunter2\r\nSet-Cookie: x"]], body: "hunter2" }),
      async () => ({ status: 9_999, fields: [], body: "hunter2" }),
      async () => undefined as unknown as OriginResponse,
    ];
    for (const answer of answers) {
      const site = await startSite({}, () => answer);
      const response = await fetch(`${site.url}/a`);
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain("hunter2");
      expect(response.headers.get("set-cookie")).toBeNull();
      expect(site.errors).toHaveLength(1);
    }
  });

  it("aborts what nobody waits for any more", async () => {
    let signal: AbortSignal | undefined;
    const site = await startSite({}, () => (request) => {
      signal = request.signal;
      return new Promise(() => {});
    });
    const raw = await dialRaw(site, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(() => signal).toBeDefined();
    expect(signal?.aborted).toBe(false);
    raw.socket.destroy();
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  it("serves many requests of one connection without piling up listeners", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", warn);
    const site = await startSite();
    const one = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const raw = await dialRaw(site, one.repeat(30) + one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    const answer = await raw.ended;
    process.off("warning", warn);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(31);
    expect(warnings).toEqual([]);
  });

  it("answers an offer of h2c as plain HTTP, with body and keep-alive", async () => {
    const site = await startSite({}, () => async ({ method, body, fields }) => ({
      status: 200,
      fields: [],
      body: `${method} ${String(body)} ${fields.map(([name]) => name.toLowerCase()).join()}`,
    }));
    const head = (method: string, more: string) =>
      `${method} /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings${more}\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`;
    const raw = await dialRaw(site, `${head("GET", "")}\r\n`);
    await raw.until(/GET {2}host$/);
    raw.socket.write(`${head("POST", ", close")}Content-Length: 5\r\n\r\nhello`);
    expect(await raw.ended).toMatch(
      /HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 200 [\s\S]*POST hello host,connection,content-length$/,
    );
  });
});

describe("listening", () => {
  it("on an address that is taken rejects with listen-failed", async () => {
    const site = await startSite();
    const second = createServer({ origin: ok });
    const failure = await second.listen(site.port).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RocketError);
    expect(failure).toMatchObject({ code: "listen-failed", message: expect.stringContaining(String(site.port)) });
    await second.close();
  });

  it("goes on after a connection could not be accepted [R-SEC-4]", async () => {
    const site = await startSite();
    site.rocket.server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
    expect(site.errors).toEqual(["accept: Error: accept EMFILE"]);
    expect(await isWell(site)).toBe(true);
  });
});
