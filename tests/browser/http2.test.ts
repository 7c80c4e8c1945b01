import { TLSSocket } from "node:tls";
import { expect, it } from "vitest";
import { server as tls } from "../node/attach/certificates.ts";
import { startSite } from "../node/fixture.ts";
import { describeInBrowser } from "./browser.ts";

/** What a page without a library does: it follows a URL, and keeps the first status lines. */
function follow(url: string): void {
  const told: string[] = [];
  const socket = new WebSocket(url, ["rocket.v1"]);
  socket.onmessage = ({ data }) => told.push(String(data).split("\r\n", 1)[0] ?? "");
  Object.assign(globalThis, { told });
}

describeInBrowser("Chromium", (openContext) => {
  it("opens its WebSocket on a stream of the HTTP/2 session that its page came by [R-H2-1]", async () => {
    const site = await startSite({ tls });
    site.put(1);
    const below: boolean[] = [];
    site.rocket.server.on("upgrade", (_request, socket) => below.push(socket instanceof TLSSocket));
    const page = await (await openContext({ ignoreHTTPSErrors: true })).newPage();
    const response = await page.goto(`https://localhost:${site.port}/a`);
    expect(response?.status()).toBe(200);
    await page.evaluate(follow, `wss://localhost:${site.port}/a`);
    const until = (count: number) =>
      page.waitForFunction((wanted) => (globalThis as never as { told: string[] }).told.length >= wanted, count);
    await until(2);
    site.put(2);
    await until(3);
    expect(await page.evaluate(() => (globalThis as never as { told: string[] }).told)).toEqual([
      "HTTP/1.1 200 OK",
      "HTTP/1.1 304 Not Modified",
      "HTTP/1.1 201 Created",
    ]);
    expect(below).toEqual([false]);
  });
});
