import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createProxy, type ProxyOptions } from "../../src/proxy/index.ts";
import { Follower } from "./follower.ts";
import { notes } from "./notes.ts";
import { listen, proxied, proxy, upstream } from "./setting.ts";

const level1 = ["rocket.v1"];
const write = (url: string, method: string, body?: string): Promise<Response> =>
  fetch(url, { method, ...(body !== undefined && { body }) });

describe("a URL of the upstream, followed through the proxy,", () => {
  it("gives the snapshot, then 201, 202 and 204 for writes through the proxy [R-DER-1]", async () => {
    const { url } = await proxied(notes().handler);
    const follower = await new Follower(`${url}/notes`, level1).caughtUp();
    await write(`${url}/notes`, "POST", "three");
    await follower.notifications(2);
    await write(`${url}/notes/1`, "PUT", "ONE");
    await follower.notifications(3);
    await write(`${url}/notes/2`, "DELETE");
    expect(await follower.notifications(4)).toEqual([
      '200 [{"id":1,"text":"one"},{"id":2,"text":"two"}]',
      '201 /notes/3 {"id":3,"text":"three"}',
      '202 /notes/1 {"id":1,"text":"ONE"}',
      "204 /notes/2",
    ]);
  });

  it("gives the proposal's messages at Level 0 [R-L0-2]", async () => {
    const { url } = await proxied(notes().handler);
    const follower = await new Follower(`${url}/notes`).opened();
    await write(`${url}/notes`, "POST", "three");
    expect(await follower.first(1)).toEqual([
      'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Location: /notes/3\r\n\r\n{"id":3,"text":"three"}',
    ]);
  });

  it("is looked at after COPY and MOVE to it, and ends at its viewer's logout [R-DER-4] [R-DER-9]", async () => {
    const api = notes();
    let isIn = true;
    const { url } = await proxied((incoming, response) => {
      if (incoming.method === "GET" && !isIn) response.writeHead(401).end();
      else if (incoming.method === "GET") api.handler(incoming, response);
      else {
        if (incoming.method === "COPY") api.rows.set("/notes/9", { id: 9, text: "nine" });
        else isIn = false;
        response.writeHead(204).end();
      }
    });
    const Cookie = "s=1";
    const follower = await new Follower(`${url}/notes`, level1, { Cookie }).caughtUp();
    await fetch(`${url}/elsewhere/9`, { method: "COPY", headers: { Destination: `${url}/notes/9` } });
    expect((await follower.notifications(2))[1]).toBe('201 /notes/9 {"id":9,"text":"nine"}');
    await fetch(`${url}/logout`, { method: "POST", headers: { Cookie } });
    expect((await follower.notifications(3))[2]).toMatch(/^401 /);
  });

  it("stands while looks are answered by a 304 with the Content-Length of what it does not send", async () => {
    const api = notes();
    let unchanged = 0;
    const { url, logged } = await proxied(
      (incoming, response) => {
        const etag = `"${[...api.rows.values()].map(({ text }) => text).join()}"`;
        if (incoming.headers["if-none-match"] === etag) {
          unchanged += 1;
          response.writeHead(304, { ETag: etag, "Content-Length": 99 }).end();
          return;
        }
        if (incoming.method === "GET") response.setHeader("ETag", etag);
        api.handler(incoming, response);
      },
      { refreshMs: 60_000 },
    );
    const follower = await new Follower(`${url}/notes`, level1).caughtUp();
    // Writes that change nothing.
    while (unchanged < 2) await write(`${url}/notes/1`, "PUT", "one");
    await write(`${url}/notes/1`, "PUT", "ONE");
    expect((await follower.notifications(2))[1]).toBe('202 /notes/1 {"id":1,"text":"ONE"}');
    expect(logged).toEqual([]);
  });

  it("costs one GET per burst of writes, whoever follows", async () => {
    const api = notes();
    const { url } = await proxied(api.handler);
    const followers = await Promise.all(
      Array.from({ length: 20 }, () => new Follower(`${url}/notes`, level1).caughtUp()),
    );
    const before = api.reads;
    await write(`${url}/notes/1`, "PUT", "ONE");
    await Promise.all(followers.map((follower) => follower.notifications(2)));
    expect(api.reads - before).toBe(1);
  });

  it("finds a write behind the proxy's back at the next refresh", async () => {
    const api = notes();
    const { url } = await proxied(api.handler, { refreshMs: 50 });
    const follower = await new Follower(`${url}/notes`, level1).caughtUp();
    api.rows.delete("/notes/1");
    expect((await follower.notifications(2))[1]).toBe("204 /notes/1");
  });

  it("is looked at again after a write that was answered with 500, and one that was cut off", async () => {
    const api = notes();
    const handler: RequestListener = (incoming, response) => {
      if (incoming.method !== "PATCH") {
        api.handler(incoming, response);
        return;
      }
      api.rows.set("/notes/9", { id: 9, text: incoming.url ?? "" });
      if (incoming.url === "/notes/9?500") response.writeHead(500).end();
      else response.destroy();
    };
    const { url } = await proxied(handler);
    const follower = await new Follower(`${url}/notes`, level1).caughtUp();
    expect((await write(`${url}/notes/9?500`, "PATCH")).status).toBe(500);
    expect((await follower.notifications(2))[1]).toContain("201 /notes/9 ");
    expect((await write(`${url}/notes/9?cut`, "PATCH")).status).toBe(502);
    expect((await follower.notifications(3))[2]).toContain("202 /notes/9 ");
  });

  it("is not looked at again after a write that was refused", async () => {
    const api = notes();
    const { url } = await proxied(api.handler);
    await new Follower(`${url}/notes`, level1).caughtUp();
    const before = api.reads;
    expect((await write(`${url}/notes/1`, "PATCH", "x")).status).toBe(400);
    await (await fetch(`${url}/notes`)).text();
    expect(api.reads - before).toBe(1);
  });

  it("waits while the upstream is down, and catches up when it is back", async () => {
    const api = notes();
    const first = await upstream(api.handler);
    const { url } = await proxy(first.url, { refreshMs: 50 });
    const follower = await new Follower(`${url}/notes`, level1).caughtUp();
    first.server.close();
    first.server.closeAllConnections();
    await once(first.server, "close");
    expect((await fetch(`${url}/notes`)).status).toBe(502);
    api.rows.delete("/notes/2");
    await listen(createServer(api.handler), first.port);
    expect((await follower.notifications(2))[1]).toBe("204 /notes/2");
  });

  it("is refused with 502 while the upstream is down [R-SUB-2]", async () => {
    const { url: origin, server } = await upstream(() => {});
    server.close();
    const { url } = await proxy(origin);
    const follower = new Follower(`${url}/notes`, level1);
    expect((await follower.notifications(1))[0]).toMatch(/^502 .*"The upstream can't be reached\."/);
    expect(await follower.closed).toBe(4502);
  });

  it.each([
    [401, 4401],
    [404, 4404],
  ])("is refused with the upstream's own status: %i [R-SUB-2]", async (status, code) => {
    const { url } = await proxied((_, response) => response.writeHead(status).end());
    const follower = new Follower(`${url}/notes`, level1);
    expect((await follower.notifications(1))[0]).toMatch(new RegExp(`^${status} `));
    expect(await follower.closed).toBe(code);
  });

  it.each([
    ["text/event-stream", 415],
    ["multipart/x-mixed-replace; boundary=a", 415],
  ])("is refused where it is an endless stream: %s", async (type, status) => {
    const { url } = await proxied((_, response) => {
      response.writeHead(200, { "Content-Type": type });
      response.write("data: 1\n\n");
    });
    const follower = new Follower(`${url}/events`, level1);
    expect((await follower.notifications(1))[0]).toMatch(new RegExp(`^${status} `));
  });

  it.each(["with a length", "in chunks"])("is refused where it is too large, %s", async (how) => {
    const { url } = await proxied(
      (_, response) => {
        if (how === "in chunks") response.write("x");
        response.end("x".repeat(3000));
      },
      { maxDocumentBytes: 2048 },
    );
    const follower = new Follower(`${url}/large`, level1);
    expect((await follower.notifications(1))[0]).toMatch(/^413 /);
  });

  it("is read with the viewer's fields, as JSON, uncompressed, and without what belongs to one request", async () => {
    const { url } = await proxied((incoming, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify([incoming.headers]));
    });
    const headers = {
      Authorization: "Bearer a",
      Cookie: "b=c",
      "X-Tenant": "d",
      "Cache-Control": "no-cache",
      traceparent: "00-1-1-00",
      "X-Forwarded-For": "evil",
    };
    const follower = new Follower(`${url}/who`, level1, headers);
    const [seen] = JSON.parse((await follower.notifications(1))[0]?.slice(4) ?? "") as Record<string, string>[];
    const wanted = [
      "accept",
      "accept-encoding",
      "authorization",
      "cookie",
      "x-tenant",
      "sec-fetch-mode",
      "x-forwarded-for",
    ];
    expect(wanted.map((name) => seen?.[name])).toEqual([
      "application/json, */*;q=0.5",
      "identity",
      "Bearer a",
      "b=c",
      "d",
      "cors",
      "127.0.0.1",
    ]);
    const unwanted = ["cache-control", "traceparent", "upgrade", "sec-websocket-key", "sec-websocket-protocol"];
    expect(unwanted.filter((name) => seen !== undefined && name in seen)).toEqual([]);
  });

  it("is decompressed where the upstream compresses in any case", async () => {
    const { url } = await proxied((_, response) => {
      const fields = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
      response.writeHead(200, fields).end(gzipSync('[{"id":1}]'));
    });
    const follower = new Follower(`${url}/packed`, level1);
    expect(await follower.notifications(1)).toEqual(['200 [{"id":1}]']);
  });

  it("leaves /.well-known/rocket to the proxy [R-WK-1]", async () => {
    const { url } = await proxied(notes().handler);
    const answer = (await (await fetch(`${url}/.well-known/rocket`)).json()) as { rocket: { version: string } };
    expect(answer.rocket.version).toBe("1.0");
  });

  it("is told there, where the upstream does a write once by its key [R-WK-4]", async () => {
    const { handler } = notes();
    const said = async (options: Partial<ProxyOptions>): Promise<unknown> => {
      const { url } = await proxied(handler, options);
      return (await (await fetch(`${url}/.well-known/rocket`)).json()).rocket.promises;
    };
    expect(await said({})).toEqual([]);
    expect(await said({ promises: ["idempotency-key"] })).toEqual(["idempotency-key"]);
    const strange = { promises: ["merge-patch"] } as object;
    expect(() => createProxy({ upstream: "http://127.0.0.1:1", ...strange })).toThrow(
      /^promises: "merge-patch" is none/,
    );
  });
});
