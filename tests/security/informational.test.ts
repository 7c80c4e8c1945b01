import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { Forwarding, type ForwardingParts } from "../../src/proxy/forwarding.ts";
import { BasePath } from "../../src/server/index.ts";
import { proxied, Wire } from "../proxy/setting.ts";

it.each([[""], ["Expect: 100-continue\r\n"]])(
  "passes 16 informational answers on, and the final one: %j [R-SEC-5]",
  async (field) => {
    const { port } = await proxied((_, response) => {
      for (let at = 0; at < 100; at += 1) response.writeEarlyHints({ link: `</${at}.css>; rel=preload` });
      response.end("abc");
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", `${field}Connection: close`, "", "");
    const text = await wire.ended();
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    expect(statuses.filter((status) => Number(status) < 200)).toHaveLength(16);
    expect(statuses.at(-1)).toBe("200");
  },
);

it("passes none on while the client takes nothing [R-SEC-5]", () => {
  const written: string[] = [];
  const socket = { writableNeedDrain: false, bytesRead: 0, write: (text: string) => written.push(text) };
  const on = () => {};
  const request = { on, socket, headers: {}, rawHeaders: [], httpVersionMinor: 1 } as unknown as IncomingMessage;
  const response = { on, socket, headersSent: false } as unknown as ServerResponse;
  const hop = { via: "1.1 a", trustForwarded: false, basePath: new BasePath(undefined) };
  const forwarding = new Forwarding({ hop, bodyTimeoutMs: 1_000 } as unknown as ForwardingParts, request, response);
  const control = { abort: on, pause: on, resume: on, rawHeaders: ["Link", "</a>"], rawTrailers: [] };
  for (const needsDrain of [false, true, true, false]) {
    socket.writableNeedDrain = needsDrain;
    forwarding.onResponseStart(control, 103, undefined, "Early Hints");
  }
  const hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  expect(written).toEqual([hint, hint]);
  forwarding.drop();
});
