import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { chooseCoding } from "../../src/node/compression.ts";
import { createServer } from "../../src/node/index.ts";
import type { Field } from "../../src/protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../src/server/index.ts";
import { serve } from "../scaffold/sqlite/service.ts";
import { startSite } from "./fixture.ts";

const body = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: "ä".repeat(3) })));

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** A request whose answer is not decoded. */
function ask(url: string, headers: Record<string, string> = {}, method = "GET", content = ""): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) });
      });
    });
    outgoing.on("error", reject).end(content);
  });
}

/** A site whose origin answers everything so; and what it was asked. */
async function answering(
  fields: readonly Field[],
  text = body,
  status = 200,
): Promise<{ url: string; asked: OriginRequest[] }> {
  const asked: OriginRequest[] = [];
  const answer: OriginResponse = { status, fields: [["Content-Type", "application/json"], ...fields], body: text };
  const { url } = await startSite({}, () => async (request) => {
    asked.push(request);
    return answer;
  });
  return { url, asked };
}

describe("the coding of an answer", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["gzip", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["BR;Q=0.1, gzip;q=0.2", "gzip"],
    ["br;q=0, *", "gzip"],
    ["*", "br"],
    ["*;q=0", undefined],
    ["identity", undefined],
    ["identity, gzip;q=0.5", undefined],
    ["gzip;q=nonsense", undefined],
    ["deflate", undefined],
  ] as const)("for Accept-Encoding %j is %s", (accept, coding) => {
    expect(chooseCoding(accept, ["br", "gzip"])).toBe(coding);
  });
});

describe("a large answer in JSON", () => {
  it.each([
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const)("is sent as %s to who wants that, with an entity tag of its own [R-FLD-11]", async (coding, decode) => {
    const { url } = await answering([["ETag", '"x"']]);
    const { headers, bytes } = await ask(`${url}/a`, { "Accept-Encoding": coding });
    expect(headers).toMatchObject({ "content-encoding": coding, etag: `"x;${coding}"`, vary: "Accept-Encoding" });
    expect(headers["content-length"]).toBe(`${bytes.length}`);
    expect(decode(bytes).toString()).toBe(body);
    expect(bytes.length).toBeLessThan(Buffer.byteLength(body) / 3);
  });

  it("is one of many lines, too", async () => {
    const fields: Field[] = [["Content-Type", "application/x-ndjson"]];
    const { url } = await startSite({}, () => async () => ({ status: 200, fields, body }));
    const { headers, bytes } = await ask(`${url}/a`, { "Accept-Encoding": "gzip" });
    expect([headers["content-encoding"], gunzipSync(bytes).toString()]).toEqual(["gzip", body]);
  });

  it("is sent as it is to who wants no coding, and caches know", async () => {
    const { url } = await answering([["ETag", '"x"']]);
    for (const method of ["GET", "HEAD"]) {
      const { headers, bytes } = await ask(`${url}/a`, method === "HEAD" ? { "Accept-Encoding": "gzip" } : {}, method);
      expect(headers).toMatchObject({ etag: '"x"', vary: "Accept-Encoding" });
      expect(headers["content-encoding"]).toBeUndefined();
      expect(bytes.toString()).toBe(method === "GET" ? body : "");
    }
  });

  it.each([
    ["of 1 KiB", [], "x".repeat(1024), "GET"],
    ["of another type", [["Content-Type", "image/png"]], body, "GET"],
    ["that must not be changed", [["Cache-Control", "private, no-transform"]], body, "GET"],
    ["that is coded already", [["Content-Encoding", "zstd"]], body, "GET"],
    ["to a write", [], body, "POST"],
  ] as const)("is left as it is: one %s", async (_what, fields, text, method) => {
    const asked = await startSite({}, () => async () => {
      const type: Field[] = fields.some(([name]) => name === "Content-Type") ? [] : [["Content-Type", "text/plain"]];
      return { status: 200, fields: [...type, ...fields, ["ETag", '"x"']], body: text };
    });
    const { headers, bytes } = await ask(`${asked.url}/a`, { "Accept-Encoding": "br, gzip" }, method);
    expect(headers["content-encoding"]).toBe(fields.find(([name]) => name === "Content-Encoding")?.[1]);
    expect([headers.etag, bytes.toString()]).toEqual(['"x"', text]);
  });

  it("keeps a weak entity tag, which is that of all codings", async () => {
    const { url } = await answering([["ETag", 'W/"x"']]);
    expect((await ask(`${url}/a`, { "Accept-Encoding": "br" })).headers.etag).toBe('W/"x"');
  });

  it("is asked for by the entity tag of any coding, which the origin gets without [R-FLD-11]", async () => {
    const { url, asked } = await answering([["ETag", '"x"']], "", 304);
    for (const [tag, said] of [
      ['"x;gzip"', '"x;gzip"'],
      ['W/"x;br"', '"x;br"'],
      ['"a", "x"', '"x"'],
    ] as const) {
      const { status, headers } = await ask(`${url}/a`, { "If-None-Match": tag, "If-Match": tag });
      expect([status, headers.etag, headers.vary]).toEqual([304, said, "Accept-Encoding"]);
    }
    const lists = asked.map(({ fields }) =>
      fields.filter(([name]) => name.startsWith("If-")).map(([, value]) => value),
    );
    expect(lists).toEqual([
      ['"x"', '"x"'],
      ['W/"x"', 'W/"x"'],
      ['"a", "x"', '"a", "x"'],
    ]);
  });

  it("gives an entity tag that a write can be guarded with [R-FLD-11]", async () => {
    const service = await serve("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
    service.other.prepare("INSERT INTO notes VALUES (1, ?)").run("long ".repeat(1000));
    const server = createServer({ ...service.scaffold, drainMs: 0 });
    const { port } = await server.listen(0);
    onTestFinished(() => server.close());
    const url = `http://127.0.0.1:${port}/notes/1`;
    const { headers } = await ask(url, { "Accept-Encoding": "gzip" });
    expect(headers["content-encoding"]).toBe("gzip");
    const guarded = { "Content-Type": "application/json", "If-Match": headers.etag ?? "" };
    expect((await ask(url, { "If-None-Match": headers.etag ?? "" })).status).toBe(304);
    expect((await ask(url, guarded, "PATCH", '{"text":"short"}')).status).toBe(200);
    expect((await ask(url, guarded, "PATCH", '{"text":"lost"}')).status).toBe(412);
  });
});
