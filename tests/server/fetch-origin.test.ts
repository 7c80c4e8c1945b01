import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createHub, type Origin, type OriginResponse, originFromFetch } from "../../src/server/index.ts";
import { connectMemoryPeer } from "../../src/testing/index.ts";

const fields = [["Host", "example.com"]] as const;

function get(origin: Origin, target: string): Promise<OriginResponse> {
  return origin({ method: "GET", target, fields, body: "" });
}

async function gzip(text: string): Promise<ReadableStream<Uint8Array>> {
  return new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
}

describe("an origin made of a fetch handler", () => {
  it("asks with the viewer's fields, at the viewer's host, and without what is the handshake's", async () => {
    const asked: Request[] = [];
    const origin = originFromFetch((request) => {
      asked.push(request);
      return Response.json([]);
    });
    const sent = [...fields, ["Cookie", "a=1"], ["Cache-Control", "no-cache"], ["traceparent", "00-1-1-00"]] as const;
    await origin({ method: "GET", target: "//other.example/a?b", fields: sent, body: "" });
    const [request] = asked;
    expect(request?.url).toBe("https://example.com//other.example/a?b");
    expect([...(request?.headers ?? [])].map(([name]) => name).sort()).toEqual([
      "accept",
      "accept-encoding",
      "cookie",
      "host",
      "sec-fetch-mode",
    ]);
  });

  it("carries a request in band out as it stands, with its method and body [R-BAND-12] [R-BAND-17]", async () => {
    const origin = originFromFetch(
      async (request) => {
        const { method, headers } = request;
        if (method === "GET") return new Response("x".repeat(100));
        return Response.json([method, headers.get("content-type"), await request.text()], { status: 201 });
      },
      { maxDocumentBytes: 64 },
    );
    const asked = [...fields, ["Content-Type", "text/plain"]] as const;
    const request = { target: "/a", fields: asked, isInBand: true };
    const posted = await origin({ ...request, method: "POST", body: "Grüße" });
    expect([posted.status, posted.body]).toEqual([201, '["POST","text/plain","Grüße"]']);
    expect((await origin({ ...request, method: "GET", body: "" })).status).toBe(502);
  });

  it("gives text as text, and bytes as bytes", async () => {
    const bytes = new Uint8Array([1, 255]);
    const origin = originFromFetch(({ url }) => {
      if (url.endsWith("/bytes")) return new Response(bytes, { headers: { "Content-Type": "image/png" } });
      return new Response("Grüße", { status: 203, headers: { "Content-Type": "text/plain; charset=UTF-8" } });
    });
    expect(await get(origin, "/text")).toMatchObject({ status: 203, body: "Grüße" });
    expect((await get(origin, "/bytes")).body).toEqual(bytes);
  });

  it("reads what the application compresses against the wish", async () => {
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    const origin = originFromFetch(async () => new Response(await gzip("[1]"), { headers }));
    const answer = await get(origin, "/");
    expect(answer).toEqual({ status: 200, fields: [["content-type", "application/json"]], body: "[1]" });
  });

  it("refuses streams without end, documents that are too large, unknown codings, and URLs that are none", async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100)) });
    const answers: Record<string, () => Response> = {
      "/stream": () => new Response(endless, { headers: { "Content-Type": "text/event-stream" } }),
      "/large": () => new Response("x".repeat(2000)),
      "/long": () =>
        new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100)) })),
      "/coded": () => new Response("x", { headers: { "Content-Encoding": "compress" } }),
    };
    const origin = originFromFetch(({ url }) => answers[new URL(url).pathname]?.() ?? new Response(), {
      maxDocumentBytes: 1000,
    });
    const statuses = [];
    for (const target of [...Object.keys(answers), "/ok"]) statuses.push((await get(origin, target)).status);
    expect(statuses).toEqual([415, 413, 413, 415, 200]);
    expect((await origin({ method: "GET", target: "/", fields: [["Host", "a b"]], body: "" })).status).toBe(400);
  });

  it("passes a 304, a redirect and their fields on", async () => {
    const origin = originFromFetch(({ headers }) => {
      return headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { ETag: '"a"' } })
        : new Response(null, { status: 302, headers: { Location: "/login" } });
    });
    expect(await get(origin, "/")).toMatchObject({ status: 302, fields: [["location", "/login"]] });
    const conditional = [...fields, ["If-None-Match", '"a"']] as const;
    expect(await origin({ method: "GET", target: "/", fields: conditional, body: "" })).toMatchObject({
      status: 304,
      body: "",
    });
  });

  it("names what it is wrongly made with", () => {
    expect(() => originFromFetch(undefined as never)).toThrow(/^handler must be a function/);
    expect(() => originFromFetch(() => new Response(), { maxDocumentBytes: 0 })).toThrow(/^maxDocumentBytes must be/);
  });

  it("makes an application of Hono live", async () => {
    const app = new Hono();
    let tasks = [{ id: 1 }];
    app.get("/tasks", (context) => context.json(tasks));
    const hub = createHub({ origin: originFromFetch((request) => app.fetch(request)), derived: {} });
    const statuses: number[] = [];
    await new Promise<void>((resolve) => {
      const onMessage = ({ status }: { readonly status: number }) => {
        statuses.push(status);
        if (status === 201) resolve();
        if (status !== 304) return;
        tasks = [{ id: 1 }, { id: 2 }];
        hub.changed(["/tasks"]);
      };
      void connectMemoryPeer(hub, "/tasks", { fields, onMessage });
    });
    expect(statuses).toEqual([200, 304, 201]);
    await hub.close(0);
  });
});
