import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { runNode } from "../cli/command.ts";
import { temporaryFolder } from "../cli/database.ts";
import { describeInBrowser } from "./browser.ts";

/** Starts the example with a database of its own, and gives its URL. */
async function startChat(): Promise<string> {
  const start = runNode("examples/chat/start.js", ["0", join(temporaryFolder(), "chat.db")]);
  const pattern = /Open (http:\S+) in two windows/;
  await start.until(({ stdout }) => pattern.test(stdout));
  return pattern.exec(start.stdout)?.[1] ?? "";
}

const message = (page: Page, text: string) => page.getByRole("listitem").filter({ hasText: text });

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message to" }).fill(text);
  await page.keyboard.press("Enter");
}

describeInBrowser("examples/chat", (openContext) => {
  async function openChat(url: string): Promise<Page> {
    const page = await (await openContext()).newPage();
    await page.goto(url);
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  }

  it("shows messages in both windows, as they are written, changed and deleted", async () => {
    const url = await startChat();
    const [one, other] = [await openChat(url), await openChat(url)];

    await say(one, "Hello over there");
    await message(other, "Hello over there").waitFor();
    expect(await message(other, "Hello over there").getByRole("button").count()).toBe(0);

    await message(one, "Hello over there").hover();
    await message(one, "Hello over there").getByRole("button", { name: "Edit" }).click();
    await one.getByRole("textbox", { name: "Change your message" }).fill("Good evening");
    await one.keyboard.press("Enter");
    await message(other, "Good evening").getByText("edited").waitFor();

    await message(one, "Good evening").hover();
    await message(one, "Good evening").getByRole("button", { name: "Delete" }).click();
    await message(other, "Good evening").waitFor({ state: "detached" });
  });

  it("has rooms, of which a new one is there for everyone", async () => {
    const url = await startChat();
    const [one, other] = [await openChat(url), await openChat(url)];

    await one.getByRole("textbox", { name: "New room" }).fill("Kitchen");
    await one.keyboard.press("Enter");
    await one.getByText("Say the first word").waitFor();
    await say(one, "The kettle is on");
    await other.getByRole("link", { name: "kitchen" }).click();

    await message(other, "The kettle is on").waitFor();
    expect(await other.getByRole("listitem").count()).toBe(1);
  });

  it("marks what waits while it is offline, and what came through", async () => {
    const url = await startChat();
    const [one, other] = [await openChat(url), await openChat(url)];

    await one.context().setOffline(true);
    await one.getByText("Offline", { exact: true }).waitFor();
    await say(one, "From the tunnel");
    await message(one, "From the tunnel").getByText("waiting").waitFor();
    await one.context().setOffline(false);

    await message(other, "From the tunnel").waitFor();
    await message(one, "From the tunnel").getByText("waiting").waitFor({ state: "detached" });
    await one.getByText("Live", { exact: true }).waitFor();
    expect(await message(one, "From the tunnel").count()).toBe(1);
  });

  it("is all there on a phone: rooms can be made, and all that can be hit is large enough", async () => {
    const url = await startChat();
    const context = await openContext({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByText("Live", { exact: true }).waitFor();

    await page.getByRole("textbox", { name: "New room" }).fill("Balcony");
    await page.getByRole("button", { name: "Make the room" }).tap();
    await page.getByRole("heading", { name: "balcony" }).waitFor();
    await page.getByRole("textbox", { name: "Message to" }).fill("The sun is out");
    await page.getByRole("button", { name: "Send" }).tap();
    await message(page, "The sun is out").getByRole("button", { name: "Edit" }).waitFor();

    const targets = page.locator("a, button, input, textarea");
    const sizes = await targets.evaluateAll((all) =>
      all.map((one) => {
        const { width, height, right } = one.getBoundingClientRect();
        return { name: one.textContent || one.getAttribute("aria-label"), width, height, right };
      }),
    );
    expect(sizes.map(({ name }) => name)).toEqual(expect.arrayContaining(["balcony", "+", "Edit", "Delete", "Send"]));
    expect(sizes.filter(({ width, height }) => width < 44 || height < 44)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});
