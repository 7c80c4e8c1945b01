import { expect, it } from "vitest";
import { describeInBrowser, patienceMs } from "./browser.ts";
import { interceptApi, NotesSite, shows, write } from "./notes-site.ts";

/** What a page has kept of its queued writes. */
const kept = "localStorage.getItem(localStorage.key(0))";

describeInBrowser("queued writes", (openContext) => {
  it("outlive a reload, and are sent once, also one whose answer was lost", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const network = await interceptApi(context);
    const page = await site.open(context);
    const lost: string[] = [];

    network.closed = async (route) => {
      const { text } = route.request().postDataJSON() ?? {};
      if (text !== undefined && lost.length === 0) {
        lost.push(text);
        await route.fetch();
      }
      return route.abort();
    };
    await write(page, "a", "b");
    await expect.poll(() => site.texts(), { timeout: patienceMs }).toEqual(["a"]);
    await page.reload();
    await shows(page, "a?", "b?");
    network.closed = undefined;

    await shows(page, "a", "b");
    expect(lost).toEqual(["a"]);
    expect(await site.texts()).toEqual(["a", "b"]);
    expect(await page.evaluate(kept)).toBe("[]");
  });

  it("wait while a gateway says that the server is away", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const network = await interceptApi(context);
    const page = await site.open(context);
    const asked: string[] = [];

    network.closed = (route) => {
      asked.push(route.request().url());
      return route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" });
    };
    await write(page, "a");
    await shows(page, "a?");
    await page.reload();
    await shows(page, "a?");
    asked.length = 0;
    await expect.poll(() => asked.length, { timeout: patienceMs }).toBeGreaterThan(3);
    await shows(page, "a?");
    network.closed = undefined;

    await shows(page, "a");
    expect(await site.texts()).toEqual(["a"]);
  });

  it("find their record after a reload, though it was created before", async () => {
    const site = await NotesSite.start();
    const context = await openContext();
    const network = { isBlocked: true };
    await context.route(/\/notes\/\d+/, (route) => (network.isBlocked ? route.abort() : route.continue()));
    const page = await site.open(context);

    await page.evaluate("noteAndChange('a', 'b')");
    await expect.poll(() => site.texts(), { timeout: patienceMs }).toEqual(["a"]);
    await shows(page, "b?");
    await page.reload();
    await shows(page, "b?");
    network.isBlocked = false;

    await shows(page, "b");
    expect(await site.texts()).toEqual(["b"]);
  });
});
