import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createServer, type ServerOptions } from "../../src/node/index.ts";
import { dial, dialRaw, isWell, type Site, startSite } from "./fixture.ts";

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const files = {
  "index.html": "<title>start</title>",
  "app.js": "export const answer = 42;",
  "style.css": "a{}",
  "assets/logo-1a2b.svg": "<svg/>",
  "docs/index.html": "<title>docs</title>",
  "a b.txt": "spaced",
  ".env": "SECRET=1",
  ".git/config": "SECRET=2",
  "sub/.hidden": "SECRET=3",
  "a/1": "a file that the origin hides",
  noext: "no extension",
};

/** A folder with the files, beside a file that must not be seen. */
function makeFolder(): string {
  const base = mkdtempSync(join(tmpdir(), "rocket-public-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, "public");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(base, "secret.txt"), "SECRET=4");
  mkdirSync(join(base, "public-not"));
  writeFileSync(join(base, "public-not", "x.txt"), "SECRET=5");
  return folder;
}

interface FolderSite extends Site {
  readonly folder: string;
}

async function startFolder(options: Partial<ServerOptions> = {}): Promise<FolderSite> {
  const folder = makeFolder();
  const owns = (target: string) => /^\/[ab](?:[/?]|$)/.test(target);
  const site = await startSite({ publicFolder: folder, owns, ...options });
  return { ...site, folder };
}

function get(site: Site, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return fetch(`${site.url}${path}`, { method, headers, redirect: "manual" });
}

interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** As `get`, with the path and the fields just as they are: `fetch` changes both. */
function getRaw(site: Site, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: site.port, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject).end();
  });
}

/** Closes a file to this process, which must not be root then. */
function closeFile(path: string): void {
  chmodSync(path, 0);
  if (process.getuid?.() !== 0) return;
  chmodSync(dirname(dirname(path)), 0o755);
  process.seteuid?.(65534);
  onTestFinished(() => process.seteuid?.(0));
}

describe("a file of the public folder", () => {
  it.each([
    ["/app.js", "text/javascript; charset=utf-8", files["app.js"]],
    ["/style.css?v=2", "text/css; charset=utf-8", "a{}"],
    ["/assets/logo-1a2b.svg", "image/svg+xml", "<svg/>"],
    ["/index.html", "text/html; charset=utf-8", files["index.html"]],
    ["/docs/", "text/html; charset=utf-8", files["docs/index.html"]],
    ["/a%20b.txt", "text/plain; charset=utf-8", "spaced"],
    ["/noext", "application/octet-stream", "no extension"],
  ])("is answered with its type and validators, whatever is accepted: %s", async (path, type, text) => {
    const site = await startFolder();
    for (const accept of ["*/*", browser, "application/json"]) {
      const response = await get(site, path, { Accept: accept });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("cache-control")).toBe("public, max-age=0");
      expect(response.headers.get("last-modified")).not.toBeNull();
      expect(await response.text()).toBe(text);
    }
  });

  it("is answered with 304 to who has it, and in part to who wants a range", async () => {
    const site = await startFolder();
    const { headers } = await get(site, "/app.js");

    const known = await getRaw(site, "/app.js", { "If-None-Match": headers.get("etag") ?? "" });
    const unmodified = await getRaw(site, "/app.js", { "If-Modified-Since": headers.get("last-modified") ?? "" });
    const part = await get(site, "/app.js", { Range: "bytes=0-5" });
    const none = await get(site, "/app.js", { Range: "bytes=900-" });

    expect([known, unmodified.status]).toEqual([{ status: 304, text: "" }, 304]);
    expect([part.status, await part.text()]).toEqual([206, "export"]);
    expect([none.status, none.headers.get("content-range")]).toEqual([416, "bytes */25"]);
    expect(none.headers.get("content-type")).toBe("application/problem+json");
  });

  it("is answered to HEAD without its body", async () => {
    const site = await startFolder();
    const response = await get(site, "/app.js", {}, "HEAD");
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, "25", ""]);
  });

  it("is answered as it is now, also where the folder was built anew", async () => {
    const site = await startFolder();
    renameSync(site.folder, `${site.folder}-old`);
    expect((await get(site, "/app.js")).status).toBe(404);
    mkdirSync(site.folder);
    writeFileSync(join(site.folder, "app.js"), "new");
    expect(await (await get(site, "/app.js")).text()).toBe("new");
  });

  it("is not answered to other methods, nor in place of what the origin owns", async () => {
    const site = await startFolder();
    site.put(1, { name: "x" });
    expect((await get(site, "/app.js", {}, "POST")).status).toBe(404);
    expect(await (await get(site, "/a/1", { Accept: browser })).text()).toBe('{"record":{"id":1,"name":"x"}}');
    expect((await get(site, "/a/9", { Accept: browser })).headers.get("content-type")).toBe("application/problem+json");
  });

  it("comes before the origin where that owns nothing", async () => {
    const folder = makeFolder();
    const site = await startSite({ publicFolder: folder });
    site.put(1);
    site.put(2);
    expect(await (await get(site, "/a/1")).text()).toBe(files["a/1"]);
    expect((await get(site, "/a/2")).headers.get("content-type")).toBe("application/json");
  });

  it("that can't be read is a 500 that tells nothing, and ends nothing", async () => {
    const site = await startFolder();
    closeFile(join(site.folder, "app.js"));
    const response = await get(site, "/app.js");
    expect([response.status, response.headers.get("etag")]).toEqual([500, null]);
    expect(await response.json()).toMatchObject({ detail: "The file could not be read." });
    expect(site.errors).toEqual([expect.stringContaining("public: ")]);
    expect(await isWell(site)).toBe(true);
  });
});

