import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { startRecords } from "../client/records-site.ts";
import { describeInBrowser } from "./browser.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));

const html = `<!doctype html><title>records</title><script type="module">
  import { createClient } from "./client/index.js";
  globalThis.createClient = createClient;
</script>`;

declare global {
  /** What the page offers to the test. */
  var createClient: typeof import("../../src/client/index.ts").createClient;
}

/** A site of another origin than the records', with the built client. */
async function startPages(): Promise<string> {
  const server = createServer(({ url = "/" }, response) => {
    const isScript = /^\/(?:client|filter|protocol)\/[a-z0-9-]+\.js$/.test(url);
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    if (isScript) createReadStream(dist + url).pipe(response);
    else response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describeInBrowser("a page of another origin whose requests go over the socket", (openContext) => {
  it("loads ten records and writes one, with one connection and no CORS preflight", async () => {
    const pages = await startPages();
    const site = await startRecords({ allowOrigins: [pages] });
    const page = await (await openContext()).newPage();
    await page.goto(pages);
    await page.waitForFunction(() => globalThis.createClient !== undefined);
    const shown = await page.evaluate(async (url) => {
      const client = globalThis.createClient(url, { requests: "socket", token: "secret", tabs: false });
      client.collection("/records").subscribe(() => {});
      const load = async (id: number): Promise<string> => (await client.fetch(`/records/${id}`)).text();
      const bodies = await Promise.all(Array.from({ length: 10 }, (_, at) => load(at + 1)));
      const { text } = await client.record<{ text: string }>("/records/7").update({ text: "sieben" });
      client.close();
      return [...bodies.map((body) => JSON.parse(body).record.text), text];
    }, site.url);
    expect(shown).toEqual([...Array.from({ length: 10 }, (_, at) => `text ${at + 1}`), "sieben"]);
    expect(await site.texts()).toContain("sieben");
    expect(site.requests).toEqual([]);
    expect(site.connections.upgraded).toBe(1);
    expect(site.seen.filter(({ isInBand }) => isInBand)).toHaveLength(11);
  });
});
