import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type AttachOptions, attach, isRocketRequest } from "../../../src/node/index.ts";
import { fieldValue } from "../../../src/protocol/index.ts";
import { Follower } from "./follower.ts";
import { startExpress } from "./frameworks/express.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site, startSite } from "./site.ts";

const express = { name: "Express", start: startExpress };

async function start(handler: RequestListener, options: AttachOptions = {}): Promise<Site> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  endAfterTest(server);
  return attachTo(server, new Notes(), options);
}

describe("attach", () => {
  it("takes a server before it listens, too", async () => {
    const notes = new Notes();
    const server = createServer((_request, response) => void response.end('"text"'));
    endAfterTest(server);
    const site = attachTo(server, notes);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    expect((await site.follow("/").status(200)).body).toBe('"text"');
  });

  it.each([
    ["an application", () => {}, /^server must be an HTTP server, as app\.listen\(\)/],
    ["nothing", undefined, /^server must be an HTTP server.*not undefined/],
    ["a promise", Promise.resolve(), /not a Promise\.$/],
  ])("refuses %s in place of a server", (_title, value, message) => {
    expect(() => attach(value as unknown as Server)).toThrow(message);
  });

  it.each([
    [{ path: ["/api"] }, /^path is no option of attach/],
    [{ paths: ["api"] }, /^paths must be paths that begin with a slash/],
    [{ paths: "/api" }, /^paths must be/],
    [{ allowOrigins: ["app.example.com"] }, /^allowOrigins: "app\.example\.com"/],
    [{ refreshMs: -1 }, /^refreshMs must be/],
    [{ promises: ["merge-patch"] }, /^promises: "merge-patch" is none that an origin can keep/],
    [{ limits: { maxDocumentBytes: 1 } }, /^limits\.maxDocumentBytes must be/],
    [{ limits: { maxThings: 1 } }, /^limits\.maxThings is not a limit/],
  ])("refuses %o, naming the option", (options, message) => {
    const server = createServer();
    expect(() => attach(server, options as AttachOptions)).toThrow(message);
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(Object.hasOwn(server, "emit")).toBe(false);
  });

  it("refuses a server that it was attached to, until it is closed", async () => {
    const server = createServer();
    const first = attach(server);
    expect(() => attach(server)).toThrow(/attached to already/);
    await first.close();
    await attach(server).close();
    await expect(first.close()).resolves.toBeUndefined();
  });

  it("leaves the server as it was when it is closed", async () => {
    const site = await start((_request, response) => void response.end("{}"));
    const { server } = site;
    const follower = site.follow("/");
    await follower.status(200);
    await site.attachment.close();
    expect(await follower.closed).toBe(1001);
    expect([server.listenerCount("upgrade"), Object.hasOwn(server, "emit"), Object.hasOwn(server, "close")]).toEqual([
      0,
      false,
      false,
    ]);
    expect((await fetch(site.url)).status).toBe(200);
  });

  it("refuses URLs that are none to changed()", () => {
    const attachment = attach(createServer());
    expect(() => attachment.changed("notes")).toThrow(/^url must be a path that begins with a slash/);
    expect(() => attachment.changed([7] as never)).toThrow(TypeError);
    attachment.changed(["/notes", "https://example.com/notes"]);
    return attachment.close();
  });
});

describe("an attached server", () => {
  it("refuses foreign pages before the 101, and says what would allow them [R-SEC-1]", async () => {
    const site = await startSite(express);
    const headers = { Origin: "https://evil.example" };
    await expect(site.follow("/api/notes", { headers }).opened).rejects.toThrow("refused with 403");
    expect(site.errors).toEqual([
      'access: Refused a WebSocket of a foreign page: "https://evil.example". To allow it: attach(server, { allowOrigins: ["https://evil.example"] })',
    ]);
  });

  it("takes pages of its own host, and of the origins that it is given", async () => {
    const site = await startSite(express, { allowOrigins: ["https://app.example.com"] });
    for (const origin of [site.url, "https://app.example.com"]) {
      await site.follow("/api/notes", { headers: { Origin: origin } }).ready();
    }
    await expect(site.follow("/api/notes", { headers: { Origin: "null" } }).opened).rejects.toThrow("403");
    expect(site.errors).toEqual(["access: Refused a WebSocket of a foreign page."]);
    expect(site.attachment.counts.connections).toBe(2);
  });

  it("follows only what paths name, in band too", async () => {
    const site = await startSite(express, { paths: ["/api"] });
    expect((await site.follow("/secret").status(422)).status).toBe(422);
    const follower = await site.follow("/api/notes").ready();
    for (const path of ["/secret", "/apian", "/api/../secret", "/api/%2e%2e/secret", "/api/%2E./secret", "/%"]) {
      expect([path, (await follower.request("SUBSCRIBE", path)).status]).toEqual([path, 422]);
    }
    expect((await follower.request("SUBSCRIBE", "/api/notes/1")).status).toBe(200);
    expect(site.notes.asked.map(({ path }) => path)).toEqual(["/api/notes", "/api/notes/1", "/api/notes/1"]);
  });

  it("ends what a session follows at its logout, and nobody else's followers [R-DER-9]", async () => {
    const site = await startSite(express, { refreshMs: 86_400_000 });
    const [alice, bob] = [await site.logIn("alice"), await site.logIn("bob")];
    const alices = await site.follow("/mine", { headers: { Cookie: alice } }).ready();
    await site.follow("/mine", { headers: { Cookie: bob } }).ready();
    expect((await site.send("POST", "/login", { user: "" }, { Cookie: alice })).status).toBe(204);
    expect(await alices.closed).toBe(4302);
    expect(site.attachment.counts.connections).toBe(1);
  });

  it.each(["GET", "HEAD"])("says what it is at the well-known URL, by %s [R-WK-1]", async (method) => {
    const site = await startSite(express, { paths: ["/api"] });
    const response = await fetch(`${site.url}/.well-known/rocket?x=1`, { method });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    const text = await response.text();
    if (method === "GET")
      expect(JSON.parse(text).rocket).toMatchObject({ version: "1.0", levels: [0, 1], promises: [] });
    expect(site.notes.asked).toEqual([]);
    expect((await site.send("POST", "/.well-known/rocket")).status).toBe(404);
  });

  it("tells there what the application promises [R-WK-4]", async () => {
    const site = await startSite(express, { promises: ["idempotency-key"] });
    const said = await (await fetch(`${site.url}/.well-known/rocket`)).json();
    expect(said.rocket.promises).toEqual(["idempotency-key"]);
  });

  it("asks nobody but itself, whatever a target looks like", async () => {
    const site = await startSite(express);
    const follower = await site.follow("/api/notes").ready();
    await follower.request("SUBSCRIBE", "//evil.example/api");
    expect(site.notes.asked.map(({ path, fields }) => [path, fields.host])).toEqual([
      ["/api/notes", new URL(site.url).host],
      ["/api/notes/1", new URL(site.url).host],
      ["//evil.example/api", new URL(site.url).host],
    ]);
  });
});

