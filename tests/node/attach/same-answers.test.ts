import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { frameworks } from "./frameworks.ts";
import { Notes } from "./notes.ts";
import { exchange, requestText } from "./raw.ts";
import { attachTo, endAfterTest, type Framework } from "./site.ts";

const json = ["Content-Type: application/json"];
const upgrade = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"];

/** Requests whose answers must be the same, byte for byte. */
const requests: readonly { readonly title: string; readonly text: string }[] = [
  { title: "a GET", text: requestText("GET /api/notes") },
  { title: "a HEAD", text: requestText("HEAD /api/notes") },
  { title: "an OPTIONS", text: requestText("OPTIONS /api/notes") },
  { title: "a POST", text: requestText("POST /api/notes", json, '{"text":"two"}') },
  { title: "a PUT", text: requestText("PUT /api/notes/1", json, '{"text":"ONE"}') },
  { title: "a DELETE", text: requestText("DELETE /api/notes/1") },
  {
    title: "a POST with an expectation",
    text: requestText("POST /broken", [...json, "Expect: 100-continue"], '{"text":""}'),
  },
  { title: "a POST that fails after it wrote", text: requestText("POST /broken", json, '{"text":"x"}') },
  { title: "a POST of no JSON", text: requestText("POST /login", ["Content-Type: text/plain"], "x") },
  { title: "a 404", text: requestText("GET /nowhere") },
  { title: "a redirect", text: requestText("GET /mine") },
  { title: "a compressed answer", text: requestText("GET /zipped", ["Accept-Encoding: gzip"]) },
  {
    title: "a POST in HTTP/1.0",
    text: 'POST /broken HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"text":""}',
  },
  {
    title: "a GET that offers h2c",
    text: requestText("GET /api/notes", upgrade).replace(
      "Connection: close",
      "Connection: Upgrade, HTTP2-Settings, close",
    ),
  },
  {
    title: "a POST that offers h2c",
    text: requestText("POST /api/notes", [...json, ...upgrade], '{"text":"two"}').replace(
      "Connection: close",
      "Connection: close, Upgrade, HTTP2-Settings",
    ),
  },
  {
    title: "a WebSocket of another protocol",
    text: requestText("GET /api/notes", [
      "Upgrade: websocket",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: mqtt",
    ]).replace("Connection: close", "Connection: Upgrade, close"),
  },
  { title: "garbage", text: "NONSENSE\r\n\r\n" },
];

/** What differs from one run to the next. */
function masked(text: string): string {
  return text
    .replace(/^(Date|X-RateLimit-[^:]+|RateLimit-[^:]+): [^\r]*/gim, "$1: …")
    .replace(/(sid=)[^;\r]*/g, "$1…")
    .replace(/Error: After the commit\.(?:<br>|\\n| |&nbsp;|at [^<]*)*/g, "…");
}

async function answers(framework: Framework, isAttached: boolean): Promise<string[]> {
  const notes = new Notes();
  const server = await framework.start(notes);
  endAfterTest(server);
  if (isAttached) attachTo(server, notes);
  const { port } = server.address() as AddressInfo;
  const texts: string[] = [];
  for (const { text } of requests) texts.push(masked(await exchange(port, text)));
  return texts;
}

describe.each(frameworks)("an application of $name", (framework) => {
  it("gives the same answers with and without Rocket", async () => {
    const [attached, alone] = [await answers(framework, true), await answers(framework, false)];
    const titles = requests.map(({ title }) => title);
    expect(attached.map((text, at) => [titles[at], text])).toEqual(alone.map((text, at) => [titles[at], text]));
    expect(attached[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});
