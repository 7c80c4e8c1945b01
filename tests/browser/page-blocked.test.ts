import { expect, it } from "vitest";
import { describeInBrowser } from "./browser.ts";
import { cell, edit, PageSite } from "./page-site.ts";

describeInBrowser("the page where no WebSocket passes", (openContext) => {
  it("says so, shows rows by GETs and looks when it is told to, and goes back to the socket once one passes", async () => {
    const site = await PageSite.start();
    const context = await openContext();
    let isBlocked = true;
    await context.routeWebSocket(/.*/, (socket) => {
      if (isBlocked) void socket.close({ code: 1001 });
      else socket.connectToServer();
    });
    const page = await context.newPage();
    await page.goto(`${site.url}/artists`);
    await page.getByText("No WebSocket comes through").waitFor();
    await page.locator(".status.is-polling").waitFor();
    await cell(page, "Queen").waitFor();

    site.run("UPDATE artists SET name = 'Elsewhere' WHERE name = 'Queen'");
    await page.getByRole("button", { name: "Look now" }).click();
    await cell(page, "Elsewhere").waitFor();
    await edit(page, "Elsewhere", "Here");
    await expect.poll(async () => (await fetch(`${site.url}/artists?name=eq.Here`)).text()).toContain('"Here"');

    isBlocked = false;
    // The write may be about to look by itself: then the button goes.
    const button = page.getByRole("button", { name: "Look now" });
    await button.click({ timeout: 2_000 }).catch(async () => expect(await button.isVisible()).toBe(false));
    await page.locator(".status.is-live").waitFor({ timeout: 60_000 });
    expect(await page.getByText("No WebSocket comes through").isVisible()).toBe(false);
  }, 90_000);
});
