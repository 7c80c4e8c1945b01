import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describeInBrowser } from "./browser.ts";
import { cell, PageSite } from "./page-site.ts";

const sql = `
  CREATE TABLE things (id INTEGER PRIMARY KEY, done BOOLEAN NOT NULL, extra JSON, data BLOB, day DATE, size INTEGER);
  INSERT INTO things VALUES (1, 1, '{"a":1}', x'00010203', '2026-11-30', 9007199254740993);
`;

/** The record, as a program is given it; the page shows what is written before that is done. */
async function thing({ url }: PageSite): Promise<unknown> {
  const { thing: found } = (await (await fetch(`${url}/things/1`)).json()) as { readonly thing: unknown };
  return found;
}

/** Opens the editor of a cell. */
async function begin(page: Page, text: string): Promise<void> {
  await cell(page, text).dblclick();
  await page.locator("#cell-input").waitFor();
}

describeInBrowser("the page's editors", (openContext) => {
  it("fit the types of columns, and write what a program would", async () => {
    const site = await PageSite.start(sql);
    const page = await site.open(await openContext(), "/things");

    await begin(page, "true");
    await page.locator("#cell-input").selectOption("false");
    await page.keyboard.press("Enter");
    await cell(page, "false").waitFor();
    await expect.poll(() => page.locator(".editor").count()).toBe(0);
    await begin(page, "false");
    await page.locator("#cell-input").selectOption("true");
    await page.keyboard.press("Escape");
    await cell(page, "false").waitFor();

    await begin(page, '{"a":1}');
    await page.locator("#cell-input").fill("{");
    await page.keyboard.press("Control+Enter");
    await page.locator(".editor").getByText("This is no JSON").waitFor();
    await page.locator("#cell-input").fill('{"a":[null,"b"]}');
    await page.keyboard.press("Control+Enter");
    await cell(page, '{"a":[null,"b"]}').waitFor();

    await begin(page, "2026-11-30");
    expect(await page.locator("#cell-input").getAttribute("type")).toBe("date");
    expect(await page.locator("#cell-input").getAttribute("max")).toBe("9999-12-31");
    await page.locator("#cell-input").fill("2027-01-02");
    await page.keyboard.press("Enter");
    await cell(page, "2027-01-02").waitFor();

    await begin(page, "9007199254740993");
    await page.locator("#cell-input").fill("9007199254740995");
    await page.keyboard.press("Enter");
    await cell(page, "9007199254740995").waitFor();

    await expect
      .poll(() => thing(site))
      .toMatchObject({
        done: false,
        extra: { a: [null, "b"] },
        day: "2027-01-02",
        size: "9007199254740995",
      });
    expect(site.troubles).toEqual([]);
  });

  it("save bytes to a file, and read them from one", async () => {
    const site = await PageSite.start(sql);
    const page = await site.open(await openContext(), "/things");
    await begin(page, "4 B");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save 4 B to a file" }).click();
    expect([...readFileSync(await (await download).path())]).toEqual([0, 1, 2, 3]);
    await page.locator("#cell-input").setInputFiles({ name: "a.bin", mimeType: "x/y", buffer: Buffer.from([9, 8]) });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await cell(page, "2 B").waitFor();
    await expect.poll(() => thing(site)).toMatchObject({ data: "CQg=" });
    expect(site.troubles).toEqual([]);
  });

  it("save a listed value by Enter, and offer the list to a filter", async () => {
    const site = await PageSite.start(
      `CREATE TABLE jobs (id INTEGER PRIMARY KEY, note TEXT, state TEXT CHECK (state IN ('open', 'done')), size INTEGER);
       INSERT INTO jobs VALUES (1, NULL, 'open', 7), (2, 'b', 'done', NULL)`,
    );
    const page = await site.open(await openContext(), "/jobs");
    const left = (text: string) => cell(page, text).evaluate((one) => getComputedStyle(one).textAlign);
    await cell(page, "7").waitFor();
    const missing = page.locator('[aria-rowindex="3"] [aria-colindex="5"]');
    expect([await left("7"), await missing.evaluate((one) => getComputedStyle(one).textAlign)]).toEqual([
      "right",
      "right",
    ]);
    await begin(page, "open");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => cell(page, "done").count()).toBe(2);
    expect(await page.locator(".editor").count()).toBe(0);

    await page.getByRole("button", { name: "+ Filter" }).click();
    await page.getByLabel("Column").selectOption("note");
    await page.getByLabel("Operator").selectOption("is.null");
    expect(await page.getByLabel("Value").isVisible()).toBe(false);
    await page.getByLabel("Column").selectOption("state");
    expect(await page.getByLabel("Operator").inputValue()).toBe("eq");
    await page.getByLabel("Value").selectOption("done");
    await page.getByLabel("Operator").selectOption("neq");
    expect(await page.getByLabel("Value").inputValue()).toBe("done");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("No row matches.").waitFor();
    expect(page.url()).toBe(`${site.url}/jobs?state=neq.done`);
    expect(site.troubles).toEqual([]);
  });

  it("leave a number alone that is none, and say so", async () => {
    const site = await PageSite.start(sql);
    const page = await site.open(await openContext(), "/things");
    await begin(page, "9007199254740993");
    await page.locator("#cell-input").fill("many");
    await page.keyboard.press("Enter");
    await page.locator(".editor").getByText("This is no number.").waitFor();
    await page.keyboard.press("Escape");
    expect(await thing(site)).toMatchObject({ size: "9007199254740993" });
  });
});
