import { expect, it } from "vitest";
import { describeInBrowser, watchSockets } from "./browser.ts";
import { hasStatus, NotesSite, shows, write } from "./notes-site.ts";

describeInBrowser("tabs of a browser", (openContext) => {
  it("make one connection, and another tab takes over when the one that had it is closed", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const sockets = watchSockets(context);
    const pages = [];
    for (let count = 0; count < 6; count += 1) pages.push(await site.open(context));
    await site.write("a");
    await Promise.all(pages.map((page) => shows(page, "a")));
    expect(sockets.size).toBe(1);

    for (const text of ["b", "c"]) {
      const [leader] = sockets;
      await leader?.close();
      await site.write(text);
      const left = pages.filter((page) => !page.isClosed());
      const texts = text === "b" ? ["a", "b"] : ["a", "b", "c"];
      await Promise.all(left.map((page) => shows(page, ...texts)));
      await Promise.all(left.map((page) => hasStatus(page, "live")));
      // The browser tells of its sockets a moment later than the page of its rows.
      await expect.poll(() => sockets.size).toBe(1);
    }
    const [last] = pages.filter((page) => !page.isClosed());
    if (last) await write(last, "d");
    await Promise.all(pages.filter((page) => !page.isClosed()).map((page) => shows(page, "a", "b", "c", "d")));
    expect(sockets.size).toBe(1);
  });

  it("send at once when the server is back, also those without the connection", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const leader = await site.open(context);
    const page = await context.newPage();
    await page.clock.install();
    await site.open(context, page);

    await site.kill();
    await hasStatus(page, "offline");
    // On a busy machine some attempts went before, and the wait for the next one is longer.
    const tried = page.waitForEvent("requestfailed", { timeout: 40_000 });
    await write(page, "a");
    await tried;
    // From here on it tries nothing by itself.
    await page.clock.pauseAt(Date.now() + 60_000);
    await site.restart();
    await leader.evaluate(() => dispatchEvent(new Event("online")));

    await Promise.all([shows(page, "a"), shows(leader, "a")]);
    expect(await site.texts()).toEqual(["a"]);
  }, 60_000);

  it("wake the one that has the connection, whose timers may be slow", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const leader = await context.newPage();
    await leader.clock.install();
    await site.open(context, leader);
    const page = await site.open(context);

    await leader.clock.pauseAt(Date.now() + 1_000);
    await site.kill();
    await hasStatus(page, "stale");
    await site.restart();
    await site.write("a");
    await page.evaluate(() => dispatchEvent(new Event("online")));

    await Promise.all([shows(page, "a"), hasStatus(page, "live")]);
  });
});