describe("a request on a follower's behalf", () => {
  it.each([
    ["by its length", (body: string) => ({ "Content-Length": String(body.length) })],
    ["by what came of it", (_body: string) => ({ "Transfer-Encoding": "chunked" })],
  ])("ends with 413 for a document that is too large %s", async (_title, fields) => {
    const body = "x".repeat(3000);
    const site = await start((_request, response) => void response.writeHead(200, fields(body)).end(body), {
      limits: { maxDocumentBytes: 2000 },
    });
    expect((await site.follow("/").status(413)).status).toBe(413);
    expect(site.errors).toEqual([]);
  });

  it("ends with 502 for an answer that breaks off, and is told", async () => {
    const site = await start((_request, response) => {
      response.writeHead(200, { "Content-Length": "10" }).write("half");
      response.destroy();
    });
    expect((await site.follow("/").status(502)).status).toBe(502);
    expect(site.errors).toEqual(["application: The application broke its answer off."]);
  });

  it("ends with 502 where the application throws at once, and takes neither the process nor others along", async () => {
    const site = await start((request, response) => {
      if (request.url === "/bad") throw new Error("Not today.");
      response.end('"fine"');
    });
    expect((await site.follow("/bad").status(502)).body).not.toContain("Not today");
    expect((await site.follow("/good").status(200)).body).toBe('"fine"');
    expect(site.errors).toEqual(["application: Not today."]);
  });

  it("never runs in the context of the write that made it needed", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    let count = 0;
    const site = await start((request, response) => {
      if (isRocketRequest(request)) seen.push(context.getStore());
      const serve = () => {
        if (request.method === "POST") count += 1;
        response.end(String(count));
      };
      if (isRocketRequest(request)) serve();
      else context.run(`${request.method} by a user`, serve);
    });
    const follower = await site.follow("/").ready();
    await site.send("POST", "/");
    await follower.status(202);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.filter((store) => store !== undefined)).toEqual([]);
  });

  it("keeps its connection for the next one of the same follower, and shares it with nobody", async () => {
    const sockets = new Map<string, Set<unknown>>();
    let count = 0;
    const site = await start((request, response) => {
      if (isRocketRequest(request)) {
        const user = String(request.headers.authorization);
        sockets.set(user, (sockets.get(user) ?? new Set()).add(request.socket));
      }
      response.end(String(count));
    });
    const followers = ["a", "b"].map((name) => site.follow("/", { headers: { Authorization: name } }));
    for (const follower of followers) await follower.ready();
    for (count = 1; count < 4; count += 1) {
      site.attachment.changed("/");
      await Promise.all(followers.map((one) => one.until(({ messages }) => messages.at(-1)?.body === String(count))));
    }
    const [a, b] = [sockets.get("a"), sockets.get("b")];
    expect([a?.size, b?.size]).toEqual([1, 1]);
    expect([...(a ?? [])].filter((socket) => b?.has(socket))).toEqual([]);
  });

  it("shows the application the follower's address", async () => {
    const site = await start(({ socket }, response) => {
      const { remoteAddress, localPort, remoteFamily } = socket;
      response.end(JSON.stringify({ remoteAddress, localPort, remoteFamily, isKnown: (socket.remotePort ?? 0) > 0 }));
    });
    const { body } = await site.follow("/").status(200);
    expect(JSON.parse(String(body))).toEqual({
      remoteAddress: "127.0.0.1",
      localPort: site.port,
      remoteFamily: "IPv4",
      isKnown: true,
    });
  });

  it("without onError, warns of a document that is not as records says, once [R-FLD-13]", async () => {
    const warnings: string[] = [];
    const warn = vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
    onTestFinished(() => warn.mockRestore());
    const server = createServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end('{"data":{"items":[{"code":"a"}]}}');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endAfterTest(server);
    attach(server, {
      records: { "/good": { list: "/data/items", key: "code" }, "/bad": { list: "/data/rows", key: "code" } },
    });
    const follow = (path: string) =>
      new Follower(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {});
    const [good, bad] = [await follow("/good").status(200), await follow("/bad").status(200)];
    await follow("/bad?again").status(200);
    expect(fieldValue(good.fields, "items")).toBe('list="/data/items", record="", url="/good/{code}"');
    expect(fieldValue(bad.fields, "items")).toBe('record="", unfit="/data/rows"');
    expect(warnings).toEqual([expect.stringMatching(/records: what \/bad answers has no list "\/data\/rows"/)]);
  });
});
