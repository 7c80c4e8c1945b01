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
    await page.getByRole("button", { name: "Save" }).click();
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