describe("what must not be seen", () => {
  const refused = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/../../secret.txt",
    "/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "//../secret.txt",
    "/../public-not/x.txt",
    "/.env",
    "/.git/config",
    "/.git/",
    "/sub/.hidden",
    "/%2eenv",
    "/./app.js",
    "/app.js%00",
    "/%00",
    "/app.js%",
    "/link.txt",
    "/link/x.txt",
    "/link/",
    "/loop/x",
    "/dangling.txt",
  ];

  it.each(refused)("is left to the origin, for a browser too: %s", async (path) => {
    const site = await startFolder();
    symlinkSync(join(site.folder, "..", "secret.txt"), join(site.folder, "link.txt"));
    symlinkSync(join(site.folder, "..", "public-not"), join(site.folder, "link"));
    symlinkSync("loop", join(site.folder, "loop"));
    symlinkSync("nowhere.txt", join(site.folder, "dangling.txt"));
    const isPage = !/[.%]/.test(path);
    for (const accept of ["*/*", browser]) {
      const { status, text } = await getRaw(site, path, { Accept: accept });
      expect(text).not.toContain("SECRET");
      const isIndex = isPage && accept === browser;
      expect([path, status, text === files["index.html"]]).toEqual([path, isIndex ? 200 : 404, isIndex]);
    }
    expect(site.errors).toEqual([]);
  });

  it("is not what a link inside the folder leads to", async () => {
    const site = await startFolder();
    symlinkSync(join(site.folder, "assets"), join(site.folder, "static"));
    expect(await (await get(site, "/static/logo-1a2b.svg")).text()).toBe("<svg/>");
  });

  it("does not loop where an index is a link to its own folder", async () => {
    const site = await startFolder();
    mkdirSync(join(site.folder, "odd"));
    symlinkSync(".", join(site.folder, "odd", "index.html"));
    expect((await get(site, "/odd/")).status).toBe(404);
  });
});

