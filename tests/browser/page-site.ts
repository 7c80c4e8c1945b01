import { join } from "node:path";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { createMusic } from "../../examples/music/create.js";
import { serve } from "../cli/command.ts";
import { runSql, temporaryFolder } from "../cli/database.ts";

/** A page that shows a database, and what a person does with it. */
export class PageSite {
  readonly database: string;
  readonly url: string;
  /** What went wrong in pages: errors, and what their policy forbids. */
  readonly troubles: string[] = [];
  /** The hosts that pages have asked. */
  readonly hosts: Set<string> = new Set();

  private constructor(database: string, url: string) {
    this.database = database;
    this.url = url;
  }

  /** Serves the music database, after some SQL was run in it. */
  static async start(sql = "", ...flags: readonly string[]): Promise<PageSite> {
    const database = join(temporaryFolder(), "music.db");
    createMusic(database);
    if (sql !== "") runSql(database, sql);
    const { url } = await serve(database, "--port", "0", ...flags);
    return new PageSite(database, url);
  }

  /** Runs SQL as another program does. */
  run(sql: string): void {
    runSql(this.database, sql);
  }

  /** Opens a path, and waits until it is live. */
  async open(context: BrowserContext, path = "/"): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => this.troubles.push(String(error)));
    page.on("console", (message) => {
      // That a write is refused is said by the browser, too.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) this.troubles.push(message.text());
    });
    page.on("request", (request) => this.hosts.add(new URL(request.url()).host));
    await page.goto(this.url + path);
    await page.locator(".status.is-live").waitFor();
    return page;
  }
}

/** A cell by all of its text. */
export function cell(page: Page, text: string): Locator {
  return page.getByRole("gridcell", { name: text, exact: true });
}

/** Edits a cell as a person does. */
export async function edit(page: Page, from: string, to: string): Promise<void> {
  await cell(page, from).dblclick();
  await page.locator("#cell-input").fill(to);
  await page.keyboard.press("Enter");
}
