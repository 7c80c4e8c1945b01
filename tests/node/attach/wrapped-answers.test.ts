import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Http2Client } from "../http2-client.ts";
import { OpenStream } from "../stream.ts";
import { server as certificate } from "./certificates.ts";
import { atEnd } from "./cleanup.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

type Method = (...parameters: never[]) => unknown;
type Methods = Record<string, Method>;

/** Puts methods of an application's own before those of a response: they do nothing more once its answer is on its way. */
function guard(response: ServerResponse, names: readonly string[], late: () => unknown = () => response): void {
  const methods = response as unknown as Methods;
  for (const name of names) {
    const before = methods[name] as Method;
    methods[name] = function (this: ServerResponse, ...all: never[]) {
      const isLate = name === "write" || name === "end" ? response.writableEnded : response.headersSent;
      return isLate ? late() : before.apply(this, all);
    };
  }
}

const setting = ["setHeader", "appendHeader", "removeHeader", "getHeader", "getHeaders", "getHeaderNames", "hasHeader"];
const sending = ["writeHead", "write", "end", "flushHeaders"];

/** A class of an application's own, whose methods do nothing once the head is sent. */
class GuardedResponse extends ServerResponse {
  override setHeader(name: string, value: string): this {
    return this.headersSent ? this : super.setHeader(name, value);
  }
  override writeHead(...all: [number]): this {
    return this.headersSent ? this : super.writeHead(...all);
  }
  override write(...all: [string]): boolean {
    return this.headersSent && this.writableEnded ? false : super.write(...all);
  }
  override flushHeaders(): void {
    if (!this.headersSent) super.flushHeaders();
  }
}

/** What frameworks and middleware do to a response before they answer. */
const wraps: readonly (readonly [what: string, wrap: (response: ServerResponse) => void])[] = [
  ["nothing wrapped", () => {}],
  ["setHeader wrapped, as Next.js does it", (response) => guard(response, ["setHeader"])],
  ["all methods for fields wrapped", (response) => guard(response, setting)],
  ["all methods that send wrapped", (response) => guard(response, sending)],
  [
    "methods that throw once the head is sent",
    (response) =>
      guard(response, [...setting, ...sending], () => {
        throw new Error("The answer is on its way.");
      }),
  ],
  [
    "methods that know of no fields",
    (response) =>
      Object.assign(response, { getHeader: () => undefined, hasHeader: () => false, getHeaderNames: () => [] }),
  ],
  [
    "a prototype of its own, as Express does it",
    (response) => {
      const own = Object.create(Object.getPrototypeOf(response) as object) as ServerResponse;
      own.setHeader = function (this: ServerResponse) {
        return this;
      };
      own.flushHeaders = () => {};
      ServerResponse.prototype.setHeader.call(response, "X-Before", "1");
      response.end = ((set) =>
        function (this: ServerResponse, ...all: never[]) {
          return set.apply(this, all);
        })(response.end as Method) as never;
      Object.setPrototypeOf(response, own);
    },
  ],
];

/** An application that answers with JSON and fields of its own, and the second and later times with a status. */
function application(wrap: (response: ServerResponse) => void, later = 200): RequestListener {
  let asked = 0;
  return (_request: IncomingMessage, response: ServerResponse) => {
    asked += 1;
    // Its own fields are there whatever it does to the methods.
    for (const [name, value] of [
      ["Content-Type", "application/json"],
      ["Set-Cookie", "a=1"],
      ["Vary", "Origin"],
      ["ETag", '"a"'],
    ] as const) {
      response.setHeader(name, value);
    }
    wrap(response);
    response.writeHead(asked === 1 ? 200 : later);
    response.end('[{"id":1}]');
  };
}

async function started(handler: RequestListener, options: ServerOptions = {}): Promise<Site> {
  const server: Server = createServer(options, handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endAfterTest(server);
  return attachTo(server, new Notes());
}

const kinds = [
  ["text/event-stream", "text/event-stream"],
  ["application/http", "application/http;msgtype=response"],
] as const;

async function headOf({ url }: Site, accept: string): Promise<Record<string, unknown>> {
  const stream = await OpenStream.open(`${url}/list`, accept);
  const { status, headers } = stream.response;
  const named = (name: string) => headers.get(name);
  await stream.message(1);
  return {
    status,
    type: named("content-type"),
    cache: named("cache-control"),
    held: named("x-accel-buffering"),
    vary: named("vary")?.split(/, */).sort(),
    cookie: named("set-cookie"),
    etag: named("etag"),
    messages: stream.messages.slice(0, 2).map((message) => message.status),
  };
}

function expected(type: string): Record<string, unknown> {
  return {
    status: 200,
    type,
    cache: "no-store, no-transform",
    held: "no",
    vary: ["Accept", "Origin"],
    cookie: "a=1",
    etag: null,
    messages: [200, 304],
  };
}

describe.each(wraps)("A response with %s", (_what, wrap) => {
  it.each(kinds)("has the whole head of a stream, and its messages: %s [R-STR-15] [R-STR-23]", async (accept, type) => {
    expect(await headOf(await started(application(wrap)), accept)).toEqual(expected(type));
  });

  it("has the whole refusal of a stream [R-STR-14]", async () => {
    const { url } = await started(application(wrap, 403));
    const answer = await fetch(`${url}/list`, { headers: { Accept: "text/event-stream" } });
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("set-cookie")]).toEqual([
      403,
      "application/problem+json",
      "a=1",
    ]);
    expect(await answer.json()).toMatchObject({ status: 403 });
  });

  it("has the whole 304 of a GET that waits while the server closes [R-STR-21]", async () => {
    const { url, server, attachment } = await started(application(wrap));
    const waiting = fetch(`${url}/list`, { headers: { "If-None-Match": '"a"', Prefer: "wait=20" } });
    while (attachment.counts.connections === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    server.close();
    const { status, headers } = await waiting;
    expect([status, headers.get("etag"), headers.get("preference-applied")]).toEqual([304, '"a"', "wait=20"]);
  });
});

describe("A server's own class of responses", () => {
  it.each(kinds)("has the whole head of a stream: %s [R-STR-15]", async (accept, type) => {
    const options = { ServerResponse: GuardedResponse } as unknown as ServerOptions;
    expect(
      await headOf(
        await started(
          application(() => {}),
          options,
        ),
        accept,
      ),
    ).toEqual(expected(type));
  });
});

describe.each(wraps.slice(0, 5))("Over HTTP/2, a response with %s", (_what, wrap) => {
  it.each<[string, number, RegExp]>([
    ["text/event-stream", 200, /^:/],
    ["application/problem+json", 403, /^\{"type":"about:blank",.*"status":403/],
  ])("has the whole head and body of %s, %d", async (type, later, beginning) => {
    const server: Http2SecureServer = createSecureServer(
      { ...certificate, allowHTTP1: true },
      application(wrap, later) as never,
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    atEnd(() => server.close());
    attachTo(server, new Notes());
    const client = await Http2Client.open((server.address() as AddressInfo).port);
    const stream = client.request({ ":path": "/list", accept: "text/event-stream" });
    const head = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
    expect([head[":status"], head["content-type"], head["set-cookie"]]).toEqual([later, type, ["a=1"]]);
    const [first] = await new Promise<[Buffer]>((resolve) => stream.once("data", (...all) => resolve(all as [Buffer])));
    expect(String(first)).toMatch(beginning);
    stream.close();
  });
});
