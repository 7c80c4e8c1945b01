import { expect, it } from "vitest";
import { encodeRequest, wellKnownPath } from "../../src/protocol/index.ts";
import { describeInBrowser } from "../browser/browser.ts";
import { frontKinds } from "./front-kinds.ts";
import { siteName } from "./fronts.ts";
import { startBehind } from "./site-behind.ts";

/** What a page of the site does without a library: it subscribes, and tells of the first status lines. */
function subscribe({ url, request }: { readonly url: string; readonly request: string }): void {
  const told: string[] = [];
  const socket = new WebSocket(url, ["rocket.v1"]);
  socket.onopen = () => socket.send(request);
  socket.onmessage = ({ data }) => told.push(String(data).split("\r\n", 1)[0] ?? "");
  Object.assign(globalThis, { told });
}

function navigationProtocol(): string | undefined {
  return (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined)?.nextHopProtocol;
}

/** Chromium's own way to say that a name is this machine. */
const thisMachine = [`--host-resolver-rules=MAP ${siteName} 127.0.0.1`];

describeInBrowser(
  "Chromium's own WebSocket, in a page of a site",
  (openContext) => {
    for (const kind of frontKinds) {
      it.skipIf(kind.missing !== "")(`goes through ${kind.name}, over TLS and beside HTTP/2 [R-RES-5]`, async () => {
        const { front, add } = await startBehind(kind);
        const context = await openContext({ ignoreHTTPSErrors: true });
        const page = await context.newPage();
        const response = await page.goto(`${front.origin}/api/artists`);
        expect(response?.status()).toBe(200);
        expect(await page.evaluate(navigationProtocol)).toBe("h2");
        const request = String(
          encodeRequest({ method: "SUBSCRIBE", target: "/api/artists", fields: [["Request-ID", "1"]] }),
        );
        await page.evaluate(subscribe, { url: `${front.origin.replace("https", "wss")}/api${wellKnownPath}`, request });
        const until = (count: number) =>
          page.waitForFunction((wanted) => (globalThis as never as { told: string[] }).told.length >= wanted, count);
        await until(3);
        await add("Faust");
        await until(4);
        const told = await page.evaluate(() => (globalThis as never as { told: string[] }).told);
        expect(told).toEqual([
          "HTTP/1.1 200 OK",
          "HTTP/1.1 200 OK",
          "HTTP/1.1 304 Not Modified",
          "HTTP/1.1 201 Created",
        ]);
      });
    }
  },
  thisMachine,
);
