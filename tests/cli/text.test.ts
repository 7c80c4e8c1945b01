import { describe, expect, it } from "vitest";
import { parseHeader, parseTarget } from "../../src/cli/parse.ts";
import { describeStatus, parseRetryAfter, problemDetail } from "../../src/cli/refusal.ts";
import { isLoopbackHost, urlOf } from "../../src/cli/serve-options.ts";
import { describeAdditions, listCollections, sqliteWarning } from "../../src/cli/serve-text.ts";

describe("the list of collections", () => {
  it("stands in columns", () => {
    const collections = [
      { path: "/artists", count: 123 },
      { path: "/plays", count: 1_234_567 },
    ];
    expect(listCollections(collections)).toBe("  /artists        123\n  /plays    1,234,567");
  });

  it("says of which not all records were counted", () => {
    const collections = [
      { path: "/artists", count: 123 },
      { path: "/plays", count: 100_000, hasMore: true as const },
    ];
    expect(listCollections(collections)).toBe("  /artists           123\n  /plays    over 100,000");
  });

  it("says that there are none", () => {
    expect(listCollections([])).toBe("  (no tables yet)");
  });
});

describe("the warning about SQLite", () => {
  it.each(["3.40.1", "3.51.2", "3.9.0"])("is given for %s", (version) => {
    expect(sqliteWarning(version)).toContain(`SQLite ${version}`);
  });

  it.each(["3.51.3", "3.52", "3.100.0", "4.0.0", undefined])("is not given for %s", (version) => {
    expect(sqliteWarning(version)).toBeUndefined();
  });
});

describe("the line that removes what was added", () => {
  it("can be pasted into a shell", () => {
    expect(describeAdditions("a/b.db")).toMatch(/rocket serve a\/b\.db --detach$/);
    expect(describeAdditions("it's a.db")).toMatch(/rocket serve 'it'\\''s a\.db' --detach$/);
  });
});

describe("the URL to follow", () => {
  it.each([
    ["http://a/b?c=d", "ws://a/b?c=d"],
    ["https://a:444/b", "wss://a:444/b"],
    ["ws://a/b", "ws://a/b"],
    ["WSS://a/b#c", "wss://a/b"],
    ["127.0.0.1:8080/artists", "ws://127.0.0.1:8080/artists"],
    ["localhost:8080", "ws://localhost:8080/"],
  ])("%s is %s", (text, url) => {
    expect(parseTarget(text)).toBe(url);
  });
});

describe("a header of the handshake", () => {
  it("has a name and a value, and adds to those before it", () => {
    expect(parseHeader("B:  c: d ", [["A", ""]])).toEqual([
      ["A", ""],
      ["B", "c: d"],
    ]);
  });
});

describe("a host", () => {
  it.each(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("%s is loopback", (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(["0.0.0.0", "::", "127.0.0.1.example.com", "192.168.0.1", "localhost.example.com"])(
    "%s is not loopback",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it("has brackets in a URL where it is an IPv6 address", () => {
    expect([urlOf("::1", 80), urlOf("127.0.0.1", 80)]).toEqual(["http://[::1]:80", "http://127.0.0.1:80"]);
  });
});

describe("a refusal", () => {
  it("is told by its status and the problem's detail, else its title", () => {
    expect(describeStatus(404, problemDetail('{"detail":"gone","title":"t"}'))).toBe("404 Not Found: gone");
    expect(describeStatus(404, problemDetail('{"title":"t"}'))).toBe("404 Not Found: t");
    expect(describeStatus(404, problemDetail("<html>"))).toBe("404 Not Found");
    expect(describeStatus(599, problemDetail("[null]"))).toBe("599");
  });

  it.each([
    ["7", 7_000],
    ["0", 0],
    ["99999999", 3_600_000],
    ["Thu, 01 Jan 1970 00:00:05 GMT", 4_000],
    ["Wed, 31 Dec 1969 00:00:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("with Retry-After %s is waited for %s ms", (value, waitMs) => {
    expect(parseRetryAfter(value, 1_000)).toBe(waitMs);
  });
});
