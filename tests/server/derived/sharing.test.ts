import { describe, expect, test } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { type Sharing, sharingOf } from "../../../src/server/derived/sharing.ts";
import { isAnonymous, viewerKeyOf } from "../../../src/server/viewer.ts";

const anna: Field[] = [
  ["Host", "example.com"],
  ["Cookie", "session=anna"],
];
const ben: Field[] = [
  ["Host", "example.com"],
  ["Cookie", "session=ben"],
];
const isPublic: Field = ["Cache-Control", "public, max-age=1"];

interface Asked {
  readonly viewer?: string;
  readonly address?: string;
  readonly sharesAnonymous?: boolean;
}

function judge(fields: readonly Field[], answer: readonly Field[], { address, ...rest }: Asked = {}): Sharing {
  const viewerKey = viewerKeyOf("/items", fields, { address });
  return sharingOf({ target: "/items", fields, viewerKey, isAnonymous: isAnonymous(fields), ...rest }, answer);
}

function shares(a: readonly Field[], b: readonly Field[], answer: readonly Field[] = [], viewer?: string): boolean {
  const asked = viewer === undefined ? {} : { viewer };
  const [one, other] = [judge(a, answer, asked), judge(b, answer, asked)];
  return one.kind === other.kind && one.key === other.key && one.kind !== "request";
}

describe("Two viewers", () => {
  test.each<[string, Field]>([
    ["Authorization", ["authorization", "x"]],
    ["a cookie", ["Cookie", "a=b"]],
    ["a key in a field of its own", ["X-Api-Key", "k"]],
    ["what a proxy says of the user", ["X-Forwarded-User", "anna"]],
    ["a proxy's certificate field", ["X-Forwarded-Client-Cert", "Hash=1"]],
    ["the browser", ["User-Agent", "a"]],
    ["a language", ["Accept-Language", "de"]],
    ["the page that asks", ["Origin", "https://a.example"]],
    ["where it was before", ["Referer", "https://a.example/x"]],
    ["a forwarded address", ["X-Forwarded-For", "192.0.2.1"]],
    ["a real address", ["X-Real-IP", "192.0.2.1"]],
    ["a chain of proxies", ["Forwarded", "for=192.0.2.1"]],
    ["a field that nobody knows", ["X-Odd", "1"]],
  ])("that differ in %s do not share a view [R-DER-1]", (_title, field) => {
    const host: Field = ["Host", "h"];
    expect(shares([host, field], [host])).toBe(false);
    expect(shares([host, field], [host, [field[0], "other"]])).toBe(false);
    expect(shares([host, field], [host, field])).toBe(true);
  });

  test("that come from other addresses, or prove to be others, do not share a view [R-DER-1]", () => {
    expect(judge(anna, [], { address: "a" }).key).not.toBe(judge(anna, [], { address: "b" }).key);
    expect(viewerKeyOf("/a", anna, { certificate: "1" })).not.toBe(viewerKeyOf("/a", anna, { certificate: "2" }));
    expect(viewerKeyOf("/a", anna, { certificate: "1" })).not.toBe(viewerKeyOf("/a", anna, { address: "1" }));
    expect(viewerKeyOf("/a", anna)).not.toBe(viewerKeyOf("/b", anna));
  });

  test.each<[string, Field]>([
    ["the connection", ["Connection", "upgrade"]],
    ["its handshake", ["Sec-WebSocket-Key", "abc"]],
    ["its trace", ["traceparent", "00-1"]],
    ["a request's number", ["X-Request-ID", "1"]],
    ["a position", ["Last-Event-ID", "d-1"]],
    ["what it has", ["If-Modified-Since", "yesterday"]],
  ])("that differ in what belongs to %s only share a view", (_title, field) => {
    expect(shares([...anna, field], [...anna, [field[0], "other"]])).toBe(true);
  });

  test("share a view whatever the order of their fields, but for those of one name", () => {
    const one: Field[] = [
      ["A", "1"],
      ["B", "2"],
    ];
    expect(shares(one, [...one].reverse())).toBe(true);
    expect(
      shares(
        [
          ["A", "1"],
          ["A", "2"],
        ],
        [
          ["A", "2"],
          ["A", "1"],
        ],
      ),
    ).toBe(false);
  });
});

