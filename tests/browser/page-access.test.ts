import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Locator, Page } from "playwright-core";
import { expect, it } from "vitest";
import { describeInBrowser } from "./browser.ts";
import { cell, PageSite } from "./page-site.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe has to say of a page, by rule and element. */
async function violationsOf(page: Page): Promise<string[]> {
  // The page's policy lets no script in, so it comes by the debugger.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    interface Violation {
      readonly id: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { violations } = await checker.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

/** Makes an account as another program does. */
async function signUp({ url }: PageSite, email: string): Promise<void> {
  const response = await fetch(`${url}/auth/sign-up`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password: "correct horse" }),
  });
  expect(response.status).toBe(201);
}

/** Shows the page in several states, and calls `look` in each. */
async function inEachState(page: Page, look: (state: string) => Promise<void>): Promise<void> {
  await cell(page, "Queen").waitFor();
  await look("rows");
  await cell(page, "Queen").dblclick();
  await look("editor");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "+ Filter" }).click();
  await look("filter");
  await page.getByRole("button", { name: "+ Row" }).click();
  await look("new record");
  await page.keyboard.press("Escape");
  await page.locator(".row-menu").first().click();
  await look("menu");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Write from another program…" }).click();
  await look("write");
  await page.getByRole("button", { name: "Send" }).click();
  await cell(page, "The Beatles*").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".wire-line").first().click();
  await look("message");
  await cell(page, "The Rolling Stones").focus();
  await page.keyboard.press("Delete");
  await page.getByRole("dialog", { name: "Delete /artists/2?" }).waitFor();
  await look("question");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.locator(".toast").waitFor();
  await look("message of a deletion");
}

describeInBrowser("the page for everybody", (openContext) => {
  it.each(["light", "dark"] as const)(
    "has no violation that axe finds, in any state, in %s",
    async (colorScheme) => {
      const site = await PageSite.start("PRAGMA foreign_keys = OFF; DELETE FROM albums WHERE artist_id = 2;");
      const page = await site.open(await openContext({ colorScheme, reducedMotion: "reduce" }));
      const found: Record<string, string[]> = {};
      await inEachState(page, async (state) => {
        const violations = await violationsOf(page);
        if (violations.length > 0) found[state] = violations;
      });
      await page.goto(`${site.url}/#who`);
      await page.getByRole("table", { name: "Connections" }).waitFor();
      const violations = await violationsOf(page);
      expect([found, violations]).toEqual([{}, []]);
      // Ten looks at all of the page: on a busy machine they take longer than other tests may.
    },
    180_000,
  );

  it("fits into 360 pixels in every state", async () => {
    const site = await PageSite.start("PRAGMA foreign_keys = OFF; DELETE FROM albums WHERE artist_id = 2;");
    const page = await site.open(await openContext({ viewport: { width: 360, height: 800 } }));
    const widths: Record<string, number> = {};
    await inEachState(page, async (state) => {
      widths[state] = await page.evaluate(() => document.documentElement.scrollWidth);
    });
    expect(new Set(Object.values(widths))).toEqual(new Set([360]));
    await page.getByRole("button", { name: "Collections" }).click();
    await page.getByRole("link", { name: /^songs/ }).click();
    await page.getByRole("heading", { name: "songs" }).waitFor();
  });

  it("is used by keys alone, with a focus that is seen", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await cell(page, "The Beatles").focus();
    for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.locator("#cell-input").waitFor();
    await page.keyboard.type("Floyd");
    await page.keyboard.press("Enter");
    await cell(page, "Floyd").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Floyd");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(outline).toBe("solid");
    for (const key of ["Home", "Enter", "ArrowDown", "Escape", "End"]) await page.keyboard.press(key);
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("1965");
  });

  it("has the column of rows in sight wherever one goes sideways, and nothing focused behind it", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext({ viewport: { width: 480, height: 800 } }), "/songs");
    const grid = page.getByRole("grid");
    const heads = page.getByRole("columnheader");
    const left = async (one: Locator): Promise<number> => (await one.boundingBox())?.x ?? -1;
    const menu = page.locator(".row-menu").first();
    await menu.waitFor();
    await grid.evaluate((one) => {
      one.scrollLeft = 1_000;
    });
    expect([await left(menu), await left(heads.first())]).toEqual([await left(grid), await left(grid)]);
    await page.getByLabel("Query, as the URL has it").focus();
    await page.keyboard.press("Tab");
    expect(await heads.nth(1).evaluate((one) => one.contains(document.activeElement))).toBe(true);
    expect([await left(menu), await left(heads.nth(1))]).toEqual([await left(grid), (await left(grid)) + 40]);
  });

  it("says changes aloud, and moves nothing where that is not wanted", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext({ reducedMotion: "reduce" }));
    site.run("UPDATE artists SET name = 'Aloud' WHERE id = 1");
    await page.locator("[aria-live=polite]", { hasText: "/artists/1 changed name" }).waitFor({ state: "attached" });
    const animations = await page.evaluate(() =>
      document.getAnimations().map((one) => (one.effect as KeyframeEffect).getTiming().duration),
    );
    expect(animations.every((duration) => duration === 1_000)).toBe(true);
  });

  it("takes a cell's text for text", async () => {
    const site = await PageSite.start("UPDATE artists SET name = '<img src=x onerror=alert(1)>' WHERE id = 1");
    const page = await site.open(await openContext());
    await cell(page, "<img src=x onerror=alert(1)>").waitFor();
    expect(await page.locator(".grid img").count()).toBe(0);
    expect(site.troubles).toEqual([]);
  });
});

