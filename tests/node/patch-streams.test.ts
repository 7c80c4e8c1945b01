import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../src/testing/index.ts";
import { server as certificate } from "./attach/certificates.ts";
import { ClientOf2013, type PatchOperation } from "./client-of-2013.ts";
import { startSite } from "./fixture.ts";
import { Http2Client } from "./http2-client.ts";
import { OpenStream } from "./stream.ts";

const accept = "text/event-stream";

interface Row {
  readonly id: number;
  readonly name: string;
}

/** What an app of 2013 kept: the rows of its GET, and what its block makes of each operation. */
function applied(rows: readonly Row[], operations: readonly PatchOperation[]): Row[] {
  const kept = [...rows];
  for (const { op, path, value } of operations) {
    const at = kept.findIndex(({ id }) => `/a/${id}` === path);
    if (op === "add") kept.push(value as Row);
    else if (op === "replace") kept[at] = value as Row;
    else if (op === "remove") kept.splice(at, 1);
  }
  return kept;
}

async function rowsAt(url: string): Promise<Row[]> {
  const { a } = (await (await fetch(url)).json()) as { a: Row[] };
  return a;
}

function patchOf({ data }: { readonly data: string }): PatchOperation[] {
  return JSON.parse(data);
}

describe("The client of 2013", () => {
  it("has the list that a GET returns, after creates, updates and deletes [R-STR-11] [R-STR-12] [R-STR-20]", async () => {
    const site = await startSite();
    site.put(1, { name: "Can" });
    site.put(2, { name: "Faust" });
    let rows = await rowsAt(`${site.url}/a`);
    const client = await ClientOf2013.subscribe(`${site.url}/a`);
    expect(client.head).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream\r\n/i);
    const writes = [
      () => site.put(3, { name: "Neu!\u2028\u2029\x85\v\f\r\n:\ud83d\ude80" }),
      () => site.put(1, { name: "CAN" }),
      () => site.store.transaction((writer) => writer.remove("a", 2)),
      () =>
        site.store.transaction((writer) => {
          writer.put("a", { id: 4, name: "Harmonia" });
          writer.put("a", { id: 3, name: "NEU!" });
          writer.remove("a", 1);
        }),
    ];
    for (const [at, write] of writes.entries()) {
      write();
      await client.until(() => client.calls.length === at + 1);
      rows = applied(rows, client.calls[at] ?? []);
      expect(rows.toSorted((one, other) => one.id - other.id)).toEqual(await rowsAt(`${site.url}/a`));
    }
    expect(client.calls[3]?.map(({ op, path }) => `${op} ${path}`)).toEqual([
      "add /a/4",
      "replace /a/3",
      "remove /a/1",
    ]);
  });

  it("is given batches that come at once as one event, which it would lose as two [R-STR-11]", async () => {
    const site = await startSite();
    const client = await ClientOf2013.subscribe(`${site.url}/a`);
    site.put(1, { name: "Can" });
    site.put(2, { name: "Faust" });
    await client.until(() => client.calls.length > 0);
    expect(client.calls.flat().map(({ path }) => path)).toEqual(["/a/1", "/a/2"]);
  });
});

