import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, inject, onTestFinished } from "vitest";

/** How long a page may take until it is in a state. */
export const patienceMs = 15_000;

const switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];

/** Opens a window of its own: its own storage, cookies and connections. */
export type OpenContext = (options?: BrowserContextOptions) => Promise<BrowserContext>;

/**
 * Tests in a headless Chromium, one for all of them; left out where none can run.
 *
 * @param more - further switches of its command line
 */
export function describeInBrowser(
  name: string,
  define: (openContext: OpenContext) => void,
  more: readonly string[] = [],
): void {
  const executablePath = inject("chromium");
  describe.skipIf(executablePath === "")(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: [...switches, ...more] });
    });
    afterAll(() => browser.close());
    define(async (options) => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(patienceMs);
      onTestFinished(() => context.close());
      return context;
    });
  });
}

/** The URLs of the WebSockets that pages have open. */
export function watchSockets(context: BrowserContext): Set<Page> {
  const open = new Set<Page>();
  context.on("page", (page) => {
    page.on("close", () => open.delete(page));
    page.on("websocket", (socket) => {
      open.add(page);
      socket.on("close", () => open.delete(page));
    });
  });
  return open;
}
