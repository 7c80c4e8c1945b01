import { describe, expect, it, onTestFinished } from "vitest";
import type { ExchangeHandler } from "../../src/proxy/exchange.ts";
import { Upstream } from "../../src/proxy/upstream.ts";
import { BasePath } from "../../src/server/index.ts";
import { upstream } from "./setting.ts";

/** One exchange, begun as told; resolves with its status. */
function exchanged(begin: (handler: ExchangeHandler) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    begin({
      onRequestStart: () => {},
      onResponseStart: (_control, given) => {
        status = given;
      },
      onResponseData: () => {},
      onResponseEnd: () => resolve(status),
      onResponseError: (_control, error) => reject(error),
    });
  });
}

describe("the upstream", () => {
  it("is sent the last repeat over a new connection, though there are kept-alive ones", async () => {
    const ports: (number | undefined)[] = [];
    const { url } = await upstream((incoming, response) => {
      ports.push(incoming.socket.remotePort);
      response.end();
    });
    const api = new Upstream(new URL(url), 5_000, 1, new BasePath());
    onTestFinished(() => api.close());
    const request = { method: "GET", target: "/", fields: ["Host", "localhost"] };
    const begins: ((handler: ExchangeHandler) => void)[] = [
      (handler) => api.exchange(request, handler),
      (handler) => api.repeat(1, request, handler),
      (handler) => api.repeat(0, request, handler),
      (handler) => api.exchange(request, handler),
    ];
    for (const begin of begins) expect(await exchanged(begin)).toBe(200);
    const [first, again, anew, later] = ports;
    expect([again, later]).toEqual([first, first]);
    expect(anew).not.toBe(first);
  });
});
