import { describe, expect, it } from "vitest";
import { isUnsafeMethod, staleUrls } from "../../src/node/index.ts";
import type { Field } from "../../src/protocol/index.ts";

const stale = (target: string, ...fields: Field[]): string[] => staleUrls({ target, status: 200, fields });

describe("the URLs that a write makes stale (RFC 9111 §4.4)", () => {
  it("are its target, what Location and Content-Location name, and links that say so", () => {
    const fields: Field[] = [
      ["location", "/notes/3"],
      ["Content-Location", "4?x=1"],
      ["Link", '</a>; rel="next", </b>; rel=invalidates, <http://localhost/c,d>; title="a, b"; rel="up Invalidates"'],
      ["LINK", "<../e>;rel=invalidates"],
    ];
    expect(stale("/notes/", ...fields)).toEqual(["/notes/", "/notes/3", "/notes/4?x=1", "/b", "/c,d", "/e"]);
  });

  it("are named once, and only where they are URLs that can be read", () => {
    expect(
      stale("/a", ["Location", "/a"], ["Content-Location", "urn:x"], ["Link", "<mailto:a>; rel=invalidates"]),
    ).toEqual(["/a"]);
    expect(stale("/a", ["Location", "http://["])).toEqual(["/a"]);
  });

  it.each([
    [201, 1],
    [303, 1],
    [500, 1],
    [undefined, 1],
    [400, 0],
    [409, 0],
  ])("are there for all outcomes but a 4xx: %s", (status, count) => {
    expect(staleUrls({ target: "/a", status, fields: [] })).toHaveLength(count);
  });

  it.each([
    ["http://localhost/new/7?x=1", "/new/7?x=1"],
    ["../new/7", "/new/7"],
  ])("are the Destination of COPY and MOVE, too: %s [R-DER-4]", (destination, named) => {
    expect(staleUrls({ target: "/old/7", destination, status: 201, fields: [] })).toEqual(["/old/7", named]);
    expect(staleUrls({ target: "/old/7", destination, status: 412, fields: [] })).toEqual([]);
  });

  it("take a target of two slashes for a path", () => {
    expect(stale("//evil/a", ["Location", "b"])).toEqual(["//evil/a", "/evil/b"]);
  });
});

describe("methods that may write", () => {
  it("are all but those that are registered as safe", () => {
    const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "POST", "PUT", "PATCH", "DELETE", "LOCK", "X"];
    expect(methods.filter(isUnsafeMethod)).toEqual(["POST", "PUT", "PATCH", "DELETE", "LOCK", "X"]);
  });
});
