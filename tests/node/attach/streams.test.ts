import { describe, expect, it } from "vitest";
import { fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { OpenStream } from "../stream.ts";
import { frameworks } from "./frameworks.ts";
import { bearer } from "./notes.ts";
import { type Framework, type Site, startSite } from "./site.ts";

const events = "text/event-stream";
const kinds = [
  ["an event stream", events, events],
  ["an HTTP stream", "application/http", "application/http;msgtype=response"],
] as const;

function textOf({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

function told({ status, fields }: HttpResponse): string {
  return `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim();
}

function ask(site: Site, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(site.url + path, { redirect: "manual", headers: { Accept: events, ...headers } });
}

async function isIdle({ attachment }: Site): Promise<void> {
  while (attachment.counts.connections > 0) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe.each(frameworks)("an application of $name, attached to", (framework: Framework) => {
  it.each(kinds)(
    "has %s of what it answers, and resumes it [R-STR-23] [R-STR-14] [R-STR-15]",
    async (_name, accept, type) => {
      const site = await startSite(framework);
      const stream = await OpenStream.open(`${site.url}/api/notes`, accept);
      const { status, headers } = stream.response;
      expect([status, headers.get("content-type"), headers.get("content-length")]).toEqual([200, type, null]);
      expect([headers.get("etag"), headers.get("cache-control")]).toEqual([null, "no-store, no-transform"]);
      expect(headers.get("vary")).toMatch(/\baccept\b(?!-)/i);
      await stream.message(1);
      await site.send("POST", "/api/notes", { text: "two" });
      await stream.message(2);
      await site.send("PUT", "/api/notes/1", { text: "ONE" });
      await stream.message(3);
      await site.send("DELETE", "/api/notes/1");
      await stream.message(4);
      const expected = ["200", "304", "201 /api/notes/2", "202 /api/notes/1", "204 /api/notes/1"];
      expect(stream.messages.map(told)).toEqual(expected);
      expect(JSON.parse(textOf(stream.messages[2] as HttpResponse))).toEqual({ id: 2, text: "two" });
      const last = fieldValue(stream.messages[4]?.fields ?? [], "event-id") ?? "";
      const again = await OpenStream.open(`${site.url}/api/notes`, accept, { "Last-Event-ID": last });
      expect((await again.message(0)).status).toBe(304);
      expect(site.errors).toEqual([]);
    },
  );

  it("has its own event streams go out untouched, and sees their clients go [R-STR-23]", async () => {
    const site = await startSite(framework);
    // Express's compression holds back what is not flushed, with or without Rocket.
    const stream = await OpenStream.open(`${site.url}/stream`, events, { "Accept-Encoding": "identity" });
    expect((await stream.event(0)).data).toBe("1");
    expect([stream.response.headers.get("x-accel-buffering"), stream.text]).toEqual([null, "data: 1\n\n"]);
    expect([site.notes.open, site.attachment.counts.connections]).toEqual([1, 0]);
    await stream.response.body?.cancel().catch(() => {});
    const { server } = site;
    if ("closeAllConnections" in server) (server as { closeAllConnections(): void }).closeAllConnections();
    while (site.notes.open > 0) await new Promise<void>((resolve) => setImmediate(resolve));
  });

  it("refuses and leads elsewhere itself [R-STR-23] [R-STR-14]", async () => {
    const site = await startSite(framework);
    const same = async (path: string, headers: Record<string, string> = {}) => {
      const [asked, plain] = await Promise.all([
        ask(site, path, headers),
        ask(site, path, { Accept: "*/*", ...headers }),
      ]);
      const shown = async (response: Response) => [
        response.status,
        response.headers.get("location"),
        // Express says by the Accept how it leads elsewhere.
        response.status === 302 ? "" : await response.text(),
      ];
      expect(await shown(asked)).toEqual(await shown(plain));
      return asked;
    };
    const refused = await same("/secret");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^Bearer/)]);
    expect((await same("/mine")).status).toBe(302);
    expect((await same("/nowhere")).status).toBe(404);
    site.notes.tooMany = 2;
    expect((await same("/limited")).status).toBe(429);
    const known = await OpenStream.open(`${site.url}/secret`, events, { Authorization: bearer });
    expect(JSON.parse(textOf(await known.message(0)))).toEqual(site.notes.list);
    expect(site.attachment.counts.connections).toBe(1);
  });

  it("shows each session its own stream [R-DER-1]", async () => {
    const site = await startSite(framework);
    const [alice, bob] = [await site.logIn("alice"), await site.logIn("bob")];
    const alices = await OpenStream.open(`${site.url}/mine`, events, { Cookie: alice });
    const bobs = await OpenStream.open(`${site.url}/mine`, events, { Cookie: bob });
    await Promise.all([alices.message(1), bobs.message(1)]);
    await site.send("POST", "/mine", { text: "a" }, { Cookie: alice });
    await alices.message(2);
    await site.send("POST", "/mine", { text: "b" }, { Cookie: bob });
    await bobs.message(2);
    expect([alices.text.includes("alice: a"), alices.text.includes("bob")]).toEqual([true, false]);
    expect([bobs.text.includes("bob: b"), bobs.text.includes("alice")]).toEqual([true, false]);
  });

  it("is never compressed as a stream, though it compresses its answers [R-STR-15]", async () => {
    const site = await startSite(framework);
    const stream = await OpenStream.open(`${site.url}/zipped`, events, { "Accept-Encoding": "gzip" });
    expect(stream.response.headers.get("content-encoding")).toBeNull();
    expect(JSON.parse(textOf(await stream.message(0)))).toEqual(site.notes.list);
  });

  it("has patches for SUBSCRIBE, and SUBSCRIBE without that Accept for itself [R-STR-20]", async () => {
    const site = await startSite(framework);
    const stream = await OpenStream.patches(`${site.url}/api/notes`);
    await site.send("POST", "/api/notes", { text: "two" });
    const { data, type } = await stream.event(0);
    expect([type, JSON.parse(data)]).toEqual([
      "patch",
      [{ op: "add", path: "/api/notes/2", value: { id: 2, text: "two" } }],
    ]);
    expect((await OpenStream.patches(`${site.url}/secret`)).response.status).toBe(401);
    const foreign = await OpenStream.patches(`${site.url}/api/notes`, { Origin: "https://evil.example" });
    expect(foreign.response.status).toBe(403);
    const own = await fetch(`${site.url}/nowhere`, { method: "SUBSCRIBE" });
    expect(own.status).not.toBe(406);
  });

  it("answers GETs that are ready to wait at the next change [R-STR-21]", async () => {
    const site = await startSite(framework);
    const etag = (await ask(site, "/api/notes", { Accept: "*/*" })).headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    const poll = (headers: Record<string, string>) => {
      return ask(site, "/api/notes", { Accept: "*/*", Prefer: "wait=20", ...headers });
    };
    const waiting = poll({ "If-None-Match": etag });
    while (site.attachment.counts.connections === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const { list } = site.notes;
    await site.send("POST", "/api/notes", { text: "two" });
    const answer = await waiting;
    expect([answer.status, answer.headers.get("preference-applied")]).toEqual([200, "wait=20"]);
    expect(await answer.json()).toEqual([...list, { id: 2, text: "two" }]);
    expect((await poll({ "If-None-Match": etag })).status).toBe(200);
    await isIdle(site);
  });

  it("ends its streams with a last 304 and its waiting GETs with a 304 where the server closes [R-STR-17] [R-STR-21]", async () => {
    const site = await startSite(framework);
    const stream = await OpenStream.open(`${site.url}/api/notes`, events);
    const position = fieldValue((await stream.message(1)).fields, "event-id") ?? "";
    const poll = ask(site, "/api/notes", { Accept: "*/*", Prefer: "wait=20", "Last-Event-ID": position });
    while (site.attachment.counts.connections < 2) await new Promise<void>((resolve) => setImmediate(resolve));
    const closed = new Promise((resolve) => site.server.close(resolve));
    await stream.end();
    expect(stream.messages.map(told)).toEqual(["200", "304", "304"]);
    const { status, headers } = await poll;
    expect([status, headers.get("event-id")]).toEqual([304, position]);
    await closed;
    expect(site.attachment.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  });
});
