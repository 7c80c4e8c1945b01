import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../src/testing/index.ts";
import { isWell, startSite } from "./fixture.ts";

async function ask(url: string, init?: RequestInit): Promise<readonly [status: number, text: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

/** Asks by a Host of the caller's own. */
function askAs(host: string, port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });
}

const detailOf = (text: string): string => (JSON.parse(text) as { readonly detail: string }).detail;

describe("the questions of a balancer", () => {
  it("are answered while the server runs and is ready", async () => {
    const site = await startSite({ ready: async () => undefined });
    for (const path of ["/healthz", "/readyz", "/.well-known/rocket/healthz", "/.well-known/rocket/readyz?a=1"]) {
      expect(await ask(site.url + path)).toEqual([200, "ok\n"]);
    }
    const head = await fetch(`${site.url}/readyz`, { method: "HEAD" });
    expect([head.status, head.headers.get("cache-control"), await head.text()]).toEqual([200, "no-store", ""]);
  });

  it("say in a sentence why the server is not ready, while it is healthy", async () => {
    const state: { trouble: string | undefined } = { trouble: "The cellar is flooded." };
    const site = await startSite({ ready: async () => state.trouble });
    const [status, text] = await ask(`${site.url}/readyz`);
    expect([status, detailOf(text)]).toEqual([503, "The cellar is flooded."]);
    expect(await ask(`${site.url}/healthz`)).toEqual([200, "ok\n"]);
    state.trouble = undefined;
    expect(await ask(`${site.url}/readyz`)).toEqual([200, "ok\n"]);
  });

  it("tell nobody but the operator what was thrown", async () => {
    const site = await startSite({ ready: () => Promise.reject(new Error("a secret")) });
    const [status, text] = await ask(`${site.url}/readyz`);
    expect([status, detailOf(text)]).toEqual([503, "It could not be found out."]);
    expect(site.errors).toEqual(["ready: Error: a secret"]);
  });

  it("take what is slow for trouble, and look once for all who ask meanwhile", async () => {
    const clock = createFakeClock();
    let looks = 0;
    const asked: (() => void)[] = [];
    const ready = () => {
      looks += 1;
      for (const one of asked) one();
      return new Promise<undefined>(() => {});
    };
    const site = await startSite({ ready, clock });
    const looked = new Promise<void>((resolve) => asked.push(resolve));
    const answers = [ask(`${site.url}/readyz`), ask(`${site.url}/readyz`)];
    await looked;
    await ask(`${site.url}/healthz`);
    clock.advance(2_000);
    for (const [status, text] of await Promise.all(answers)) {
      expect([status, detailOf(text)]).toEqual([503, "No answer came within 2 s."]);
    }
    expect(looks).toBe(1);
  });

  it("are answered for every Host, and other URLs are not", async () => {
    const site = await startSite({ ready: async () => undefined });
    expect(await askAs("10.0.0.5:8080", site.port, "/readyz")).toBe(200);
    expect(await askAs("10.0.0.5:8080", site.port, "/a")).toBe(421);
  });

  it("take GET and HEAD only", async () => {
    const site = await startSite({ ready: async () => undefined });
    const response = await fetch(`${site.url}/healthz`, { method: "POST", body: "x" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await isWell(site)).toBe(true);
  });

  it("leave short URLs to an origin that has them, or that says nothing of itself", async () => {
    const site = await startSite({ ready: async () => undefined, owns: (target) => target === "/healthz" });
    expect((await ask(`${site.url}/healthz`))[0]).toBe(404);
    expect(await ask(`${site.url}/.well-known/rocket/healthz`)).toEqual([200, "ok\n"]);
    const bare = await startSite();
    expect((await ask(`${bare.url}/readyz`))[0]).toBe(404);
    expect(await ask(`${bare.url}/.well-known/rocket/readyz`)).toEqual([200, "ok\n"]);
  });

  it("are asked with the base path and without it", async () => {
    const site = await startSite({ ready: async () => undefined, basePath: "/api" });
    for (const path of ["/healthz", "/api/healthz", "/api/.well-known/rocket/readyz", "/.well-known/rocket/readyz"]) {
      expect(await ask(site.url + path)).toEqual([200, "ok\n"]);
    }
  });
});
