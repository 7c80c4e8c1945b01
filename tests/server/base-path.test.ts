import { describe, expect, it } from "vitest";
import { BasePath } from "../../src/server/index.ts";

describe("a base path", () => {
  it.each([
    ["", ""],
    ["/", ""],
    ["/api", "/api"],
    ["api/", "/api"],
    ["/a/b-2.0/~c", "/a/b-2.0/~c"],
  ])("is read from %j", (text, wanted) => {
    expect(new BasePath(text).text).toBe(wanted);
  });

  it.each(["///", "/a//b", "/a/..", "/.", "/a b", "/ä", "/a?b", "/%61", "http://a/b"])(
    "is not read from %j",
    (text) => {
      expect(() => new BasePath(text)).toThrow(/^basePath: /);
    },
  );

  it.each([
    ["/t/1?a=b", "/api/t/1?a=b"],
    ["/", "/api/"],
    ["/?a", "/api/?a"],
    ["/apis", "/api/apis"],
  ])("goes before %j and comes off again", (target, wanted) => {
    const base = new BasePath("/api");
    expect(base.add(target)).toBe(wanted);
    expect(base.remove(wanted)).toBe(target);
    expect([base.has(target), base.has(wanted)]).toEqual([false, true]);
  });

  it("stays where it is already, and what is no path stays as it is", () => {
    const base = new BasePath("/api");
    expect(["/api", "/api/t", "/api?a", "*", "http://a/t"].map((target) => base.add(target))).toEqual([
      "/api",
      "/api/t",
      "/api?a",
      "*",
      "http://a/t",
    ]);
    expect(["/api", "/api?a", "/t"].map((target) => base.remove(target))).toEqual(["/", "/?a", "/t"]);
  });

  it("is nothing to well-known URLs of the hub", () => {
    const targets = ["/api/.well-known/rocket?a", "/.well-known/rocket", "/api/.well-known/rockets"];
    expect(targets.map((target) => new BasePath("/api").enter(target))).toEqual([
      "/.well-known/rocket?a",
      "/.well-known/rocket",
      "/api/.well-known/rockets",
    ]);
  });

  it("changes nothing where it is the root", () => {
    const root = new BasePath();
    for (const change of ["add", "remove", "enter"] as const) expect(root[change]("/t?a")).toBe("/t?a");
  });
});
