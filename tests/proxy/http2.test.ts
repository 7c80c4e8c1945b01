import { once } from "node:events";
import { createServer } from "node:http";
import { constants } from "node:http2";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { server as tls } from "../node/attach/certificates.ts";
import { answerOf, Http2Client } from "../node/http2-client.ts";
import { listen, proxied, proxy } from "./setting.ts";

describe("a proxy with TLS, asked by HTTP/2,", () => {
  it("passes a request and its answer through, and says that it came by https", async () => {
    const { port } = await proxied(
      async (request, response) => {
        let body = "";
        for await (const piece of request.setEncoding("utf8")) body += String(piece);
        const { host, "x-forwarded-proto": scheme, "x-forwarded-host": name, trailer } = request.headers;
        response.writeHead(201, "Made", [
          "Connection",
          "x-hop",
          "X-Hop",
          "1",
          "Set-Cookie",
          "a=1",
          "Set-Cookie",
          "b=2",
        ]);
        response.end(JSON.stringify({ length: body.length, scheme, name: name === host, trailer }));
      },
      { tls },
    );
    const client = await Http2Client.open(port);
    const { status, headers, body } = await client.ask({ ":path": "/", ":method": "POST" }, "é".repeat(500_000));
    expect([status, headers["set-cookie"], headers["x-hop"]]).toEqual([201, ["a=1", "b=2"], undefined]);
    expect(JSON.parse(body)).toEqual({ length: 500_000, scheme: "https", name: true });
  });

  it("passes the fields behind an answer's content on, as over HTTP/1.1", async () => {
    const { port } = await proxied(
      (request, response) => {
        if (request.url === "/none") {
          response.write("abc");
          response.end();
          return;
        }
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("abc");
        response.addTrailers([
          ["X-Sum", "7"],
          ["X-Two", "a"],
          ["X-Two", "b"],
          ["Connection", "close"],
        ]);
        response.end();
      },
      { tls },
    );
    const client = await Http2Client.open(port);
    for (const path of ["/none", "/sum"]) {
      const stream = client.request({ ":path": path });
      let trailers: object = {};
      stream.on("trailers", (fields: object) => {
        trailers = Object.fromEntries(Object.entries(fields));
      });
      expect((await answerOf(stream)).body).toBe("abc");
      expect(trailers).toEqual(path === "/none" ? {} : { "x-sum": "7", "x-two": "a, b" });
      expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    }
  });

  it("passes an event stream through as it comes, and ends it with its stream", async () => {
    const upstream = createServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: 1\n\n");
      upstream.once("more", () => response.write("data: 2\n\n"));
      response.on("close", () => upstream.emit("gone"));
    });
    const { url } = await listen(upstream);
    const { port } = await proxy(url, { tls });
    const client = await Http2Client.open(port);
    const stream = client.request({ ":path": "/events", accept: "text/event-stream" }).setEncoding("utf8");
    expect((await once(stream, "data"))[0]).toBe("data: 1\n\n");
    upstream.emit("more");
    expect((await once(stream, "data"))[0]).toBe("data: 2\n\n");
    const gone = once(upstream, "gone");
    stream.close();
    await gone;
  });

  it.each([
    ["a length", { "Content-Length": 10 }],
    ["no length", {}],
  ])("has an answer of %s that is cut off look cut off", async (_what, headers) => {
    const { port } = await proxied(
      (_request, response) => {
        response.writeHead(200, headers).write("four", () => response.destroy());
      },
      { tls },
    );
    const client = await Http2Client.open(port);
    const stream = client.request({ ":path": "/" });
    stream.resume();
    await new Promise((resolve) => stream.once("close", resolve));
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  it("passes early hints on", async () => {
    const { port } = await proxied(
      (_request, response) => {
        response.writeEarlyHints({ link: "</a.css>; rel=preload" });
        response.end("[]");
      },
      { tls },
    );
    const client = await Http2Client.open(port);
    const stream = client.request({ ":path": "/" });
    const hints = once(stream, "headers");
    expect((await answerOf(stream)).body).toBe("[]");
    expect((await hints)[0]).toMatchObject({ ":status": 103, link: "</a.css>; rel=preload" });
  });

  it("passes the upstream's own WebSockets through on a stream, and its refusals [R-H2-1] [R-H2-2]", async () => {
    const upstream = createServer((_request, response) => void response.end("plain"));
    const sockets = new WebSocketServer({ noServer: true });
    upstream.on("upgrade", (request, socket, head) => {
      if (request.url === "/no") socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      else sockets.handleUpgrade(request, socket, head, (one) => one.on("message", (data) => one.send(`${data}!`)));
    });
    const { url } = await listen(upstream);
    const { port } = await proxy(url, { tls });
    const client = await Http2Client.open(port);
    const socket = await client.webSocket("/yes", { "sec-websocket-protocol": "other" });
    expect(socket.protocol).toBe("other");
    const long = "x".repeat(200_000);
    socket.send(long);
    expect(String((await once(socket, "message"))[0])).toBe(`${long}!`);
    const refused = await answerOf(client.connect("/no", { "sec-websocket-protocol": "other" }));
    expect(refused.status).toBe(401);
  });
});
