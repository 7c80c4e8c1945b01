import { describe, expect, it } from "vitest";
import { encodeRequest, type Field } from "../../src/protocol/index.ts";
import type { ProxyOptions } from "../../src/proxy/index.ts";
import { Follower } from "./follower.ts";
import { notes } from "./notes.ts";
import { proxied } from "./setting.ts";

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A proxy before the notes, and what those were asked. */
async function start(options: Partial<ProxyOptions> = {}) {
  const { handler } = notes();
  const asked: Asked[] = [];
  const site = await proxied((request, response) => {
    asked.push({ method: request.method, url: request.url, fields: request.headers });
    if (request.url === "/stream")
      response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
    else if (request.method === "HEAD") response.writeHead(200, { "Content-Length": 24 }).end();
    else if (request.url === "/large") response.end("x".repeat(5_000));
    else handler(request, response);
  }, options);
  const connect = (path: string, headers: Record<string, string> = {}) =>
    new Follower(`${site.url}${path}`, ["rocket.v1"], headers).opened();
  return { site, asked, connect };
}

/** The answer to a request in band. */
async function ask(
  follower: Follower,
  line: string,
  fields: readonly Field[] = [],
  body: string | Uint8Array = "",
): Promise<string> {
  const [method = "", target = ""] = line.split(" ");
  const id = `${method}${follower.messages.length}`;
  follower.socket.send(encodeRequest({ method, target, fields: [["Request-ID", id], ...fields], body }));
  for (let count = follower.messages.length + 1; ; count += 1) {
    const found = (await follower.first(count)).find((message) => message.includes(`\r\nRequest-ID: ${id}\r\n`));
    if (found !== undefined) return found;
  }
}

describe("requests in band through the proxy", () => {
  it("are written at the upstream, which gets the handshake's credentials and the peer, and are told to followers", async () => {
    const { connect, asked } = await start();
    const follower = await (await connect("/notes", { Cookie: "sid=1", "X-Forwarded-For": "9.9.9.9" })).caughtUp();
    const answer = await ask(follower, "POST /notes", [["Content-Type", "text/plain"]], "drei ü");
    expect(answer).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(answer).toContain('{"id":3,"text":"drei ü"}');
    const post = asked.find(({ method }) => method === "POST");
    expect(post?.fields).toMatchObject({
      cookie: "sid=1",
      "x-forwarded-for": "127.0.0.1",
      "content-type": "text/plain",
      "content-length": "7",
    });
    const [snapshot, ...told] = await follower.notifications(3);
    expect(snapshot).toMatch(/^200 /);
    expect(told).toContainEqual('201 /notes/3 {"id":3,"text":"drei ü"}');
  });

  it("that the upstream answers by a stream, or too largely, are a 502; the next is answered [R-BAND-17]", async () => {
    const { connect } = await start({ maxDocumentBytes: 4_096 });
    const follower = await connect("/.well-known/rocket");
    expect(await ask(follower, "GET /stream")).toMatch(/^HTTP\/1\.1 502 /);
    expect(await ask(follower, "GET /large")).toMatch(/^HTTP\/1\.1 502 /);
    expect(await ask(follower, "GET /notes/1")).toMatch(/\{"id":1,"text":"one"\}$/);
    const head = await ask(follower, "HEAD /notes/1");
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head).not.toMatch(/content-length/i);
  });

  it("of pages of other origins may read only [R-BAND-19]", async () => {
    const { connect, asked } = await start({ allowOrigins: ["https://app.example.com"] });
    const follower = await connect("/.well-known/rocket", { Origin: "https://app.example.com" });
    expect(await ask(follower, "PUT /notes/1", [], "x")).toMatch(/^HTTP\/1\.1 421 /);
    expect(asked.map(({ method }) => method)).toEqual([]);
  });

  it("have targets with the base path, which the upstream does not see", async () => {
    const { connect, asked } = await start({ basePath: "/api" });
    const follower = await connect("/api/.well-known/rocket");
    expect(await ask(follower, "GET /api/notes/2")).toMatch(/\{"id":2,"text":"two"\}$/);
    expect(asked.map(({ url }) => url)).toEqual(["/notes/2"]);
    expect(await ask(follower, "GET /api/.well-known/rocket")).toMatch(/^HTTP\/1\.1 200 .*"version":"1\.0"/s);
  });
});