describe("the index of the public folder", () => {
  it("is the start page of browsers; others get the origin's, and caches know", async () => {
    const site = await startFolder({ origin: async () => ({ status: 200, fields: [], body: "origin" }) });
    const page = await get(site, "/?x=1", { Accept: browser });
    expect([page.headers.get("content-type"), page.headers.get("vary")]).toEqual([
      "text/html; charset=utf-8",
      "Accept, Accept-Encoding",
    ]);
    expect(await page.text()).toBe(files["index.html"]);
    for (const accept of ["*/*", "application/json", "text/html;q=0.5, application/json", "text/plain"]) {
      const data = await get(site, "/", { Accept: accept });
      expect([await data.text(), data.headers.get("vary")]).toEqual(["origin", "Accept"]);
    }
  });

  it.each([
    ["/people", browser, true],
    ["/people/7/edit?tab=1", browser, true],
    ["/people/", "text/html", true],
    ["/people", "text/*", true],
    ["/people", "*/*", false],
    ["/people", "application/json, text/html;q=0.9", false],
    ["/people", "text/html;q=0", false],
    ["/people/photo.png", browser, false],
    ["/old.html", browser, false],
    ["/.well-known/security", browser, false],
  ])("is the page of %s for %s: %j", async (path, accept, isPage) => {
    const site = await startFolder();
    const response = await get(site, path, { Accept: accept });
    expect([response.status, (await response.text()) === files["index.html"]]).toEqual([isPage ? 200 : 404, isPage]);
  });

  it("is not needed: without one the origin answers", async () => {
    const site = await startFolder();
    rmSync(join(site.folder, "index.html"));
    expect((await get(site, "/people", { Accept: browser })).status).toBe(404);
  });

  it("of another folder is reached by its name with a slash", async () => {
    const site = await startFolder();
    const response = await get(site, "/docs");
    expect([response.status, response.headers.get("location")]).toEqual([301, "/docs/"]);
    const { status, text } = await getRaw(site, "//docs");
    expect([status, text.includes("//")]).toEqual([301, false]);
  });
});

describe("a server with a public folder", () => {
  it("applies the rules for Host, and tells listed pages that they may read [R-SEC-2]", async () => {
    const site = await startFolder({ allowOrigins: ["https://app.example.com"] });
    const raw = await dialRaw(site, "GET /app.js HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n");
    expect(await raw.ended).toMatch(/^HTTP\/1.1 421 /);
    const file = await get(site, "/app.js", { Origin: "https://app.example.com" });
    expect(file.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    const page = await get(site, "/x", { Origin: "https://app.example.com", Accept: browser });
    expect(page.headers.get("vary")).toBe("Accept, Origin, Accept-Encoding");
  });

  it("goes on with WebSockets and the well-known URL as without", async () => {
    const site = await startFolder();
    const client = await dial(site, "/a");
    expect((await client.until(({ status }) => status === 304)).status).toBe(304);
    expect((await get(site, "/.well-known/rocket", { Accept: browser })).headers.get("content-type")).toBe(
      "application/json",
    );
    await expect(dial(site, "/app.js", { protocols: [] })).rejects.toThrow("refused with 404");
    expect(await isWell(site)).toBe(true);
  });

  it("survives peers that leave in the middle of a file", async () => {
    const site = await startFolder();
    writeFileSync(join(site.folder, "big.bin"), Buffer.alloc(8 * 1024 * 1024));
    const raw = await dialRaw(site, `GET /big.bin HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\n\r\n`);
    await raw.until(/^HTTP\/1.1 200 /);
    raw.socket.destroy();
    expect(await isWell(site)).toBe(true);
    expect(site.errors).toEqual([]);
  });

  it("is not made of a folder that is not there", () => {
    const origin = async () => ({ status: 200, fields: [], body: "" });
    const folder = makeFolder();
    for (const path of ["", join(folder, "none"), join(folder, "app.js")]) {
      expect(() => createServer({ origin, publicFolder: path })).toThrow(`publicFolder: there is no folder "${path}"`);
    }
  });
});
