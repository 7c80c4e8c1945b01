import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { isHashedName } from "../../src/node/hashed-name.ts";
import { startSite } from "./fixture.ts";

const script = "export const answer = 42;\n".repeat(100);

/** A server of a folder with such files; gives its URL and the folder. */
async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<{ url: string; folder: string }> {
  const base = mkdtempSync(join(tmpdir(), "rocket-coding-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, "public");
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const { url } = await startSite({ publicFolder: folder, owns: () => false });
  return { url, folder };
}

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

function get(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) });
      });
    });
    outgoing.on("error", reject).end();
  });
}

describe("a file's name", () => {
  it.each([
    "main.3f2a9c1b.js",
    "main.3f2a9c1b.chunk.css.map",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9-a1b2c3d4.woff2",
    "assets/index-BX3k2a1c.js",
    "assets/index-DiwrgTda.css",
    "assets/react_-C-9_Xq3K.js",
    "static/chunk-X7K2ABCD.js",
    "_astro/page.Bq3kd0_T.css",
  ])("says that what it names never changes: %s", (path) => {
    expect(isHashedName(path.split("/"))).toBe(true);
  });

  it.each([
    "index.html",
    "app.js",
    "my-component.js",
    "photo-20240101.jpg",
    "report-v2final1.pdf",
    "vendor-BX3k2a1c.js",
    "assets/my-chapters.js",
    "assets/photo-20240101.jpg",
    "assets/chapter-sections.css",
    "feedfacedeadbeef",
    "a-defaced.txt",
  ])("says no such thing: %s", (path) => {
    expect(isHashedName(path.split("/"))).toBe(false);
  });
});

describe("a file of a public folder", () => {
  it("is kept for a year where its name has a digest, else asked for again", async () => {
    const { url } = await folderOf({ "assets/index-BX3k2a1c.js": script, "app.js": script });
    const hashed = await get(`${url}/assets/index-BX3k2a1c.js`);
    expect(hashed.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await get(`${url}/app.js`)).headers["cache-control"]).toBe("public, max-age=0");
  });

  it("is sent as the compressed file beside it, where that is wanted", async () => {
    const [br, gz] = [brotliCompressSync(script), gzipSync(script)];
    const { url } = await folderOf({ "app.js": script, "app.js.br": br, "app.js.gz": gz });
    for (const [wanted, coding, bytes] of [
      ["br, gzip", "br", br],
      ["gzip", "gzip", gz],
      ["", undefined, Buffer.from(script)],
    ] as const) {
      const answer = await get(`${url}/app.js?v=1`, { "Accept-Encoding": wanted });
      expect(answer.bytes.equals(bytes)).toBe(true);
      expect(answer.headers).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        vary: "Accept-Encoding",
      });
      expect([answer.headers["content-encoding"], answer.headers["content-length"]]).toEqual([
        coding,
        `${bytes.length}`,
      ]);
      const known = { "Accept-Encoding": wanted, "If-None-Match": answer.headers.etag ?? "" };
      expect((await get(`${url}/app.js`, known)).status).toBe(304);
    }
    expect((await get(`${url}/app.js`, { "Accept-Encoding": "br" }, "HEAD")).headers["content-encoding"]).toBe("br");
  });

  it("is sent so as the index, too, of the start page, of a folder and of pages that only the front end knows", async () => {
    const { url } = await folderOf({
      ...{ "index.html": "plain", "index.html.br": "start" },
      ...{ "docs/index.html": "plain", "docs/index.html.br": "docs" },
    });
    const headers = { Accept: "text/html", "Accept-Encoding": "br" };
    const answers = await Promise.all(["/", "/docs/", "/a/b"].map((path) => get(`${url}${path}`, headers)));
    expect(answers.map(({ bytes }) => `${bytes}`)).toEqual(["start", "docs", "start"]);
    expect(answers.map(({ headers }) => headers["content-type"])).toEqual(Array(3).fill("text/html; charset=utf-8"));
    const moved = await get(`${url}/docs`, headers);
    expect([moved.status, moved.headers.location, moved.headers["content-encoding"]]).toEqual([
      301,
      "/docs/",
      undefined,
    ]);
  });

  it("is compressed on the fly where it is text and none is beside it", async () => {
    const { url } = await folderOf({ "app.js": script, "small.js": "a", "photo.png": script });
    const answer = await get(`${url}/app.js`, { "Accept-Encoding": "gzip" });
    expect(answer.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(`${gunzipSync(answer.bytes)}`).toBe(script);
    expect(answer.headers.etag).toMatch(/^W\//);
    for (const name of ["small.js", "photo.png"]) {
      const plain = await get(`${url}/${name}`, { "Accept-Encoding": "gzip" });
      expect([plain.status, plain.headers["content-encoding"]]).toEqual([200, undefined]);
    }
    const known = await get(`${url}/app.js`, { "Accept-Encoding": "gzip", "If-None-Match": answer.headers.etag ?? "" });
    expect([known.status, known.headers["content-encoding"], known.bytes.length]).toEqual([304, undefined, 0]);
  });

  it("is sent in parts of its own bytes", async () => {
    const { url } = await folderOf({ "app.js": script });
    const part = await get(`${url}/app.js`, { "Accept-Encoding": "gzip", Range: "bytes=0-2000" });
    expect([part.status, part.headers["content-encoding"], `${part.bytes}`]).toEqual([
      206,
      undefined,
      script.slice(0, 2001),
    ]);
  });

  it("has no compressed form outside the folder", async () => {
    const { url, folder } = await folderOf({ "app.js": "small" });
    writeFileSync(join(folder, "..", "secret"), "SECRET");
    symlinkSync(join(folder, "..", "secret"), join(folder, "app.js.br"));
    expect(`${(await get(`${url}/app.js`, { "Accept-Encoding": "br" })).bytes}`).toBe("small");
  });
});
