import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { startSite } from "./fixture.ts";
import { OpenStream } from "./stream.ts";

const kinds = [
  ["an event stream", "text/event-stream"],
  ["an HTTP stream", "application/http"],
] as const;

function told({ status, fields }: HttpResponse): string {
  return `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim();
}

function textOf({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

describe.each(kinds)("%s", (_name, accept) => {
  it("opens with a 304 for an entity tag that its client has, with or without a coding [R-STR-14] [R-SUB-7]", async () => {
    const site = await startSite();
    for (let id = 1; id < 100; id += 1) site.put(id, { text: "the same" });
    const plain = await fetch(`${site.url}/a`, { headers: { "Accept-Encoding": "identity" } });
    const coded = await fetch(`${site.url}/a`, { headers: { "Accept-Encoding": "gzip" } });
    const tags = [plain, coded].map(({ headers }) => headers.get("etag") ?? "");
    expect(new Set(tags).size).toBe(2);
    for (const tag of tags) {
      const stream = await OpenStream.open(`${site.url}/a`, accept, { "If-None-Match": tag });
      const { status, fields } = await stream.message(0);
      expect([status, fieldValue(fields, "etag")]).toEqual([304, tags[0]]);
    }
    const other = await OpenStream.open(`${site.url}/a`, accept, { "If-None-Match": '"other"' });
    expect((await other.message(0)).status).toBe(200);
  });

  it("is led elsewhere by a redirect of the origin, as a GET is [R-STR-14]", async () => {
    const site = await startSite({}, (origin) => async (request) => {
      if (request.target !== "/old") return origin(request);
      return { status: 308, fields: [["Location", "/a"]], body: "" };
    });
    const led = await fetch(`${site.url}/old`, { headers: { Accept: accept }, redirect: "manual" });
    expect([led.status, led.headers.get("location")]).toEqual([308, "/a"]);
    const stream = await OpenStream.open(`${site.url}/old`, accept);
    expect((await stream.message(0)).status).toBe(200);
  });

  it("follows what no journal does, with places in the list [R-DER-5]", async () => {
    let rows = [1, 2, 3, 4, 5].map((id) => ({ id, url: `/bands/${id}`, text: "t".repeat(50) }));
    const site = await startSite({ derived: {} }, () => async ({ target }) => ({
      status: 200,
      fields: [["Content-Type", "application/json"]],
      body: JSON.stringify(target === "/bands" ? { bands: rows } : rows.find(({ url }) => url === target)),
    }));
    const stream = await OpenStream.open(`${site.url}/bands`, accept);
    await stream.message(1);
    rows = rows.toSpliced(1, 1);
    site.rocket.hub.changed(["/bands"]);
    await stream.message(2);
    rows = rows.toSpliced(0, 0, { id: 9, url: "/bands/9", text: "first" });
    site.rocket.hub.changed(["/bands"]);
    const entered = await stream.message(3);
    expect(stream.messages.map(told)).toEqual(["200", "304", "204 /bands/2", "201 /bands/9"]);
    expect(fieldValue(entered.fields, "item-index")).toBe("0");
  });

  it("is below the base path, and beside a folder's files, which are not followed [R-WK-5]", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rocket-streams-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "page.txt"), "a page");
    const targets: string[] = [];
    const site = await startSite(
      { publicFolder: folder, basePath: "/api", owns: (target) => target.startsWith("/api/a") },
      (origin) => {
        return (request) => {
          targets.push(request.target);
          return origin({ ...request, target: request.target.replace("/api", "") });
        };
      },
    );
    const stream = await OpenStream.open(`${site.url}/api/a`, accept);
    await stream.message(1);
    site.put(1, { name: "Can" });
    expect(textOf(await stream.message(2))).toContain("Can");
    expect(new Set(targets)).toEqual(new Set(["/api/a"]));
    const page = await fetch(`${site.url}/api/page.txt`, { headers: { Accept: accept } });
    expect([page.headers.get("content-type"), await page.text()]).toEqual([
      expect.stringContaining("text/plain"),
      "a page",
    ]);
  });

  it("that is not read is parked at the bound, is shown the state once it is, and dropped where it never is [R-SUB-12] [R-SEC-5]", async () => {
    const clock = createFakeClock();
    const maxUnsentBytes = 64 * 1024;
    const site = await startSite({ clock, limits: { maxUnsentBytes, maxRecentBytes: 0, stallTimeoutMs: 60_000 } });
    const socket = connect(site.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
    });
    const connected = once(site.rocket.server, "connection");
    socket.write(`GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${accept}\r\n\r\n`);
    const [served] = await connected;
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) {
        await clock.settle();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    };
    await until(() => /HTTP\/1\.1 304/.test(text));
    socket.pause();
    const row = { text: "t".repeat(200_000) };
    // The system takes some megabytes, and then nothing.
    for (let id = 1; id <= 100; id += 1) {
      site.put(id, row);
      for (let turn = 0; turn < 4; turn += 1) await clock.settle();
    }
    expect(served.writableLength).toBeLessThan(maxUnsentBytes + 2 * 200_000);
    expect(site.rocket.hub.counts.connections).toBe(1);
    socket.resume();
    // All rows, one by one or as a new state.
    const last = /"id":100,/;
    await until(() => last.test(text));
    socket.pause();
    for (let id = 101; id <= 200; id += 1) {
      site.put(id, row);
      for (let turn = 0; turn < 4; turn += 1) await clock.settle();
    }
    await clock.advance(62_000);
    expect(served.destroyed).toBe(true);
    await until(() => site.rocket.hub.counts.connections === 0);
    const closing = site.rocket.close();
    await clock.advance(0);
    await closing;
  });
});

describe("The token of who follows over HTTP", () => {
  it("ends streams by a 401, a patch stream without a word but with a 401 to who comes back, and a GET that waits by what the origin says [R-SEC-11]", async () => {
    const clock = createFakeClock();
    const site = await startSite({ clock }, (origin) => async (request) => {
      const isOver = clock.wallTime() >= until * 1_000;
      return isOver ? { status: 401, fields: [], body: "" } : origin(request);
    });
    const until = Math.floor(clock.wallTime() / 1_000) + 5;
    const claims = Buffer.from(JSON.stringify({ exp: until })).toString("base64url");
    const headers = { Authorization: `Bearer e30.${claims}.c2ln` };
    const settle = async <Value>(awaited: Promise<Value>): Promise<Value> => {
      let isOver = false;
      void awaited.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await clock.settle();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return awaited;
    };
    const events = await settle(OpenStream.open(`${site.url}/a`, "text/event-stream", headers));
    const parts = await settle(OpenStream.open(`${site.url}/a`, "application/http", headers));
    await settle(Promise.all([events.message(1), parts.message(1)]));
    const patches = await settle(OpenStream.patches(`${site.url}/a`, headers));
    const waits = { ...headers, Prefer: "wait=60", "Last-Event-ID": site.store.journal.head.eventId };
    const poll = fetch(`${site.url}/a`, { headers: waits });
    while (site.rocket.hub.counts.connections < 4) await clock.settle();
    await clock.advance(6_000);
    await settle(Promise.all([events.end(), parts.end(), patches.end()]));
    for (const { messages } of [events, parts]) expect(messages.map(({ status }) => status)).toEqual([200, 304, 401]);
    expect(patches.events).toEqual([]);
    // Whoever comes back with it is told, by the real status.
    for (const open of [
      OpenStream.patches(`${site.url}/a`, headers),
      OpenStream.open(`${site.url}/a`, "text/event-stream", headers),
    ]) {
      expect((await settle(open)).response.status).toBe(401);
    }
    expect((await settle(poll)).status).toBe(401);
    expect(site.rocket.hub.counts.connections).toBe(0);
    const closing = site.rocket.close();
    await clock.advance(0);
    await settle(closing);
  });
});
