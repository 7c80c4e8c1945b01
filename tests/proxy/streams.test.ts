import { describe, expect, it } from "vitest";
import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { server as certificate } from "../node/attach/certificates.ts";
import { Http2Client } from "../node/http2-client.ts";
import { OpenStream } from "../node/stream.ts";
import { notes } from "./notes.ts";
import { deferred, proxied } from "./setting.ts";

const events = "text/event-stream";
const json = { "Content-Type": "application/json" };

function told({ status, fields }: HttpResponse): string {
  return `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim();
}

function post(url: string, body: string): Promise<Response> {
  return fetch(url, { method: "POST", body });
}

/** Resolves once so many are connected to a proxy. */
async function connected({ server }: Awaited<ReturnType<typeof proxied>>, count: number): Promise<void> {
  while (server.hub.counts.connections !== count) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe.each([
  ["an event stream", events],
  ["an HTTP stream", "application/http"],
])("%s of the proxy", (_name, accept) => {
  it("gives what a follower is given, and resumes [R-STR-23] [R-STR-14]", async () => {
    const { url } = await proxied(notes().handler);
    const stream = await OpenStream.open(`${url}/notes`, accept);
    await stream.message(1);
    await post(`${url}/notes`, "three");
    await stream.message(2);
    await fetch(`${url}/notes/1`, { method: "DELETE" });
    const last = fieldValue((await stream.message(3)).fields, "event-id") ?? "";
    expect(stream.messages.map(told)).toEqual(["200", "304", "201 /notes/3", "204 /notes/1"]);
    const again = await OpenStream.open(`${url}/notes`, accept, { "Last-Event-ID": last });
    expect((await again.message(0)).status).toBe(304);
  });

  it("is below the proxy's base path [R-WK-5]", async () => {
    const { url } = await proxied(notes().handler, { basePath: "/api" });
    const stream = await OpenStream.open(`${url}/api/notes`, accept);
    await stream.message(1);
    await post(`${url}/api/notes`, "three");
    expect(told(await stream.message(2))).toBe("201 /api/notes/3");
  });
});

describe("The upstream", () => {
  it("is asked first, as the request came: its own stream, its refusal and its redirect are the answer [R-STR-23]", async () => {
    const asked: (string | undefined)[] = [];
    const { server, url } = await proxied((request, response) => {
      asked.push(request.headers.accept);
      if (request.url === "/own")
        response.writeHead(200, { "Content-Type": events, "X-Own": "1" }).end("data: own\n\n");
      else if (request.url === "/401") response.writeHead(401, { "WWW-Authenticate": "Basic" }).end("who");
      else response.writeHead(302, { Location: "/login" }).end();
    });
    const ask = (path: string) => fetch(url + path, { headers: { Accept: events }, redirect: "manual" });
    const own = await ask("/own");
    expect([own.headers.get("x-own"), await own.text()]).toEqual(["1", "data: own\n\n"]);
    const refused = await ask("/401");
    expect([refused.status, await refused.text()]).toEqual([401, "who"]);
    expect((await ask("/302")).headers.get("location")).toBe("/login");
    expect([asked, server.hub.counts.connections]).toEqual([[events, events, events], 0]);
  });

  it("sees its answer dropped, whose fields for CORS, caches and cookies the stream has [R-STR-23]", async () => {
    const gone = deferred();
    const { url } = await proxied((request, response) => {
      const isFirst = request.headers.accept === events;
      response.writeHead(200, {
        ...json,
        ...(isFirst && {
          "Access-Control-Allow-Origin": "*",
          Vary: "Origin",
          "Set-Cookie": ["a=1", "b=2"],
          ETag: '"1"',
        }),
      });
      // The first answer would go on for ever.
      if (!isFirst) response.end("[]");
      else response.on("close", gone.resolve).write("[");
    });
    const stream = await OpenStream.open(`${url}/notes`, events);
    expect(String((await stream.message(0)).body)).toBe("[]");
    await gone.promise;
    const { headers } = stream.response;
    expect([headers.get("access-control-allow-origin"), headers.get("etag")]).toEqual(["*", null]);
    expect([headers.getSetCookie(), headers.get("vary")]).toEqual([["a=1", "b=2"], "Accept, Origin"]);
  });
});

describe("The proxy", () => {
  it("has patches for SUBSCRIBE, and hands another SUBSCRIBE on [R-STR-20] [R-STR-19]", async () => {
    const { url } = await proxied(notes().handler);
    const stream = await OpenStream.patches(`${url}/notes`);
    await post(`${url}/notes`, "three");
    expect(JSON.parse((await stream.event(0)).data)).toEqual([
      { op: "add", path: "/notes/3", value: { id: 3, text: "three" } },
    ]);
    expect((await fetch(`${url}/notes`, { method: "SUBSCRIBE" })).status).toBe(400);
    const foreign = { Accept: events, Origin: "https://evil.example" };
    expect((await fetch(`${url}/notes`, { method: "SUBSCRIBE", headers: foreign })).status).toBe(403);
  });

  it("says that it has streams, and ends them with a last 304 where it stops [R-STR-18] [R-STR-17]", async () => {
    const { server, url } = await proxied(notes().handler);
    const { rocket } = await (await fetch(`${url}/.well-known/rocket`)).json();
    expect(rocket.streams).toEqual([events, "application/http"]);
    const stream = await OpenStream.open(`${url}/notes`, events);
    await stream.message(1);
    await server.close();
    await stream.end();
    expect(stream.messages.map(told)).toEqual(["200", "304", "304"]);
  });

  it("has streams over HTTP/2 [R-STR-23] [R-H2-1]", async () => {
    const { port } = await proxied(notes().handler, { tls: certificate });
    const client = await Http2Client.open(port);
    const stream = client.request({ ":path": "/notes", accept: events }).setEncoding("utf8");
    let text = "";
    for await (const part of stream) {
      text += part;
      if (text.includes("event: 304")) break;
    }
    expect(text).toContain('data: [{"id":1,"text":"one"},{"id":2,"text":"two"}]\n');
  });

  it("answers GETs that are ready to wait at the next change, and by a 304 in time [R-STR-21]", async () => {
    const clock = createFakeClock();
    const api = notes();
    const site = await proxied(
      (request, response) => {
        response.setHeader("ETag", `"${api.rows.size}"`);
        api.handler(request, response);
      },
      { clock },
    );
    const poll = () => {
      return fetch(`${site.url}/notes`, { headers: { Prefer: "wait=20", "If-None-Match": '"2"' } });
    };
    const nothing = poll();
    await connected(site, 1);
    await clock.advance(20_000);
    const { status, headers } = await nothing;
    expect([status, headers.get("etag"), headers.get("preference-applied")]).toEqual([304, '"2"', "wait=20"]);
    const changed = poll();
    await connected(site, 1);
    await post(`${site.url}/notes`, "three");
    while (site.server.hub.counts.connections > 0) {
      await clock.advance(50);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect((await (await changed).json()).length).toBe(3);
    const closing = site.server.close();
    await clock.advance(0);
    await closing;
  });
});
