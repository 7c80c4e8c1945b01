import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { attach, openEntrances } from "../../src/node/index.ts";
import { startSite } from "../node/fixture.ts";
import { echo } from "../proxy/echo.ts";
import { listen, proxied, proxy, Wire } from "../proxy/setting.ts";

const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/** Requests that Node takes for HTTP, and that somebody has to think about. */
const odd: readonly (readonly string[])[] = [
  ["POST /a HTTP/1.1", "Host: localhost", "Trailer: X", "Content-Length: 2", "", "{}"],
  ["GET /a HTTP/1.1", "Host: localhost", "Trailer: X", "", ""],
  ["GET /a HTTP/1.0", "Host: localhost", "Trailer: X", "", ""],
  ["DELETE /a HTTP/1.1", "Host: localhost", "Trailer: Content-Length, Host", "Expect: 100-continue", "", ""],
  ["PUT /a HTTP/1.1", "Host: localhost", "Trailer: X", "Transfer-Encoding: chunked", "", "1", "a", "0", "X: 1", "", ""],
  ["PUT /a HTTP/1.1", "Host: localhost", "Expect: 100-continue", "Trailer: X", "Content-Length: 1", "", "a"],
  ["POST /a HTTP/1.1", "Host: localhost", "Expect: something", "Content-Length: 1", "", "a"],
  ["GET /a HTTP/1.1", "Host: localhost", "Via: \x80\xff", "Expect: \xe9", "", ""],
  ["GET /\x80\xff HTTP/1.1", "Host: localhost", "", ""],
  ["GET /%ff%00%2e%2e/.. HTTP/1.1", "Host: localhost", "", ""],
  ["GET //[ HTTP/1.1", "Host: localhost", "", ""],
  ["GET http://[/a HTTP/1.1", "Host: [", "", ""],
  ["OPTIONS * HTTP/1.1", "Host: localhost", "Trailer: X", "", ""],
  ["SEARCH * HTTP/1.1", "Host: localhost", "", ""],
  ["CONNECT a:1 HTTP/1.1", "Host: localhost", "", ""],
  ["GET /a HTTP/1.1", "Host: localhost", ...upgrade, "", ""],
  ["GET /a HTTP/1.1", "Host: localhost", ...upgrade, "Sec-WebSocket-Key: x", "Trailer: X", "", ""],
  ["GET /\xff HTTP/1.1", "Host: localhost", ...upgrade, key, "Sec-WebSocket-Protocol: rocket.v1", "", ""],
  ["GET //[ HTTP/1.1", "Host: localhost", ...upgrade, key, "Sec-WebSocket-Protocol: rocket.v1", "", ""],
  ["GET /a HTTP/1.1", "Host: localhost", ...upgrade, key, "Sec-WebSocket-Protocol: ,,;\xff", "", ""],
  ["POST /a HTTP/1.1", "Host: localhost", ...upgrade, key, "Content-Length: 1", "", "x"],
  ["GET /a HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: \xff", "Trailer: X", "", ""],
  ["GET /a HTTP/1.1", "Host: localhost", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "Trailer: X", "", ""],
];

interface Served {
  readonly port: number;
  readonly url: string;
}

/** An application that was attached to, told of each request by what it answers. */
async function attached(): Promise<Served> {
  const { server, port, url } = await listen(createServer(echo()));
  const attachment = attach(server);
  onTestFinished(() => attachment.close());
  return { port, url };
}

describe.each<[string, () => Promise<Served>]>([
  ["a server", () => startSite()],
  ["an attached application", attached],
  ["a proxy", () => proxied(echo())],
  ["a proxy before nothing", () => proxy("http://127.0.0.1:1")],
])("%s", (_, start) => {
  it.each(odd.map((lines) => [lines.slice(0, -1).join(" | "), lines] as const))(
    "outlives %j [R-SEC-4]",
    async (_text, lines) => {
      const { port, url } = await start();
      const wire = new Wire(port).send(...lines);
      wire.socket.end();
      expect(await wire.ended()).not.toContain("HTTP/1.1 500");
      const after = await fetch(`${url}/a`);
      expect([200, 404, 502]).toContain(after.status);
    },
  );
});

describe("a proxy", () => {
  it.each([
    ["without a body", ["Trailer: X", "", ""], ""],
    ["with a length", ["Trailer: X", "Content-Length: 2", "", "{}"], "{}"],
    ["with a length and an expectation", ["Trailer: X", "Expect: 100-continue", "Content-Length: 2", "", "{}"], "{}"],
  ])("passes a request on that announces trailers %s, without them", async (_, lines, body) => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send("POST /a HTTP/1.1", "Host: localhost", "Connection: close", ...lines);
    const text = await wire.ended();
    expect(text).toContain("HTTP/1.1 200 OK");
    expect(text).toContain(`"body":"${body}"`);
    expect(text).not.toContain('"Trailer"');
  });
});

describe("an entrance that throws", () => {
  const failing = () => {
    throw new Error("secret");
  };

  it("is answered with 500 and reported, and the next request is taken [R-SEC-4] [R-SEC-6]", async () => {
    const reported: string[] = [];
    const server = createServer();
    let fails = true;
    openEntrances(server, {
      onRequest: (_, response) => (fails ? failing() : void response.end("fine")),
      onUpgrade: failing,
      reportError: (error, stage) => void reported.push(`${stage}: ${error}`),
    });
    const { url, port } = await listen(server);
    const refused = await fetch(url);
    expect([refused.status, (await refused.text()).includes("secret")]).toEqual([500, false]);
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", ...upgrade, key, "", "");
    expect(await wire.ended()).toBe("");
    fails = false;
    expect(await (await fetch(url)).text()).toBe("fine");
    expect(reported).toEqual(["http: Error: secret", "upgrade: Error: secret"]);
  });

  it("is answered with 500 where it waited behind another one [R-SEC-4]", async () => {
    const server = createServer();
    openEntrances(server, {
      onRequest: ({ url }, response) => (url === "/fails" ? failing() : void response.end("fine")),
      onUpgrade: failing,
      reportError: () => {},
    });
    const { port, url } = await listen(server);
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: a", "", "GET /fails HTTP/1.1", "Host: a", "", "");
    expect((await wire.ended()).match(/HTTP\/1\.1 \d{3}/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 500"]);
    expect(await (await fetch(url)).text()).toBe("fine");
  });

  it("ends the answer that it has begun [R-SEC-4]", async () => {
    const server = createServer();
    openEntrances(server, {
      onRequest: (_, response) => {
        response.writeHead(200, { "Content-Length": "10" });
        response.write("begun");
        failing();
      },
      onUpgrade: failing,
      reportError: () => {},
    });
    const { url } = await listen(server);
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  });
});
