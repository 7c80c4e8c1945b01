import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { attach } from "../../src/node/index.ts";
import { dialRaw, startSite } from "../node/fixture.ts";
import { listen, proxied, proxy, upstream, Wire } from "../proxy/setting.ts";

const filler = (count: number) => Array.from({ length: count }, () => "a: b");
const upgrade = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol: rocket.v1",
];
/** A request whose last field decides. */
const request = (start: string, fields: readonly string[], last: string) =>
  `${[`${start} HTTP/1.1`, "Host: localhost", ...fields, last].join("\r\n")}\r\n\r\n`;

describe("a request with very many fields", () => {
  it.each([
    ["PUT /a/1", [], "Content-Length: 2", /^HTTP\/1\.1 403 /],
    ["GET /a", upgrade, "Origin: https://evil.example", /^HTTP\/1\.1 403 /],
    ["GET /a", upgrade, "X: y", /^HTTP\/1\.1 101 /],
  ])("is read to its last one by a server: %s %j %s [R-SEC-9]", async (start, own, last, expected) => {
    const site = await startSite();
    const fields = [...own, "Content-Type: application/json", ...filler(950)];
    if (start.startsWith("PUT")) fields.push("Origin: https://evil.example");
    expect(await (await dialRaw(site, request(start, fields, last))).until(/\r\n\r\n/)).toMatch(expected);
  });

  it.each([
    ["PUT /a/1", []],
    ["GET /a", upgrade],
  ])("is a 431 from 1,000 on, at a server and a proxy: %s %j [R-SEC-9]", async (start, own) => {
    const asked: (string | undefined)[] = [];
    const { port } = await proxied((incoming, response) => {
      asked.push(incoming.url);
      response.end();
    });
    const text = request(start, [...own, ...filler(1_000)], "Origin: https://evil.example");
    const site = await startSite();
    expect(await (await dialRaw(site, text)).until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await new Wire(port).send(text).until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 431 /);
    expect(asked).toEqual([]);
  });

  it("reaches a proxy's upstream whole, and its trailers and the answer's fields come back whole", async () => {
    const inner = await upstream((incoming, response) => {
      incoming.resume().on("end", () => {
        const fields = Array.from({ length: 1_100 }, (_, at) => [`x${at}`, "y"]).flat();
        const { rawTrailers, headers } = incoming;
        response.writeHead(200, [...fields, "last", `${headers["x-last"]} ${rawTrailers.length}`]).end();
      });
    });
    inner.server.maxHeadersCount = 0;
    const { port } = await proxy(inner.url);
    const fields = ["Trailer: t", "Transfer-Encoding: chunked", ...filler(900)];
    const trailers = Array.from({ length: 1_100 }, () => "t: u").join("\r\n");
    const text = `${request("PUT /a", fields, "X-Last: z")}0\r\n${trailers}\r\n\r\n`;
    expect(await new Wire(port).send(text).until("\r\n\r\n")).toContain("x1099: y\r\nlast: z 2200\r\n");
  });
});

describe("a handshake whose fields an application's server has cut", () => {
  it.each([
    [undefined, 1_000],
    [40, 40],
    [0, 1_000],
  ])("is a 431: maxHeadersCount %s [R-SEC-9]", async (maxHeadersCount, most) => {
    const { server, port } = await listen(createServer((_request, response) => void response.end("{}")));
    if (maxHeadersCount !== undefined) server.maxHeadersCount = maxHeadersCount;
    const attachment = attach(server, { onError: () => {} });
    const own = [...upgrade, ...filler(most - 10)];
    const whole = await new Wire(port).send(request("GET /", own, "Origin: https://evil.example")).until("\r\n\r\n");
    const cut = await new Wire(port)
      .send(request("GET /", [...own, ...filler(10)], "Origin: https://evil.example"))
      .until("\r\n\r\n");
    expect([whole.slice(9, 12), cut.slice(9, 12)]).toEqual(["403", "431"]);
    await attachment.close();
  });
});
