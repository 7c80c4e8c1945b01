import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PageFile, readInspector } from "../../src/node/page/page-file.ts";
import { temporaryFolder } from "../cli/database.ts";
import { startSite } from "./fixture.ts";

const browser = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const owns = (target: string) => /^(?:\/api)?\/a(?:[/?]|$)/.test(target);

async function typeAt(url: string, headers: Record<string, string> = browser): Promise<string | null> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  return response.headers.get("content-type");
}

const html = "text/html; charset=utf-8";

describe("the page", () => {
  it("is for browsers, at the root and at the origin's URLs; programs get data", async () => {
    const site = await startSite({ page: "inspector", owns });
    for (const path of ["/", "/a", "/a?x=1", "/a/1"]) expect(await typeAt(site.url + path)).toBe(html);
    for (const accept of ["*/*", "application/json", "application/json, text/html"]) {
      expect(await typeAt(`${site.url}/a`, { Accept: accept })).toBe("application/json");
    }
  });

  it("is not where there is nothing for it to show", async () => {
    const site = await startSite({ page: "inspector", owns, shows: (target) => target !== "/a/1" });
    expect(await typeAt(`${site.url}/a/1`)).toMatch(/json/);
    expect(await typeAt(`${site.url}/a`)).toBe(html);
    const { headers } = await fetch(`${site.url}/a/1`, { headers: browser });
    expect(headers.get("vary") ?? "").not.toMatch(/\bAccept\b(?!-)/);
  });

  it("says to a browser that nothing is at a URL, and leads to what there is; programs get the problem", async () => {
    const site = await startSite({ page: "inspector", owns, basePath: "/api" });
    const missing = await fetch(`${site.url}/api/artsts`, { headers: browser });
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, html]);
    expect(missing.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await missing.text()).toContain('<a href="/api/">');
    const problem = await fetch(`${site.url}/api/artsts`);
    expect([problem.status, problem.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    for (const { headers } of [missing, problem]) expect(headers.get("vary")).toMatch(/\bAccept\b(?!-)/);
    // What a peer wrote is no markup.
    const text = await (await fetch(`${site.url}/api/<b>`, { headers: browser })).text();
    expect(text).not.toContain("<b>");
    const bare = await startSite({ owns });
    expect(await typeAt(`${bare.url}/artsts`)).toMatch(/json/);
  });

  it("is named by Vary on both answers, so that no cache confuses them", async () => {
    const site = await startSite({ page: "inspector", owns });
    for (const headers of [browser, { Accept: "application/json" }]) {
      const { headers: fields } = await fetch(`${site.url}/a`, { headers });
      expect(fields.get("vary")).toMatch(/\bAccept\b(?!-)/);
    }
    const root = await fetch(`${site.url}/`);
    expect(root.headers.get("vary")).toMatch(/\bAccept\b(?!-)/);
  });

  it("is not there by default, and answers no write", async () => {
    const bare = await startSite({ owns });
    expect(await typeAt(`${bare.url}/a`)).toBe("application/json");
    const site = await startSite({ page: "inspector", owns });
    const response = await fetch(`${site.url}/a`, { method: "DELETE", headers: browser });
    expect(response.headers.get("content-type")).not.toBe(html);
  });

  it("has an own URL, below the base path, too", async () => {
    const site = await startSite({ page: "inspector", owns, basePath: "/api" });
    for (const path of ["/.well-known/rocket/inspector", "/api/.well-known/rocket/inspector"]) {
      expect(await typeAt(site.url + path, {})).toBe(html);
    }
    const text = await (await fetch(`${site.url}/api/`, { headers: browser })).text();
    expect(text).toContain("&#34;base&#34;:&#34;/api&#34;,&#34;place&#34;:&#34;api&#34;");
  });

  it("is one line where it is to be no more, and the data is not touched", async () => {
    const site = await startSite({ page: "line", owns });
    const response = await fetch(`${site.url}/`, { headers: browser });
    expect(await response.text()).toContain("Programs GET the same URL and are given JSON.");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'none'");
    expect(await typeAt(`${site.url}/a`)).toBe("application/json");
    expect(await typeAt(`${site.url}/.well-known/rocket/inspector`)).not.toBe(html);
  });

  it("is at its own URL only where there is a front end", async () => {
    const publicFolder = join(temporaryFolder(), "public");
    mkdirSync(publicFolder);
    writeFileSync(join(publicFolder, "index.html"), "mine");
    const site = await startSite({ page: "inspector", owns, publicFolder });
    expect(await (await fetch(`${site.url}/`, { headers: browser })).text()).toBe("mine");
    expect(await typeAt(`${site.url}/a`)).toBe("application/json");
    expect(await typeAt(`${site.url}/.well-known/rocket/inspector`)).toBe(html);
  });

  it("tells of files and commands only on this machine, by a name of it", async () => {
    const pageFacts = { name: "secret.db", shell: "sqlite3 secret.db", command: "npx rocket" };
    const local = await startSite({ page: "inspector", pageFacts, allowHosts: ["front.example"] });
    expect(await (await fetch(`${local.url}/`, { headers: browser })).text()).toContain("sqlite3 secret.db");
    const far = await startSite({ page: "inspector", pageFacts }, undefined, "0.0.0.0");
    expect(await (await fetch(`${far.url}/`, { headers: browser })).text()).not.toContain("secret.db");
  });

  it("is not sent again to who has it", async () => {
    const site = await startSite({ page: "inspector", owns });
    const first = await fetch(`${site.url}/`, { headers: browser });
    const etag = first.headers.get("etag") ?? "";
    const second = await fetch(`${site.url}/`, { headers: { ...browser, "If-None-Match": etag } });
    expect([second.status, await second.text()]).toEqual([304, ""]);
  });

  it("is refused as an option that it can't be", async () => {
    await expect(startSite({ page: "all" as "line" })).rejects.toThrow(/^page must be one of/);
  });
});

describe("a page's file", () => {
  const script = 'console.log("<b>");';
  const file = new PageFile(
    `<meta name="rocket" content=""><style>a{}</style><script type="module">${script}</script>`,
  );

  it("lets only what is written in it run", () => {
    const { fields } = file.answer({});
    const policy = fields.find(([name]) => name === "Content-Security-Policy")?.[1] ?? "";
    const hash = createHash("sha256").update(script).digest("base64");
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `script-src 'sha256-${hash}'`,
      `style-src 'sha256-${createHash("sha256").update("a{}").digest("base64")}'`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it("takes no markup from facts", () => {
    const body = String(file.answer({ name: '"><script>alert(1)</script>&' }).body);
    expect(body.match(/<script/g)).toHaveLength(1);
    expect(body).toContain("&#92;&#34;&#62;&#60;script&#62;".replace("&#92;", "\\"));
  });

  it("says how to make it where it was not built", () => {
    const { body } = readInspector("/no/such/file.html").answer({});
    expect(body).toContain("npm run build");
  });
});
