import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { expect, it } from "vitest";
import { runNode } from "../cli/command.ts";
import { temporaryFolder } from "../cli/database.ts";
import { describeInBrowser } from "./browser.ts";

const ann = "ann@example.com";

/** Runs examples/users; gives its URL and its database. */
async function start() {
  const database = join(temporaryFolder(), "notes.db");
  const command = runNode("examples/users/start.js", ["0", database]);
  const pattern = /Open (http:\/\/127\.0\.0\.1:\d+),/;
  await command.until(({ stdout }) => pattern.test(stdout));
  return { database, url: pattern.exec(command.stdout)?.[1] ?? "" };
}

async function open(context: BrowserContext, url: string, state: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await hasState(page, state);
  return page;
}

async function hasState(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-state="${state}"]`).waitFor({ state: "attached" });
}

async function enter(page: Page, action: string, email: string, password: string): Promise<void> {
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', password);
  await page.click(`[value="${action}"]`);
}

const texts = (page: Page): Promise<string[]> => page.locator("li").allTextContents();

describeInBrowser("the page of examples/users", (openContext) => {
  it("signs somebody up, in all tabs, over a reload, and out of all", async () => {
    const { url } = await start();
    const context = await openContext();
    const [one, two] = [await open(context, url, "signed-out"), await open(context, url, "signed-out")];

    await enter(one, "signUp", ann, "correct horse");
    await Promise.all([one, two].map((page) => hasState(page, "signed-in")));
    await one.fill("#write input", "Hello");
    await one.press("#write input", "Enter");
    await expect.poll(() => texts(two)).toEqual([`Hello ${ann}`]);

    expect(await one.evaluate(() => document.cookie)).toBe("");
    await two.reload();
    await hasState(two, "signed-in");
    expect(await two.locator("#who").textContent()).toBe(ann);

    await two.click("#leave");
    await Promise.all([one, two].map((page) => hasState(page, "signed-out")));
    expect([await texts(one), await texts(two)]).toEqual([[], []]);
    expect(await one.evaluate(async () => (await fetch("/notes")).status)).toBe(401);
  });

  it("says what is wrong, and lets the same person in again", async () => {
    const { url } = await start();
    const page = await open(await openContext(), url, "signed-out");
    await enter(page, "signUp", ann, "correct horse");
    await hasState(page, "signed-in");
    await page.click("#leave");
    await hasState(page, "signed-out");

    await enter(page, "signIn", ann, "wrong horse");
    await page.getByText("The email or the password is not right.").waitFor();
    await enter(page, "signIn", ann, "correct horse");
    await hasState(page, "signed-in");
  });

  it("is signed out where the account is disabled", async () => {
    const { url, database } = await start();
    const page = await open(await openContext(), url, "signed-out");
    await enter(page, "signUp", ann, "correct horse");
    await hasState(page, "signed-in");
    await expect.poll(() => texts(page)).toEqual([]);

    const { code } = await runNode("dist/bin/rocket.js", ["users", "disable", database, ann]).result;

    expect(code).toBe(0);
    await hasState(page, "signed-out");
  });
});
