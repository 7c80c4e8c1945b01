import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { createServer, type RequestListener } from "node:http";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { AppOrigin } from "../../../src/node/attach/app-origin.ts";
import type { Field } from "../../../src/protocol/index.ts";
import type { OriginResponse } from "../../../src/server/index.ts";
import { atEnd } from "./cleanup.ts";

const context = new AsyncResource("Test");

function originOf(handler: RequestListener, errors: string[] = []): AppOrigin {
  const server = createServer(handler);
  const origin = new AppOrigin({
    ...{ server, event: "connection", context, paths: undefined, maxDocumentBytes: 10_000 },
    reportError: (error) => errors.push(String(error)),
  });
  atEnd(() => origin.close());
  return origin;
}

function get(origin: AppOrigin, lane?: object, fields: readonly Field[] = []): Promise<OriginResponse> {
  return origin.ask({ method: "GET", target: "/", fields, body: "", ...(lane && { lane }) });
}

describe("the way into an application", () => {
  it("calls it in its own context, on a new connection and on a kept one", async () => {
    const storage = new AsyncLocalStorage<string>();
    const sockets = new Set<unknown>();
    const seen: unknown[] = [];
    const origin = originOf((request, response) => {
      sockets.add(request.socket);
      seen.push(storage.getStore());
      setImmediate(() => {
        seen.push(storage.getStore());
        response.end();
      });
    });
    const lane = {};
    for (const user of ["a", "b", "c"]) {
      await storage.run(user, () => get(origin, lane));
      await new Promise(setImmediate);
    }
    expect(seen).toEqual(Array(6).fill(undefined));
    expect(sockets.size).toBe(1);
  });

  it("has a connection for each of a lane's requests that wait at the same time", async () => {
    const sockets: unknown[] = [];
    const origin = originOf((request, response) => {
      sockets.push(request.socket);
      setImmediate(() => response.end("{}"));
    });
    const lane = {};
    const answers = await Promise.all([get(origin, lane), get(origin, lane), get(origin)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(sockets).size).toBe(3);
  });

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
  ])("reads a document in %s", async (coding, encode) => {
    const fields = { "Content-Encoding": coding, "Content-Type": "application/json" };
    const origin = originOf((_request, response) => void response.writeHead(200, fields).end(encode('["Grüße"]')));
    const answer = await get(origin);
    expect(answer.body).toBe('["Grüße"]');
    expect(answer.fields.map(([name]) => name.toLowerCase())).not.toContain("content-encoding");
  });

  it("refuses a coding that it can't read, and one that hides too much", async () => {
    const answers: Record<string, Buffer> = { compress: Buffer.from("x"), gzip: gzipSync(Buffer.alloc(20_000)) };
    const origin = originOf(({ headers }, response) => {
      const coding = String(headers["x-coding"]);
      response.writeHead(200, { "Content-Encoding": coding }).end(answers[coding]);
    });
    const statuses = [];
    for (const coding of Object.keys(answers)) statuses.push((await get(origin, {}, [["X-Coding", coding]])).status);
    expect(statuses).toEqual([415, 413]);
  });

  it("ends a request that nobody waits for, so that the application sees its client go", async () => {
    const errors: string[] = [];
    const abort = new AbortController();
    let gone: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const origin = originOf((_request, response) => {
      response.on("close", () => gone?.());
      abort.abort();
    }, errors);
    await origin.ask({ method: "GET", target: "/", fields: [], body: "", signal: abort.signal });
    await closed;
    expect(errors).toEqual([]);
  });

  it("asks anew where the server has closed the kept connection", async () => {
    const server = createServer((_request, response) => void response.end("{}"));
    const origin = new AppOrigin({
      ...{ server, event: "connection", context, paths: undefined, maxDocumentBytes: 1000, reportError: () => {} },
    });
    atEnd(() => origin.close());
    const lane = {};
    await get(origin, lane);
    server.closeAllConnections();
    expect((await get(origin, lane)).status).toBe(200);
    server.maxRequestsPerSocket = 1;
    expect([(await get(origin, lane)).status, (await get(origin, lane)).status]).toEqual([200, 200]);
  });

  it("answers 400 for what can't be asked for", async () => {
    const origin = originOf((_request, response) => void response.end());
    const targets = ["*", "http://other.example/", "/ä", "/a b", "/a\r\nX: 1"];
    const asked = targets.map((target) => origin.ask({ method: "GET", target, fields: [], body: "" }));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(targets.map(() => 400));
    expect((await get(origin, {}, [["X", "a\nb"]])).status).toBe(400);
  });
});
