import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Client, type ClientOptions, createClient } from "../../src/client/index.ts";
import { type RecordsSite, startRecords } from "./records-site.ts";

interface Row {
  readonly id: number;
  readonly text: string;
}

function clientOf(site: RecordsSite, options: ClientOptions = {}): Client {
  const client = createClient(site.url, { requests: "socket", tabs: false, onError: () => {}, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Follows the list, and resolves once it is live. */
async function live(client: Client): Promise<void> {
  const list = client.collection<Row>("/records");
  await new Promise<void>((resolve) => {
    list.subscribe(() => {
      if (list.getSnapshot().status.state === "live") resolve();
    });
  });
}

describe("a client whose requests go over the socket", () => {
  it("loads ten records and writes one over one connection, with no request over HTTP", async () => {
    const site = await startRecords();
    const client = clientOf(site, { token: "secret" });
    const list = client.collection<Row>("/records");
    list.subscribe(() => {});
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => client.fetch(`/records/${at + 1}`)));
    const texts = (await Promise.all(answers.map((answer) => answer.json()))).map(({ record }) => record.text);
    expect(texts).toEqual(Array.from({ length: 10 }, (_, at) => `text ${at + 1}`));
    const row = await client.record<Row>("/records/3").update({ text: "drei" });
    expect(row).toMatchObject({ id: 3, text: "drei" });
    expect(await site.texts()).toContain("drei");
    expect(site.requests).toEqual([]);
    expect(site.connections).toEqual({ all: 1, upgraded: 1 });
    expect(site.seen.filter(({ method }) => method === "PATCH")).toEqual([
      { method: "PATCH", target: "/records/3", isInBand: true },
    ]);
  });

  it("gives answers as fetch does: status, fields, url and body", async () => {
    const site = await startRecords();
    const client = clientOf(site);
    await live(client);
    const made = await client.fetch("/records", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"text":"elf"}',
    });
    expect([made.status, made.headers.get("content-location"), made.headers.get("request-id")]).toEqual([
      201,
      "/records/11",
      null,
    ]);
    const head = await client.fetch("/records/11", { method: "HEAD" });
    expect([head.status, head.url, await head.text()]).toEqual([200, `${site.url}/records/11`, ""]);
    const etag = head.headers.get("etag") ?? "";
    expect((await client.fetch("/records/11", { headers: { "If-None-Match": etag } })).status).toBe(304);
    expect((await client.fetch("/records/11", { method: "DELETE" })).status).toBe(204);
    expect((await client.fetch("/records/11")).status).toBe(404);
    expect(site.requests).toEqual([]);
  });

  it("sends over HTTP what can't go in band: a field that the server does not take, a form, what is not followed", async () => {
    const site = await startRecords();
    const client = clientOf(site);
    expect((await client.fetch("/records/1")).status).toBe(200);
    expect(site.requests).toEqual(["GET"]);
    await live(client);
    await client.fetch("/records/1", { headers: { "X-Trace": "1" } });
    await client.fetch("/records", { method: "POST", body: new FormData() });
    expect(site.requests).toEqual(["GET", "GET", "POST"]);
  });

  it("repeats a GET over HTTP whose answer was lost with the socket, and rejects a write's [R-BAND-18]", async () => {
    const site = await startRecords();
    const client = clientOf(site);
    await live(client);
    site.isMute = true;
    const begun = site.seen.length;
    const get = client.fetch("/records/1");
    const post = client.fetch("/records", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"text":"once"}',
    });
    post.catch(() => {});
    while (site.seen.length < begun + 2) await new Promise((resolve) => setImmediate(resolve));
    site.cut();
    await expect(post).rejects.toThrow(TypeError);
    expect((await get).status).toBe(200);
    expect((await site.texts()).filter((text) => text === "once")).toEqual(["once"]);
  });

  it("repeats a write of the outbox, by its key, which is done once [R-WK-4]", async () => {
    const site = await startRecords();
    const client = clientOf(site);
    await live(client);
    site.isMute = true;
    const begun = site.seen.length;
    const made = client.collection<Row>("/records").create({ text: "once" });
    while (site.seen.length === begun) await new Promise((resolve) => setImmediate(resolve));
    site.isMute = false;
    site.cut();
    expect(await made).toMatchObject({ id: 11, text: "once" });
    expect((await site.texts()).filter((text) => text === "once")).toEqual(["once"]);
  });

  it("ends a request by its signal", async () => {
    const site = await startRecords();
    const client = clientOf(site);
    await live(client);
    site.isMute = true;
    const abort = new AbortController();
    const asked = client.fetch("/records/1", { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("sends over HTTP where the server takes none in band", async () => {
    const site = await startRecords({ requestsInBand: false });
    const client = clientOf(site);
    await live(client);
    expect((await client.fetch("/records/2")).status).toBe(200);
    expect(site.requests).toEqual(["GET"]);
  });

  it("refuses another value of the option", () => {
    expect(() => createClient("http://example.com", { requests: "band" as never })).toThrow(/^requests is "band"/);
  });

  it("sends them by the first of several connections, in their order", async () => {
    const site = await startRecords({ limits: { maxSubscriptions: 1 } });
    const client = clientOf(site, { token: "secret" });
    const records = [1, 2, 3].map((id) => client.record<Row>(`/records/${id}`));
    for (const record of records) record.subscribe(() => {});
    const isLive = () => records.every((record) => record.getSnapshot().status.state === "live");
    await vi.waitUntil(isLive, { timeout: 10_000 });
    const patch = (text: string) =>
      client.fetch("/records/3", {
        method: "PATCH",
        headers: { "Content-Type": "application/merge-patch+json" },
        body: JSON.stringify({ text }),
      });
    await Promise.all(["a", "b", "c"].map(patch));
    await vi.waitUntil(() => records[2]?.getSnapshot().row?.text === "c", { timeout: 10_000 });
    expect([site.requests, site.connections]).toEqual([[], { all: 3, upgraded: 3 }]);
  });
});
