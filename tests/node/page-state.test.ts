import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { attach } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import type { HubState } from "../../src/server/index.ts";
import { listen, upstream } from "../proxy/setting.ts";
import { dial, type Site, startSite } from "./fixture.ts";

const path = "/.well-known/rocket/inspector/state";

async function stateOf(site: Pick<Site, "url">, headers: Record<string, string> = {}) {
  const response = await fetch(site.url + path, { headers });
  return { status: response.status, state: (await response.json()) as HubState & { memoryBytes: number } };
}

/** What a GET with a Host of one's own is answered with. */
function statusAs(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, path, headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("who follows what", () => {
  it("is told on the server's own machine: connections, views, and what is held", async () => {
    const site = await startSite({ page: "inspector", derived: {} });
    site.put(1);
    const client = await dial(site, "/a");
    await client.until(({ status }) => status === 304);
    const { status, state } = await stateOf(site);
    expect(status).toBe(200);
    expect(state).toMatchObject({
      connections: [{ level: 1, unsentBytes: 0, isSlow: false, subscriptions: [{ url: "/a", state: "live" }] }],
      views: [{ url: "/a", kind: "direct", followers: 1 }],
      heldBytes: 0,
      maxHeldBytes: 64 * 1024 * 1024,
    });
    expect(state.memoryBytes).toBeGreaterThan(1_000_000);
  });

  it.each(["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"])(
    "is told to nobody who comes through a front, nor is what is served: %s",
    async (name) => {
      const site = await startSite({ page: "inspector", derived: {}, pageFacts: { name: "secret.db" } });
      const page = async (headers: Record<string, string>): Promise<string> =>
        (await fetch(site.url, { headers: { Accept: "text/html", ...headers } })).text();
      expect((await stateOf(site, { [name]: "x" })).status).toBe(403);
      expect([(await page({})).includes("secret.db"), (await page({ [name]: "x" })).includes("secret.db")]).toEqual([
        true,
        false,
      ]);
    },
  );

  it("is not told where tokens are asked for, nor is what is served", async () => {
    const site = await startSite({
      page: "inspector",
      derived: {},
      pageFacts: { name: "secret.db", tellsState: false },
    });
    const page = await (await fetch(site.url, { headers: { Accept: "text/html" } })).text();
    expect([(await stateOf(site)).status, page.includes("<meta"), page.includes("secret.db")]).toEqual([
      403,
      true,
      false,
    ]);
  });

  it("counts the GETs of a view that is asked for again", async () => {
    let text = '[{"id":1,"name":"a"},{"id":2,"name":"b"}]';
    const app = await upstream((_request, response) => {
      response.setHeader("Content-Type", "application/json").end(text);
    });
    const attachment = attach(app.server);
    const client = await dial({ port: app.port } as Site, "/list");
    await client.until(({ status }) => status === 304);
    text = '[{"id":1,"name":"c"},{"id":2,"name":"b"}]';
    attachment.changed("/list");
    await client.until(({ status }) => status === 202);
    const { state } = await stateOf(app);
    expect(state.views).toMatchObject([{ url: "/list", kind: "derived", followers: 1, asked: { writes: 1 } }]);
    expect(state.views[0]?.asked?.gets).toBeGreaterThanOrEqual(1);
    await attachment.close();
  });

  it("tells what was learnt of a view: what makes it stale, whom it is for, and where its records are", async () => {
    const answers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      "/links": { body: '[{"url":"/x/1"},{"url":"/x/2"}]' },
      "/keys": { body: '{"data":[{"code":"a"},{"code":""}]}' },
      "/one": { body: '{"a":1}', "Cache-Control": "public" },
      "/bare": { body: '[{"id":1}]', "Cache-Control": "private" },
    };
    const app = await upstream((request, response) => {
      const { body = "", ...fields } = answers[request.url ?? ""] ?? { body: "{}" };
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
      response.setHeader("Content-Type", "application/json").end(body);
    });
    const attachment = attach(app.server, { records: { "/keys": { list: "data", key: "code" } } });
    for (const path of Object.keys(answers)) {
      const client = await dial({ port: app.port } as Site, path);
      await client.until(({ status }) => status === 304);
    }
    const { state } = await stateOf(app);
    const learnt = Object.fromEntries(state.views.map(({ url, document }) => [url, document]));
    expect(learnt).toEqual({
      "/links": {
        staleAt: ["/links"],
        givenTo: "viewer",
        length: 31,
        rows: { count: 2, urls: "link", areAllNamed: true },
      },
      "/keys": {
        staleAt: ["/keys"],
        givenTo: "viewer",
        length: 35,
        rows: { count: 2, urls: "option", areAllNamed: false },
      },
      "/one": { staleAt: ["/one"], givenTo: "declared", length: 7 },
      "/bare": {
        staleAt: ["/bare"],
        givenTo: "request",
        length: 10,
        rows: { count: 1, urls: "none", areAllNamed: true },
      },
    });
    await attachment.close();
  });

  it("is nobody else's to know", async () => {
    const site = await startSite({
      page: "inspector",
      allowHosts: ["front.example"],
      allowOrigins: ["http://a.example"],
    });
    expect((await stateOf(site)).status).toBe(200);
    expect(await statusAs("front.example", site.port)).toBe(403);
    expect((await stateOf(site, { Origin: "http://a.example" })).status).toBe(403);
    const withTokens = await startSite({ page: "inspector", pageFacts: { tellsState: false } });
    expect((await stateOf(withTokens)).status).toBe(403);
    const far = await startSite({ page: "inspector" }, undefined, "0.0.0.0");
    expect((await stateOf(far)).status).toBe(403);
    const without = await startSite({ page: "line" });
    expect((await stateOf(without)).status).toBe(404);
  });
});

describe("the page's own URL", () => {
  const inspector = "/.well-known/rocket/inspector";
  const isPage = (text: string): boolean => text.startsWith("<!doctype html>");
  const seen: (string | undefined)[] = [];
  const app = () =>
    listen(
      createHttpServer((request, response) => {
        seen.push(request.url);
        response.end("the application's");
      }),
    );

  it("is there at an attached application, below its base, and can be switched off", async () => {
    const { server, url } = await app();
    const attachment = attach(server, { basePath: "/api" });
    for (const base of ["", "/api"]) expect(isPage(await (await fetch(url + base + inspector)).text())).toBe(true);
    expect(await (await fetch(`${url}/`, { headers: { Accept: "text/html" } })).text()).toBe("the application's");
    expect(seen).toEqual(["/"]);
    await attachment.close();
    const off = await app();
    attach(off.server, { page: false });
    expect(await (await fetch(off.url + inspector)).text()).toBe("the application's");
  });

  it("is there at a proxy, and can be switched off", async () => {
    const { url } = await app();
    for (const page of [true, false]) {
      const proxy = createProxy({ upstream: url, drainMs: 0, page });
      const { port } = await proxy.listen(0);
      onTestFinished(() => proxy.close());
      const text = await (await fetch(`http://127.0.0.1:${port}${inspector}`)).text();
      expect(isPage(text)).toBe(page);
    }
  });

  it("is not there in production, unless that is said", async () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = "production";
    onTestFinished(() => {
      process.env.NODE_ENV = before;
    });
    const { server, url } = await app();
    attach(server);
    expect(await (await fetch(url + inspector)).text()).toBe("the application's");
    const asked = await app();
    attach(asked.server, { page: true });
    expect(isPage(await (await fetch(asked.url + inspector)).text())).toBe(true);
  });
});
