import { once } from "node:events";
import { createServer, request as httpRequest, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ResponseReader } from "../../src/node/response-reader.ts";
import { atEnd } from "./attach/cleanup.ts";

interface Read {
  status?: number;
  fields?: readonly (readonly [string, string])[];
  body: string;
  trailers?: readonly (readonly [string, string])[];
  keepsAlive?: boolean;
}

/** Reads bytes in pieces that end at the given places. */
function read(bytes: Buffer, cuts: readonly number[] = [], isHead = false): Read {
  const found: Read = { body: "" };
  const reader = new ResponseReader(
    {
      onHead: ({ status, fields }) => Object.assign(found, { status, fields }),
      onBody: (part) => {
        found.body += part.toString("latin1");
      },
      onTrailers: (trailers) => Object.assign(found, { trailers }),
      onEnd: (keepsAlive) => {
        found.keepsAlive = keepsAlive;
      },
    },
    isHead,
  );
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.subarray(from, cut));
    from = cut;
  }
  reader.end();
  return found;
}

const text = (...lines: string[]) => Buffer.from(lines.join("\r\n"), "latin1");

const answers: readonly { readonly title: string; readonly handler: RequestListener; readonly method?: string }[] = [
  { title: "a length", handler: (_request, response) => void response.setHeader("Content-Length", 5).end("hello") },
  { title: "no body", handler: (_request, response) => void response.writeHead(204).end() },
  { title: "an empty body", handler: (_request, response) => void response.end() },
  { title: "a 304", handler: (_request, response) => void response.writeHead(304, { ETag: '"a"' }).end() },
  { title: "HEAD", method: "HEAD", handler: (_request, response) => void response.end("hello") },
  {
    title: "chunks and trailers",
    handler: (_request, response) => {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("one");
      response.write("€uro");
      response.addTrailers({ "X-Sum": "7" });
      response.end();
    },
  },
  {
    title: "interim answers",
    handler: (_request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.end("hello");
    },
  },
  {
    title: "its end by closing",
    handler: (_request, response) => {
      response.useChunkedEncodingByDefault = false;
      response.removeHeader("connection");
      response.shouldKeepAlive = false;
      response.write("until ");
      response.end("the end");
    },
  },
  {
    title: "several fields of one name, and odd ones",
    handler: (_request, response) =>
      void response.writeHead(200, { "Set-Cookie": ["a=1", "b=2"], "X-Empty": "", "X-Odd": "ä: b  c" }).end("x"),
  },
];

/** What Node's server writes, and what Node's client makes of it. */
async function serve(handler: RequestListener, method = "GET"): Promise<{ bytes: Buffer; expected: Read }> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  atEnd(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(socket, "close");
  const request = httpRequest({ port, host: "127.0.0.1", method, agent: false }).end();
  const [response] = await once(request, "response");
  let body = "";
  for await (const part of response.setEncoding("latin1")) body += part;
  const { statusCode: status, rawHeaders: fields, rawTrailers: trailers } = response;
  return { bytes: Buffer.concat(parts), expected: { status, fields, body, trailers } };
}

describe("the reader of answers", () => {
  it.each(answers)("reads an answer with $title as Node's own client does, wherever it is cut", async (answer) => {
    const { bytes, expected } = await serve(answer.handler, answer.method);
    const isHead = answer.method === "HEAD";
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const found = read(bytes, [cut], isHead);
      const { status, body, trailers = [] } = found;
      const fields = found.fields?.flat().filter((part) => !/GMT$/.test(part));
      expect({ status, fields, body, trailers: trailers.flat() }).toEqual({
        ...expected,
        fields: expected.fields?.flat().filter((part) => !/GMT$/.test(part)),
      });
    }
    expect(read(bytes, bytes.map((_byte, at) => at) as never, isHead)).toEqual(read(bytes, [], isHead));
  });

  it("tells whether another request may follow", () => {
    expect(read(text("HTTP/1.1 200 OK", "Content-Length: 0", "", "")).keepsAlive).toBe(true);
    expect(read(text("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: x, Close", "", "")).keepsAlive).toBe(false);
    expect(read(text("HTTP/1.0 200 OK", "Content-Length: 0", "", "")).keepsAlive).toBe(false);
    expect(read(text("HTTP/1.1 200 OK", "", "text")).keepsAlive).toBe(false);
  });

  it.each([
    ["an answer that breaks off in its head", ["HTTP/1.1 200 OK", "X: 1"]],
    ["an answer that breaks off in its body", ["HTTP/1.1 200 OK", "Content-Length: 5", "", "four"]],
    ["an answer that breaks off between chunks", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "1", "a", ""]],
    ["a malformed chunk", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "x", ""]],
    ["a chunk that is longer than it says", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "1", "ab", ""]],
    ["a malformed length", ["HTTP/1.1 200 OK", "Content-Length: 5, 5", "", "12345"]],
    ["a malformed field", ["HTTP/1.1 200 OK", "no colon", "", ""]],
    ["another protocol", ["SSH-2.0-OpenSSH_9.9", "", ""]],
    ["a change of protocols", ["HTTP/1.1 101 Switching Protocols", "", ""]],
    ["more than an answer", ["HTTP/1.1 204 No Content", "", "more"]],
    ["a malformed trailer", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "0", "no colon", "", ""]],
    [
      "trailers without end",
      ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "0", ...Array(40).fill(`X: ${"a".repeat(8_000)}`), ""],
    ],
    ["a head without end", ["HTTP/1.1 200 OK", `X: ${"a".repeat(300_000)}`]],
  ])("refuses %s", (_title, lines) => {
    expect(() => read(text(...lines))).toThrow(/^The application/);
  });
});