describeInBrowser("signing in on the page", (openContext) => {
  it("asks for a token where the server does, keeps it in the tab, and shows what it may", async () => {
    process.env.ROCKET_PAGE_TOKEN = "a-token-that-all-share";
    const site = await PageSite.start("", "--token-env", "ROCKET_PAGE_TOKEN");
    const page = await (await openContext()).newPage();
    await page.goto(site.url);
    const token = page.getByLabel("A token that says who you are");
    await token.fill("another-token-than-that");
    await page.getByRole("button", { name: "Sign in" }).last().click();
    await page.getByRole("alert").getByText("The token is not the one").waitFor();
    expect(await page.getByLabel("Email").count()).toBe(0);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("token");
    await token.fill("a-token-that-all-share");
    await page.getByRole("button", { name: "Sign in" }).last().click();
    await cell(page, "Queen").waitFor();
    await page.reload();
    await cell(page, "Queen").waitFor();
    expect(await page.getByRole("link", { name: "Who follows what" }).count()).toBe(0);
    expect(await page.locator(".wire-list").textContent()).not.toContain("a-token-that-all-share");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog", { name: "Sign in" }).waitFor();
    expect(await cell(page, "Queen").count()).toBe(0);
  });

  it("makes an account where anybody may, and only there", async () => {
    const site = await PageSite.start("", "--users");
    const page = await (await openContext()).newPage();
    await page.goto(site.url);
    const create = page.getByRole("button", { name: "Create an account" });
    await page.getByLabel("Email").fill("bob@example.com");
    await page.getByLabel("Password").fill("short");
    await create.click();
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await page.getByLabel("Password").fill("correct horse");
    await create.click();
    await cell(page, "Queen").waitFor();
    await page.getByRole("button", { name: "Sign out bob@example.com" }).waitFor();

    const invited = await PageSite.start("", "--users", "invite");
    await page.goto(invited.url);
    await page.getByLabel("Email").waitFor();
    expect(await create.count()).toBe(0);
  });

  it("signs in by Enter, makes no account by it, and says while that is under way", async () => {
    const site = await PageSite.start("", "--users");
    await signUp(site, "eve@example.com");
    const context = await openContext();
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const asked: string[] = [];
    await context.route("**/auth/sign-*", async (route) => {
      if (route.request().method() === "POST") {
        asked.push(new URL(route.request().url()).pathname);
        await answered;
      }
      await route.continue();
    });
    const page = await context.newPage();
    await page.goto(site.url);
    await page.getByLabel("Email").fill("eve@example.com");
    await page.getByLabel("Password").fill("wrong horse");
    await page.keyboard.press("Enter");
    const underWay = page.getByRole("button", { name: "Signing in…" });
    await underWay.waitFor();
    expect(await underWay.isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: "Create an account" }).isDisabled()).toBe(true);
    answer();
    await page.getByRole("alert").getByText("The email or the password is not right.").waitFor();
    expect(asked).toEqual(["/auth/sign-in"]);
    await page.getByRole("button", { name: "Create an account" }).click();
    // What the problem and its field say alike is told once.
    await page.getByRole("alert").getByText("There is an account with this email already.", { exact: true }).waitFor();
    expect(asked).toEqual(["/auth/sign-in", "/auth/sign-up"]);
  });

  it("takes an account's email and password where the server keeps accounts", async () => {
    const site = await PageSite.start("", "--users");
    await signUp(site, "ann@example.com");
    const page = await (await openContext()).newPage();
    await page.goto(site.url);
    await page.getByLabel("Email").fill("ann@example.com");
    await page.getByLabel("Password").fill("wrong horse");
    const submit = page.getByRole("dialog").getByRole("button", { name: "Sign in" }).first();
    await submit.click();
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await page.getByLabel("Password").fill("correct horse");
    await submit.click();
    await cell(page, "Queen").waitFor();

    // Another tab has the cookie, too.
    const second = await page.context().newPage();
    await second.goto(site.url);
    await cell(second, "Queen").waitFor();
    await page.getByRole("button", { name: "Sign out ann@example.com" }).click();
    await page.getByRole("dialog", { name: "Sign in" }).waitFor();
    await second.getByRole("dialog", { name: "Sign in" }).waitFor();

    // Whoever comes next sees nothing of what was shown.
    for (const one of [page, second]) {
      expect(await one.locator("body").innerHTML()).not.toContain("Queen");
      expect(await one.getByRole("button", { name: /^Sign out/ }).count()).toBe(0);
    }
  });
});
