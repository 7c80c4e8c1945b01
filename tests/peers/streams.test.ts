import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/server/index.ts";
import { describeInBrowser } from "../browser/browser.ts";
import { pageFetch } from "./front-clients.ts";
import { type Place, serve, startPlace } from "./places.ts";
import { describeBehindFronts, startBehind } from "./site-behind.ts";
import { streamPeers, Told } from "./stream-peers.ts";

/** Clients connect again as soon as they may. */
const hasty = { ...systemClock, random: () => 0 };
const able = streamPeers.filter(({ missing }) => missing === "");

for (const { name, missing } of streamPeers) {
  if (missing !== "") console.log(`The streams of ${name} are skipped: ${missing}.`);
}

/** The URL along the line that can be cut. */
function urlOf(place: Place): string {
  return `${place.socketUrl("/artists").replace("ws", "http")}`;
}

describe.each(able)("$name", ({ follow }) => {
  it.each(["serve", "attach", "proxy"] as const)(
    "is told of what is there and of each change at %s [R-STR-3]",
    async (kind) => {
      const place = await startPlace[kind]();
      const told = new Told();
      follow(`${place.url}/artists`, told.take);
      await told.count(2);
      const added = await place.add("Möbius \u2028 & Plank");
      await told.count(3);
      await place.rename("/artists/1", "CAN");
      await told.count(4);
      await place.remove("/artists/2");
      await told.count(5);
      expect(told.short).toEqual(["200", "304", `201 ${added}`, "202 /artists/1", "204 /artists/2"]);
      expect(told.events.map(({ type }) => type)).toEqual(["200", "304", "201", "202", "204"]);
      const [first, , entered] = told.messages;
      expect(JSON.parse(String(first?.body)).artists).toHaveLength(3);
      expect(String(entered?.body)).toContain("Möbius \u2028 & Plank");
    },
  );
});

describe.each(able.filter(({ resumes }) => resumes))("$name", ({ follow }) => {
  it("resumes by its own Last-Event-ID where its connection was cut, and misses nothing [R-STR-3] [R-RES-1]", async () => {
    const place = await serve({ clock: hasty });
    const told = new Told();
    follow(urlOf(place), told.take);
    await told.count(2);
    place.line.cut();
    await place.add("Faust");
    await place.rename("/artists/1", "CAN");
    await told.count(6);
    expect(told.short).toEqual(["200", "304", "304", "201 /artists/4", "202 /artists/1", "304"]);
    await place.add("Cluster");
    await told.count(7);
    expect(told.short.at(-1)).toBe("201 /artists/5");
  });

  it("is shown the state anew at attach, where it was cut off and something changed [R-DER-8]", async () => {
    const place = await startPlace.attach();
    const told = new Told();
    follow(urlOf(place), told.take);
    await told.count(2);
    place.line.cut();
    await place.add("Faust");
    await told.count(4);
    expect(told.short).toEqual(["200", "304", "200", "304"]);
  });
});

describeBehindFronts((kind) => {
  it("event streams come as they are written, though it compresses [R-STR-15]", async () => {
    const { front, add } = await startBehind(kind, { gzip: true });
    const fetch = pageFetch(front);
    for (const { follow, name } of able.filter(({ resumes }) => resumes)) {
      const told = new Told();
      follow(`${front.origin}/api/artists`, told.take, fetch);
      await told.count(2);
      const url = await add(name);
      await told.count(3);
      expect(told.short).toEqual(["200", "304", `201 ${url}`]);
    }
  });
});

/** What a page does with nothing but the platform's own EventSource. */
function followInPage(url: string): void {
  const told: string[] = [];
  const source = new EventSource(url);
  for (const name of ["200", "201", "202", "204", "304"]) {
    source.addEventListener(name, ({ data }) => {
      const about = /^content-location: (.*)$/im.exec(data)?.[1] ?? "";
      told.push(`${name} ${about}`.trim());
    });
  }
  Object.assign(globalThis, { told });
}

describeInBrowser("Chromium's own EventSource", (openContext) => {
  it.each(["serve", "attach"] as const)(
    "follows a list at %s, and goes on where it was cut off [R-STR-3] [R-RES-1]",
    async (kind) => {
      const place = kind === "serve" ? await serve({ clock: hasty }) : await startPlace.attach();
      const page = await (await openContext()).newPage();
      await page.goto(urlOf(place));
      await page.evaluate(followInPage, urlOf(place));
      const until = async (count: number) => {
        await page.waitForFunction(
          (wanted) => (globalThis as never as { told: string[] }).told.length >= wanted,
          count,
        );
        return page.evaluate(() => (globalThis as never as { told: string[] }).told);
      };
      await until(2);
      await place.add("Faust");
      await until(3);
      await place.rename("/artists/1", "CAN");
      expect(await until(4)).toEqual(["200", "304", "201 /artists/4", "202 /artists/1"]);
      place.line.cut();
      await place.remove("/artists/2");
      const after = kind === "serve" ? ["304", "204 /artists/2", "304"] : ["200", "304"];
      expect((await until(4 + after.length)).slice(4)).toEqual(after);
    },
  );
});
