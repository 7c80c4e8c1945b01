import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { formatMessage, formatNote } from "../../src/cli/message-text.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";

const created: HttpResponse = {
  status: 201,
  reason: "Created",
  fields: [
    ["Content-Type", "application/json"],
    ["Content-Location", "/artists/1"],
  ],
  body: '{"artist":{"id":1}}',
};
const plain = { isTerminal: false, isColoured: false };
const terminal = { isTerminal: true, isColoured: false };
const coloured = { isTerminal: true, isColoured: true };

describe("a message in a pipe", () => {
  it("is as curl -i prints it, with its body as it came", () => {
    expect(formatMessage(created, plain)).toEqual([
      'HTTP/1.1 201 Created\nContent-Type: application/json\nContent-Location: /artists/1\n\n{"artist":{"id":1}}\n\n',
    ]);
  });

  it("ends after its head where it has no body", () => {
    const gone = { status: 204, reason: "No Content", fields: [["Content-Location", "/artists/1"]] as const, body: "" };
    expect(formatMessage(gone, plain)).toEqual(["HTTP/1.1 204 No Content\nContent-Location: /artists/1\n\n"]);
  });

  it("keeps the bytes of a binary body", () => {
    const bytes = new Uint8Array([0, 255]);
    expect(formatMessage({ status: 200, reason: "OK", fields: [], body: bytes }, plain)).toEqual([
      "HTTP/1.1 200 OK\n\n",
      bytes,
      "\n\n",
    ]);
  });
});

describe("a message on a terminal", () => {
  it("has its JSON laid out", () => {
    const [text] = formatMessage(created, terminal);
    expect(text).toContain('\n\n{\n  "artist": {\n    "id": 1\n  }\n}\n\n');
  });

  it("keeps a body that only says that it is JSON", () => {
    const [text] = formatMessage({ ...created, body: "{oops" }, terminal);
    expect(text).toMatch(/\n\n\{oops\n\n$/);
  });

  it("is coloured, and the same text below", () => {
    const [text] = formatMessage(created, coloured);
    const [bare] = formatMessage(created, terminal);
    expect(text).toContain("\u001b[");
    expect(stripVTControlCharacters(String(text))).toBe(bare);
  });

  it("shows control characters instead of obeying them", () => {
    const evil = "\u001b]0;title\u0007\u009b2J\r";
    const message = { status: 200, reason: evil, fields: [["X", evil]] as const, body: evil };
    const [text] = formatMessage(message, terminal);
    expect(text).toBe(
      "HTTP/1.1 200 \\x1b]0;title\\x07\\x9b2J\\x0d\nX: \\x1b]0;title\\x07\\x9b2J\\x0d\n\n\\x1b]0;title\\x07\\x9b2J\\x0d\n\n",
    );
  });

  it("names a binary body by its size", () => {
    const [text] = formatMessage({ status: 200, reason: "OK", fields: [], body: new Uint8Array(3) }, terminal);
    expect(text).toBe("HTTP/1.1 200 OK\n\n(3 bytes)\n\n");
  });
});

describe("a note", () => {
  it("is told apart by a star", () => {
    expect(formatNote("connected", false)).toBe("* connected");
    expect(stripVTControlCharacters(formatNote("connected", true))).toBe("* connected");
  });
});