describe("A patch stream", () => {
  it("goes on after a Last-Event-ID with nothing missing or twice, and is a 410 where that is not known [R-STR-20]", async () => {
    const site = await startSite();
    const before = await OpenStream.patches(`${site.url}/a`);
    site.put(1, { name: "Can" });
    const { id = "" } = await before.event(0);
    site.put(2, { name: "Faust" });
    site.store.transaction((writer) => writer.remove("a", 1));
    await before.until(({ events }) => events.flatMap(patchOf).length === 3);
    const after = await OpenStream.patches(`${site.url}/a`, { "Last-Event-ID": id });
    await after.until(({ events }) => events.flatMap(patchOf).length === 2);
    expect(after.events.flatMap(patchOf)).toEqual(before.events.flatMap(patchOf).slice(1));
    expect(after.events.at(-1)?.id).toBe(before.events.at(-1)?.id);
    const lost = await OpenStream.patches(`${site.url}/a`, { "Last-Event-ID": "x:1.1" });
    expect(lost.response.status).toBe(410);
  });

  it("follows a record, and ends behind its remove; a change of its rows alone enters and leaves a filtered list [R-STR-12]", async () => {
    const site = await startSite();
    site.put(1, { kind: "band" });
    const record = await OpenStream.patches(`${site.url}/a/1`);
    const list = await OpenStream.patches(`${site.url}/a?kind=band`);
    site.put(2, { kind: "band" });
    await list.event(0);
    site.put(1, { kind: "duo" });
    await list.until(({ events }) => events.flatMap(patchOf).length === 2);
    site.store.transaction((writer) => writer.remove("a", 1));
    await record.end();
    expect(record.events.flatMap(patchOf)).toEqual([
      { op: "replace", path: "/a/1", value: { id: 1, kind: "duo" } },
      { op: "remove", path: "/a/1" },
    ]);
    expect(list.events.flatMap(patchOf)).toEqual([
      { op: "add", path: "/a/2", value: { id: 2, kind: "band" } },
      { op: "remove", path: "/a/1" },
    ]);
  });

  it("of what no journal follows has rows as their values [R-STR-12]", async () => {
    let rows = Array.from({ length: 20 }, (_, at) => ({ id: at + 1, url: `/bands/${at + 1}`, name: "Can" }));
    const site = await startSite({ derived: {} }, () => async ({ target }) => ({
      status: 200,
      fields: [["Content-Type", "application/json"]],
      body: JSON.stringify(target === "/bands" ? { bands: rows } : rows.find(({ url }) => url === target)),
    }));
    const stream = await OpenStream.patches(`${site.url}/bands`);
    rows = rows.with(0, { id: 1, url: "/bands/1", name: "CAN" }).slice(0, 19);
    site.rocket.hub.changed(["/bands"]);
    const { data, id } = await stream.event(0);
    expect([id, patchOf({ data })]).toEqual([
      expect.stringMatching(/^d-/),
      [
        { op: "remove", path: "/bands/20" },
        { op: "replace", path: "/bands/1", value: rows[0] },
      ],
    ]);
    const again = await OpenStream.patches(`${site.url}/bands`, { "Last-Event-ID": id ?? "" });
    expect(again.response.status).toBe(200);
  });

  it("is refused by the real status, with what to do where the Accept is missing or nothing there is JSON [R-STR-20] [R-STR-19]", async () => {
    const site = await startSite({ derived: {} }, (origin) => async (request) => {
      if (request.target !== "/text") return origin(request);
      return { status: 200, fields: [["Content-Type", "text/plain"]], body: "text" };
    });
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(site.url + path, { method: "SUBSCRIBE", headers });
      return [response.status, ((await response.json()) as { detail: string }).detail];
    };
    expect(await ask("/a")).toEqual([406, expect.stringContaining("Accept: text/event-stream")]);
    expect(await ask("/a", { Accept: "application/http" })).toEqual([406, expect.any(String)]);
    expect(await ask("/a", { Accept: "text/event-stream, */*" })).toEqual([406, expect.any(String)]);
    expect(await ask("/text", { Accept: accept })).toEqual([406, expect.stringContaining("no JSON")]);
    expect(await ask("/a/99", { Accept: accept })).toEqual([404, expect.any(String)]);
    const foreign = { Accept: accept, Origin: "https://evil.example" };
    expect(await ask("/a", foreign)).toEqual([403, expect.any(String)]);
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("has comments as signs of life, and ends where the server stops [R-STR-16] [R-STR-17]", async () => {
    const clock = createFakeClock();
    const site = await startSite({ clock });
    const opening = OpenStream.patches(`${site.url}/a`);
    let stream: OpenStream | undefined;
    void opening.then((opened) => {
      stream = opened;
    });
    while (!stream?.text.includes("retry:")) await clock.settle();
    const { text } = stream;
    await clock.advance(20_000);
    while (stream.text === text) await clock.settle();
    expect(stream.text.slice(text.length)).toBe(":\n\n");
    const closing = site.rocket.close();
    await clock.advance(0);
    await closing;
    await stream.end();
    expect(stream.events).toEqual([]);
  });

  it("ends at a batch that is larger than what may be held of one, and is counted no more [R-STR-20]", async () => {
    const site = await startSite({ limits: { maxUnsentBytes: 100_000 } });
    const stream = await OpenStream.patches(`${site.url}/a`);
    site.store.transaction((writer) => {
      for (let id = 1; id <= 300; id += 1) writer.put("a", { id, text: "t".repeat(1_000) });
    });
    await stream.end();
    expect(stream.text).toMatch(/^:\n\nretry: \d+\n\nid: lost\n\n$/);
    const again = await OpenStream.patches(`${site.url}/a`, { "Last-Event-ID": "lost" });
    expect(again.response.status).toBe(410);
    await fetch(`${site.url}/a`).then((response) => response.text());
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("is had over HTTP/2, too [R-STR-20] [R-H2-1]", async () => {
    const site = await startSite({ tls: certificate });
    const client = await Http2Client.open(site.port);
    const stream = client.request({ ":method": "SUBSCRIBE", ":path": "/a", accept });
    let text = "";
    const until = (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        const look = (): void => (pattern.test(text) ? resolve() : undefined);
        stream.on("data", (bytes: Buffer) => {
          text += bytes.toString();
          look();
        });
        look();
      });
    await until(/retry: /);
    site.put(1);
    await until(/^data: .*\n\n/m);
    expect(text).toContain('data: [{"op":"add","path":"/a/1","value":{"id":1}}]\n\n');
  });
});
