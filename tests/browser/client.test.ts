import type { Page, Request } from "playwright-core";
import { expect, it } from "vitest";
import { describeInBrowser, patienceMs } from "./browser.ts";
import { hasStatus, NotesSite, shows, write } from "./notes-site.ts";

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `${from + at}`);

/** Whether a page asks for a stream; it may ask for deltas as well. */
function isStream(request: Request): boolean {
  return request.headers().accept?.startsWith("text/event-stream") === true;
}

/** The paths that a page requests from now on. */
function watchRequests(page: Page, method: string): string[] {
  const paths: string[] = [];
  page.on("request", (request) => {
    if (request.method() === method) paths.push(new URL(request.url()).pathname);
  });
  return paths;
}

describeInBrowser("the client in a browser", (openContext) => {
  it("shows each window what another one writes", async () => {
    const site = await NotesSite.start();
    const [one, other] = [await site.open(await openContext()), await site.open(await openContext())];

    await write(one, "a");
    await shows(other, "a");
    await write(other, "b");
    await Promise.all([shows(one, "a", "b"), shows(other, "a", "b")]);
    expect(await site.texts()).toEqual(["a", "b"]);
  });

  it("sends what was written offline once it is back, and catches up", async () => {
    const site = await NotesSite.start();
    const [context, other] = [await openContext(), await site.open(await openContext())];
    const page = await site.open(context);
    await write(page, "a");
    await shows(other, "a");

    await context.setOffline(true);
    await hasStatus(page, "offline");
    await write(page, "c", "d");
    await shows(page, "a", "c?", "d?");
    await write(other, "b");
    await shows(other, "a", "b");
    await context.setOffline(false);

    await Promise.all([shows(page, "a", "b", "c", "d"), shows(other, "a", "b", "c", "d"), hasStatus(page, "live")]);
    expect(await site.texts()).toEqual(["a", "b", "c", "d"]);
    expect(await page.evaluate(() => globalThis.failures)).toEqual([]);
  });

  it("loses nothing and doubles nothing when the server is killed in the middle of writes", async () => {
    const site = await NotesSite.start();
    const [page, other] = [await site.open(await openContext()), await site.open(await openContext())];
    const texts = numbers(1, 60);

    await write(page, ...texts);
    await other.locator("li", { hasText: "10" }).waitFor();
    await site.kill();
    await Promise.all([page, other].map((one) => hasStatus(one, "offline")));
    await site.restart();

    await Promise.all([shows(page, ...texts), shows(other, ...texts)]);
    expect(await site.texts()).toEqual(texts);
    expect(await page.evaluate(() => globalThis.failures)).toEqual([]);
  });

  it("is live through streams where WebSockets are blocked", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    await context.routeWebSocket(/./, (socket) => void socket.close());
    const page = await context.newPage();
    await page.goto(site.url);

    await hasStatus(page, "live");
    await site.write("a");
    await shows(page, "a");
    await write(page, "b");
    await shows(page, "a", "b");
  });

  it("asks again and again where streams are held back as well, and finds its way back", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    // What holds an answer back until its end gives out none of a stream.
    await context.route(/./, (route) => (isStream(route.request()) ? undefined : route.continue()));
    const network = { isBlocked: true };
    await context.routeWebSocket(/./, (socket) => {
      if (network.isBlocked) void socket.close();
      else socket.connectToServer();
    });
    const page = await context.newPage();
    await page.clock.install();
    const asked = page.waitForRequest(isStream);
    await page.goto(site.url);

    await asked;
    await page.clock.fastForward(6_000);
    await hasStatus(page, "polling");
    await site.write("a");
    await page.clock.fastForward(6_000);
    await shows(page, "a");
    await write(page, "b");
    await page.clock.fastForward(6_000);
    await shows(page, "a", "b");

    network.isBlocked = false;
    const upgraded = page.waitForEvent("websocket", { timeout: patienceMs });
    await page.clock.fastForward(50_000);
    await upgraded;
    await hasStatus(page, "live");
    const polls = watchRequests(page, "GET");
    await site.write("c");
    await shows(page, "a", "b", "c");
    expect(polls).toEqual([]);
  });
});
