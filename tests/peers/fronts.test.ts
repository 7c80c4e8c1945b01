import { expect, it } from "vitest";
import { ConflictError } from "../../src/client/index.ts";
import { type Echo, echo, valuesOf } from "../proxy/echo.ts";
import { proxy, upstream } from "../proxy/setting.ts";
import { curl, follow, pageClient, pageFetch } from "./front-clients.ts";
import { siteName, startFront } from "./fronts.ts";
import { missingCurl } from "./http-peers.ts";
import type { Artist } from "./places.ts";
import { describeBehindFronts, shows, startBehind } from "./site-behind.ts";

const itWithCurl = it.skipIf(missingCurl !== "");

describeBehindFronts((kind) => {
  it.each([
    ["left on", false],
    ["taken off", true],
  ])("a page reads, writes and follows with the path %s [R-WK-5] [R-SEC-1] [R-MID-1]", async (_what, strips) => {
    const { front } = await startBehind(kind, { strips });
    const client = pageClient(front);
    const artists = client.collection<Artist>("/artists");
    const levelOne = await follow(front, "/api/artists").caughtUp();
    const levelZero = follow(front, "/api/artists", { protocols: [] });
    await levelZero.open();
    const urls = (await artists.ready()).rows.map(({ url }) => url);
    expect(urls).toEqual(["/api/artists/1", "/api/artists/2", "/api/artists/3"]);
    expect((await artists.create({ name: "Faust" })).url).toBe("/api/artists/4");
    await levelOne.about("/api/artists/4", 201);
    await levelZero.about("/api/artists/4", 201);
    await shows(artists, ["Can", "Neu!", "Low", "Faust"]);
    // Rows come by a GET too, before there is a socket.
    await expect.poll(() => client.status.state).toBe("live");
    const foreign = follow(front, "/api/artists", { origin: "https://evil.example" });
    expect(await foreign.end()).toEqual({ status: 403 });
  });

  itWithCurl("curl reads by HTTP/2 and by HTTP/1.1, compressed and plain", async () => {
    const { front } = await startBehind(kind);
    const plain = JSON.parse(await curl(front, "/api/artists", "--http2", "--fail")) as { artists: Artist[] };
    expect(plain.artists.map(({ name }) => name)).toEqual(["Can", "Neu!", "Low"]);
    expect(JSON.parse(await curl(front, "/api/artists", "--http1.1", "--compressed", "--fail"))).toEqual(plain);
    const head = await curl(front, "/api/artists", "--http2", "-I");
    expect(head).toMatch(/^HTTP\/2 200/);
    expect(head).toMatch(/^items: list="\/artists"/m);
    expect(head).toMatch(/^event-id: /m);
  });

  it("which compresses, guarded writes hold: of the client always, of others by a strong tag [R-FLD-11]", async () => {
    const { front } = await startBehind(kind, { gzip: true });
    const sent: (string | null)[] = [];
    const fetch = pageFetch(front, (headers) => sent.push(headers.get("If-Match")));
    const change = async (name: string, tag: string) => {
      const headers = { "Content-Type": "application/json", "If-Match": tag };
      const body = JSON.stringify({ name });
      return (await fetch(`${front.origin}/api/artists/1`, { method: "PATCH", headers, body })).status;
    };
    const read = async () => {
      const response = await fetch(`${front.origin}/api/artists/1`, { headers: { "Accept-Encoding": "gzip" } });
      await response.arrayBuffer();
      expect(response.headers.get("content-encoding")).toBe("gzip");
      return response.headers.get("etag") ?? "";
    };
    // What is short is compressed by the front, what is longer by Rocket.
    const short = await read();
    expect(short.startsWith("W/")).toBe(kind.weakens);
    expect(await change("Inner Space", short)).toBe(kind.weakens ? 412 : 200);
    expect(await change("x".repeat(2_000), "*")).toBe(200);
    const long = await read();
    expect(long).toMatch(/^".*;gzip"$/);
    expect(await change("Can", long)).toBe(200);
    expect(await change("CAN", long)).toBe(412);

    const artists = pageClient(front, { fetch }).collection<Artist>("/artists");
    const seen = (await artists.ready()).rows[0] as Artist;
    sent.length = 0;
    await artists.update(seen, { name: "Can!" }, { ifUnchanged: true });
    expect(sent.at(-1)).toMatch(/^"/);
    await change("Can?", "*");
    await expect(artists.update(seen, { name: "CAN" }, { base: seen })).rejects.toBeInstanceOf(ConflictError);
  });

  itWithCurl("`rocket proxy` hands on who asked, as the front says and nobody else", async () => {
    const api = await upstream(echo());
    const trusting = await startFront(kind, (await proxyTo(api.url, true)).port);
    const wary = await startFront(kind, (await proxyTo(api.url, false)).port);
    const ask = async (front: typeof wary) => {
      const lies = ["Forwarded: for=6.6.6.6", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.example"];
      const answer = await curl(
        front,
        "/api/a",
        ...lies.flatMap((lie) => ["-H", lie]),
        "-H",
        "X-Forwarded-Proto: gopher",
      );
      const asked = JSON.parse(answer) as Echo;
      return ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"].map((name) =>
        valuesOf(asked, name),
      );
    };
    const host = `${siteName}:${trusting.port}`;
    expect(await ask(trusting)).toEqual([
      [`for=127.0.0.1;host="${host}";proto=http`],
      ["127.0.0.1, 127.0.0.1"],
      [host],
      ["https"],
    ]);
    const own = `${siteName}:${wary.port}`;
    expect(await ask(wary)).toEqual([[`for=127.0.0.1;host="${own}";proto=http`], ["127.0.0.1"], [own], ["http"]]);
  });
});

function proxyTo(url: string, trustForwarded: boolean) {
  return proxy(url, { trustForwarded, basePath: "/api", allowHosts: [siteName] });
}
