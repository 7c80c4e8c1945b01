import { describe, expect, it } from "vitest";
import { proxied, proxy } from "./setting.ts";

describe("a proxy that is asked whether it is ready", () => {
  it("says so where the API takes connections, asks it nothing, and passes its own questions on", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await proxied((request, response) => {
      seen.push(request.url);
      response.end("mine");
    });
    expect(await (await fetch(`${url}/.well-known/rocket/readyz`)).text()).toBe("ok\n");
    expect(await (await fetch(`${url}/.well-known/rocket/healthz`)).text()).toBe("ok\n");
    expect(await (await fetch(`${url}/readyz`)).text()).toBe("mine");
    expect(seen).toEqual(["/readyz"]);
  });

  it("says that the API can't be reached, and is healthy itself", async () => {
    // Port 1 is privileged, and nothing listens there.
    const { url } = await proxy("http://127.0.0.1:1");
    const response = await fetch(`${url}/.well-known/rocket/readyz`);
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
      503,
      "The upstream can't be reached.",
    ]);
    expect((await fetch(`${url}/.well-known/rocket/healthz`)).status).toBe(200);
  });
});