describe("What the application declares for several", () => {
  test.each<[string, readonly Field[]]>([
    ["public", [isPublic]],
    ["Public", [["cache-control", "Max-Age=0, PUBLIC"]]],
    ["s-maxage", [["Cache-Control", "s-maxage=10"]]],
    [
      "public in a second field",
      [
        ["Cache-Control", "max-age=1"],
        ["Cache-Control", "public"],
      ],
    ],
  ])("by %s is shared by all", (_title, answer) => {
    expect(judge(anna, answer).kind).toBe("declared");
    expect(shares(anna, ben, answer)).toBe(true);
    expect(shares([...anna, ["User-Agent", "a"]], ben, answer)).toBe(true);
  });

  test.each<[string, readonly Field[]]>([
    ["nothing", []],
    ["max-age", [["Cache-Control", "max-age=60"]]],
    ["s-maxage=0", [["Cache-Control", "s-maxage=0"]]],
    ["a name that contains it", [["Cache-Control", "republic, publicity=1"]]],
    ["a quoted text", [["Cache-Control", 'x="a, public, b"']]],
    ["a quoted text that does not end", [["Cache-Control", 'public, x="a']]],
    ["public and private", [["Cache-Control", "public, private"]]],
    ["public and private fields", [["Cache-Control", 'public, private="x, y"']]],
    ["public and no-store", [["Cache-Control", "public, no-store"]]],
    ["public that must be asked for each time", [["Cache-Control", "public, no-cache"]]],
    ["public that sets a cookie", [isPublic, ["Set-Cookie", "a=b"]]],
    ["public that varies by everything", [isPublic, ["Vary", "Accept, *"]]],
  ])("is not what has %s [R-DER-2]", (_title, answer) => {
    expect(judge(anna, answer, { viewer: undefined as never }).kind).toBe("viewer");
    expect(shares(anna, ben, answer)).toBe(false);
  });

  test("is shared by those who agree in what Vary names, and in what they accept [R-DER-2]", () => {
    const vary: Field[] = [isPublic, ["Vary", "Accept-Encoding, cookie"]];
    expect(shares(anna, ben, vary)).toBe(false);
    expect(shares([...anna, ["User-Agent", "a"]], anna, vary)).toBe(true);
    expect(shares([...anna, ["Accept", "text/csv"]], ben, [isPublic])).toBe(false);
  });

  test("by name is shared by those of one name, unless the answer is private [R-DER-2]", () => {
    expect(shares(anna, ben, [], "tenant-1")).toBe(true);
    expect(judge(anna, [], { viewer: "a" }).key).not.toBe(judge(anna, [], { viewer: "b" }).key);
    for (const field of [
      ["Cache-Control", "private"],
      ["Set-Cookie", "a"],
      ["Vary", "*"],
      ["Vary", "Cookie"],
    ] as const) {
      expect(shares(anna, ben, [field], "tenant-1")).toBe(false);
    }
  });

  test.each<[string, readonly Field[], string | undefined]>([
    ["public", [isPublic], undefined],
    ["shared by name", [], "everyone"],
  ])("as %s is not shared with those who asked another site [R-DER-1]", (_title, answer, viewer) => {
    expect(shares([["Host", "a"]], [["Host", "b"]], answer, viewer)).toBe(false);
    expect(shares([["X-Forwarded-Host", "a"]], [["X-Forwarded-Host", "b"]], answer, viewer)).toBe(false);
    expect(shares([["Forwarded", "for=x;host=a"]], [["Forwarded", "for=y;host=b"]], answer, viewer)).toBe(false);
    expect(shares([["Forwarded", "for=x;host=a"]], [["Forwarded", "for=y;host=a"]], answer, viewer)).toBe(true);
    expect(shares([["Forwarded", 'host="a;b"']], [["Forwarded", 'host="a;c"']], answer, viewer)).toBe(false);
  });
});

describe("Somebody unknown", () => {
  const nobody: Field[] = [
    ["Host", "h"],
    ["Accept", "*/*"],
    ["User-Agent", "x"],
    ["X-Forwarded-For", "192.0.2.1"],
    ["Forwarded", "for=192.0.2.1"],
  ];

  test("is one whose fields name nobody", () => {
    expect(isAnonymous(nobody)).toBe(true);
    expect(isAnonymous(nobody, { address: "a" })).toBe(true);
    expect(isAnonymous(nobody, { certificate: "c" })).toBe(false);
    expect(isAnonymous([...nobody, ["X-Odd", "1"]])).toBe(false);
  });

  test("has a private answer for that one request [R-DER-2]", () => {
    expect(judge(nobody, [["Cache-Control", "private"]]).kind).toBe("request");
    expect(judge([...nobody, ["Cookie", "a"]], [["Cache-Control", "private"]]).kind).toBe("viewer");
  });

  test("shares with others who are unknown where the application says so", () => {
    const other: Field[] = [
      ["Host", "h"],
      ["Accept", "*/*"],
      ["User-Agent", "y"],
    ];
    const asked = { sharesAnonymous: true };
    expect(judge(nobody, [], asked)).toEqual(judge(other, [], asked));
    expect(judge(nobody, [["Vary", "User-Agent"]], asked).key).not.toBe(
      judge(other, [["Vary", "User-Agent"]], asked).key,
    );
    expect(judge([...other, ["Cookie", "a"]], [], asked).kind).toBe("viewer");
  });
});
