import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { type Origin, type OriginRequest, originFromFetch } from "../../src/server/index.ts";
import { answers, dial, dialRaw, frame, handshake, type Site, startSite } from "../node/fixture.ts";

const wellKnown = "/.well-known/rocket";
const rows = 1_000;
/** Columns that every row has: each gives a list of all rows another URL. */
const columns = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`c${at}`, 1]));

function subscribe(target: string, id: string | number): string {
  return `SUBSCRIBE ${target} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`;
}

/** A connection at the well-known URL that is written to by the byte. */
async function dialGreedy(site: Site) {
  const raw = await dialRaw(site, handshake(site, wellKnown, ["Sec-WebSocket-Protocol: rocket.v1"]));
  await raw.until(/HTTP\/1\.1 200 OK/);
  return raw;
}

/** Lists with a journal, as `rocket serve` has them, and lists that are asked for, as before an application. */
const kinds: readonly {
  readonly title: string;
  readonly start: (seen: (request: OriginRequest) => void) => Promise<Site>;
}[] = [
  {
    title: "direct views",
    start: async (seen) => {
      const site = await startSite({}, (origin) => (request) => {
        seen(request);
        return origin(request);
      });
      site.store.transaction((writer) => {
        for (let id = 1; id <= rows; id += 1) writer.put("a", { id, ...columns });
      });
      return site;
    },
  },
  {
    title: "derived views",
    start: (seen) => {
      const list = JSON.stringify(Array.from({ length: rows }, (_, id) => ({ id, ...columns })));
      const app = originFromFetch(() => new Response(list, { headers: { "content-type": "application/json" } }));
      const origin: Origin = (request) => {
        seen(request);
        return app(request);
      };
      return startSite({ origin, journal: undefined, derived: {} } as object);
    },
  },
];

describe.each(kinds)("64 SUBSCRIBEs of one connection to large lists: $title", ({ start }) => {
  it("let another connection's through after a few of them [R-BAND-14]", async () => {
    const targets: string[] = [];
    let onFirst: () => void = () => {};
    const site = await start(({ target }) => {
      targets.push(target);
      if (target.startsWith("/a?")) onFirst();
    });
    const greedy = await dialGreedy(site);
    const other = await dial(site, wellKnown);
    let sentAt = 0;
    onFirst = () => {
      onFirst = () => {};
      sentAt = targets.length;
      other.socket.send(subscribe("/b", "b"));
    };
    greedy.socket.write(Buffer.concat(Array.from({ length: 64 }, (_, at) => frame(1, subscribe(`/a?none=${at}`, at)))));
    await other.until(answers("b"));
    // Turns, not milliseconds: what came between is bounded, however slow the machine is.
    expect(targets.indexOf("/b") - sentAt).toBeLessThan(16);
  });

  it("that are not read leave no more unsent than the bound and one document [R-SUB-12]", async () => {
    const site = await start(() => {});
    const accepted: Socket[] = [];
    site.rocket.server.on("connection", (socket: Socket) => accepted.push(socket));
    const greedy = await dialGreedy(site);
    greedy.socket.pause();
    const size = (await (await fetch(`${site.url}/a`)).arrayBuffer()).byteLength;
    const [victim] = accepted;
    let most = 0;
    greedy.socket.write(Buffer.concat(Array.from({ length: 64 }, (_, at) => frame(1, subscribe(`/a?c${at}=1`, at)))));
    const other = await dial(site, wellKnown);
    for (let nth = 0; nth < 40; nth += 1) {
      other.socket.send(subscribe(`/b?n=${nth}`, nth));
      await other.until(answers(String(nth)));
      most = Math.max(most, victim?.writableLength ?? 0);
    }
    expect(size).toBeGreaterThan(300_000);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(site.rocket.hub.limits.maxUnsentBytes + size + 4_096);
  });
});

describe("a SUBSCRIBE with a body of 1 MiB", () => {
  it("is refused, and nothing of it is kept or asked [R-BAND-13]", async () => {
    const asked: string[] = [];
    const site = await startSite({}, (origin) => (request) => {
      asked.push(request.target);
      return origin(request);
    });
    const client = await dial(site, wellKnown);
    const body = "x".repeat(1024 * 1024 - 100);
    for (let at = 0; at < 20; at += 1) client.socket.send(`${subscribe("/a", at)}${body}`);
    for (let at = 0; at < 20; at += 1) expect((await client.until(answers(String(at)))).status).toBe(400);
    expect(asked).toEqual([]);
  });
});
