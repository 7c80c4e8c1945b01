import { describe, expect, it, onTestFinished } from "vitest";
import { createFakeClock } from "../../src/testing/index.ts";
import { type Site, startSite } from "./fixture.ts";

const list = { target: "/a" };

/** Where the store stands. */
function position({ store }: Site): string {
  return store.journal.head.eventId;
}

/** Asks, and goes with the test. */
function poll(site: Site, headers: Record<string, string>, path = list.target, method = "GET"): Promise<Response> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  return fetch(site.url + path, { method, headers: { Prefer: "wait=20", ...headers }, signal: abort.signal });
}

/** Resolves once so many wait. */
async function waiting(site: Site, count = 1): Promise<void> {
  while (site.rocket.hub.counts.connections !== count) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function namesIn(response: Response): Promise<string[]> {
  const { a } = (await response.json()) as { a: { name: string }[] };
  return a.map(({ name }) => name);
}

describe("A GET that is ready to wait", () => {
  it("is answered at the next change of its view, by the plain answer [R-STR-21]", async () => {
    const site = await startSite();
    site.put(1, { name: "Can", kind: "band" });
    const etag = (await fetch(`${site.url}/a`)).headers.get("etag") ?? "";
    const byPosition = poll(site, { "Last-Event-ID": position(site) });
    const byTag = poll(site, { "If-None-Match": etag });
    const other = poll(site, { "Last-Event-ID": position(site) }, "/a?kind=duo");
    await waiting(site, 3);
    site.put(1, { name: "CAN", kind: "band" });
    for (const response of await Promise.all([byPosition, byTag])) {
      expect([response.status, response.headers.get("preference-applied")]).toEqual([200, "wait=20"]);
      expect(await namesIn(response)).toEqual(["CAN"]);
    }
    await waiting(site, 1);
    site.put(2, { name: "Cluster", kind: "duo" });
    expect(await namesIn(await other)).toEqual(["Cluster"]);
    await waiting(site, 0);
    expect(site.errors).toEqual([]);
  });

  it.each([
    ["another entity tag", () => ({ "If-None-Match": '"old"' })],
    ["a position that more followed on", (before: string) => ({ "Last-Event-ID": before })],
    ["a position that nobody knows", () => ({ "Last-Event-ID": "x:1.1" })],
    ["neither a position nor an entity tag", () => ({})],
    ["no time", (_before: string, now: string) => ({ "Last-Event-ID": now, Prefer: "wait=0" })],
    ["a time that is no number", (_before: string, now: string) => ({ "Last-Event-ID": now, Prefer: "wait=1.5" })],
  ])("with %s is answered at once [R-STR-21] [R-STR-13]", async (_name, headersOf) => {
    const site = await startSite();
    site.put(1, { name: "Can" });
    const before = position(site);
    site.put(1, { name: "CAN" });
    const response = await poll(site, headersOf(before, position(site)));
    expect([response.status, await namesIn(response)]).toEqual([200, ["CAN"]]);
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("is answered at once as a HEAD, and where it is refused or can't be followed [R-STR-21]", async () => {
    const site = await startSite({}, (origin) => async (request) => {
      if (request.target !== "/page") return origin(request);
      return { status: 200, fields: [["Content-Type", "text/html"]], body: "page" };
    });
    const headers = { "Last-Event-ID": position(site) };
    expect((await poll(site, headers, "/a", "HEAD")).status).toBe(200);
    expect((await poll(site, headers, "/a/99")).status).toBe(404);
    expect(await (await poll(site, headers, "/page")).text()).toBe("page");
  });

  it("is a 304 with the position and the entity tag where nothing came, after a minute at most [R-STR-21]", async () => {
    const clock = createFakeClock();
    const site = await startSite({ clock });
    site.put(1, { kind: "band" });
    const { headers } = await fetch(`${site.url}/a?kind=band`);
    const etag = headers.get("etag") ?? "";
    let answered = 0;
    const asked = [
      poll(site, { "If-None-Match": etag, Prefer: "wait=600" }, "/a?kind=band"),
      poll(site, { "Last-Event-ID": position(site), Prefer: "wait=30" }, "/a?kind=band"),
    ].map(async (response) => {
      const answer = await response;
      answered += 1;
      return answer;
    });
    const settle = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) {
        await clock.settle();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    };
    await settle(() => site.rocket.hub.counts.connections === 2);
    // A change elsewhere moves the position on.
    site.put(2, { kind: "duo" });
    await clock.advance(30_000);
    await settle(() => answered === 1);
    expect(site.rocket.hub.counts.connections).toBe(1);
    await clock.advance(30_000);
    await settle(() => answered === 2);
    const [byTag, byPosition] = await Promise.all(asked);
    expect([byTag?.status, byPosition?.status]).toEqual([304, 304]);
    expect(byTag?.headers.get("etag")).toBe(etag);
    // As its 200 has [R-STR-22].
    expect(byTag?.headers.get("vary")).toMatch(/\baccept\b(?!-)/i);
    expect(byTag?.headers.get("preference-applied")).toBe("wait=60");
    expect(byTag?.headers.get("event-id")).toBe(position(site));
    expect(byPosition?.headers.get("event-id")).toBe(position(site));
    const closing = site.rocket.close();
    await clock.advance(0);
    await settle(() => false === site.rocket.server.listening);
    await closing;
  });

  it("is a 304 where the server stops, and counted no more once its client has gone [R-STR-21]", async () => {
    const site = await startSite();
    const headers = { "Last-Event-ID": position(site) };
    const abort = new AbortController();
    const gone = fetch(`${site.url}/a`, { headers: { Prefer: "wait=20", ...headers }, signal: abort.signal });
    await waiting(site, 1);
    abort.abort();
    await gone.catch(() => {});
    await waiting(site, 0);
    const stays = poll(site, headers);
    await waiting(site, 1);
    await site.rocket.close();
    expect([(await stays).status, (await stays).headers.get("event-id")]).toEqual([304, position(site)]);
  });

  it("is a 503 beyond all connections, and a 429 beyond those of its address [R-SEC-5]", async () => {
    const full = await startSite({ limits: { maxConnections: 1 } });
    void poll(full, { "Last-Event-ID": position(full) }).catch(() => {});
    await waiting(full, 1);
    const refused = await poll(full, { "Last-Event-ID": position(full) });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    const site = await startSite({ limits: { maxConnections: 20, maxSubscriptions: 1 } });
    const polls = [1, 2].map(() => poll(site, { "Last-Event-ID": position(site) }));
    await waiting(site, 2);
    const many = await poll(site, { "Last-Event-ID": position(site) });
    expect([many.status, many.headers.get("retry-after")]).toEqual([429, "5"]);
    site.put(1);
    await Promise.all(polls);
    const next = poll(site, { "Last-Event-ID": position(site) });
    await waiting(site, 1);
    site.put(2);
    expect((await next).status).toBe(200);
  });

  it("waits for what no journal follows, too [R-STR-21]", async () => {
    let body = '{"n":1}';
    const site = await startSite({ derived: {} }, () => async ({ fields }) => {
      const isKnown = fields.some(([name, value]) => /^if-none-match$/i.test(name) && value === '"1"');
      const status = isKnown && body.includes("1") ? 304 : 200;
      const etag = body.includes("1") ? '"1"' : '"2"';
      return {
        status,
        fields: [
          ["Content-Type", "application/json"],
          ["ETag", etag],
        ],
        body: status === 304 ? "" : body,
      };
    });
    const answer = poll(site, { "If-None-Match": '"1"' }, "/n");
    await waiting(site, 1);
    body = '{"n":2}';
    site.rocket.hub.changed(["/n"]);
    expect(await (await answer).json()).toEqual({ n: 2 });
  });
});
