import { describe, expect, test } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { isAnonymous, sharingOf, viewerKeyOf } from "../../../src/server/derived/sharing.ts";

const anna: Field[] = [
  ["Host", "example.com"],
  ["Cookie", "session=anna"],
];
const ben: Field[] = [
  ["Host", "example.com"],
  ["Cookie", "session=ben"],
];

function shares(a: readonly Field[], b: readonly Field[], answer: readonly Field[] = [], viewer?: string): boolean {
  const response = { status: 200, fields: answer, body: "" };
  const keyOf = (fields: readonly Field[]) => sharingOf({ target: "/items", fields, viewer }, response).key;
  return keyOf(a) === keyOf(b);
}

describe("two viewers", () => {
  test("with other credentials do not share a view [R-DER-1]", () => {
    expect(shares(anna, ben)).toBe(false);
    expect(shares([["X-Api-Key", "1"]], [["X-Api-Key", "2"]])).toBe(false);
    expect(shares([["X-Odd-Tenant", "1"]], [])).toBe(false);
  });

  test("that differ in inert fields only share a view", () => {
    expect(shares([...anna, ["User-Agent", "a"]], [...anna, ["user-agent", "b"], ["Sec-Fetch-Mode", "cors"]])).toBe(
      true,
    );
    expect(
      shares(
        [
          ["A", "1"],
          ["B", "2"],
        ],
        [
          ["b", "2"],
          ["a", "1"],
        ],
      ),
    ).toBe(true);
  });

  test("do not share where Vary names the inert field in which they differ [R-DER-2]", () => {
    const german: Field[] = [...anna, ["Accept-Language", "de"]];
    const french: Field[] = [...anna, ["Accept-Language", "fr"]];
    expect(shares(german, french)).toBe(true);
    expect(shares(german, french, [["Vary", "Accept-Encoding, accept-language"]])).toBe(false);
  });

  test("share what the app calls public, but for what Vary names", () => {
    const open: Field[] = [["Cache-Control", "public, max-age=1"]];
    expect(shares(anna, ben, open)).toBe(true);
    expect(shares(anna, ben, [...open, ["Vary", "Cookie"]])).toBe(false);
    expect(shares([...anna, ["Accept", "text/csv"]], ben, open)).toBe(false);
  });

  test.each<[string, Field]>([
    ["Vary: *", ["Vary", "*"]],
    ["Set-Cookie", ["Set-Cookie", "a=b"]],
    ["Cache-Control: private", ["Cache-Control", "private"]],
    ["Cache-Control: no-store", ["Cache-Control", "no-store"]],
  ])("never share an answer with %s, even one called public [R-DER-2]", (_title, field) => {
    expect(shares(anna, ben, [["Cache-Control", "public"], field])).toBe(false);
    expect(shares(anna, anna, [field])).toBe(true);
  });

  test("share where the app gives them one name", () => {
    expect(shares(anna, ben, [], "tenant-1")).toBe(true);
    expect(shares([...anna, ["Accept", "text/csv"]], ben, [], "tenant-1")).toBe(false);
  });
});

describe("who asks", () => {
  test.each<[string, Field]>([
    ["Authorization", ["authorization", "x"]],
    ["a cookie", ["Cookie", "a=b"]],
    ["a key in a field of its own", ["X-Api-Key", "k"]],
    ["what a proxy says of the user", ["X-Forwarded-User", "anna"]],
    ["a proxy's certificate field", ["X-Forwarded-Client-Cert", "Hash=1"]],
  ])("is told by %s, which keeps viewers apart [R-DER-1]", (_title, field) => {
    expect(isAnonymous([["Host", "h"], field])).toBe(false);
    expect(shares([["Host", "h"], field], [["Host", "h"]])).toBe(false);
    expect(
      shares(
        [["Host", "h"], field],
        [
          ["Host", "h"],
          [field[0], "other"],
        ],
      ),
    ).toBe(false);
  });

  test("is not told by inert fields, Accept and the site that is asked", () => {
    const fields: Field[] = [
      ["Host", "h"],
      ["Accept", "*/*"],
      ["User-Agent", "x"],
      ["X-Forwarded-For", "1.2.3.4"],
      ["Forwarded", "for=1.2.3.4"],
    ];
    expect(isAnonymous(fields)).toBe(true);
    expect(
      shares(fields, [
        ["host", "h"],
        ["accept", "*/*"],
        ["Forwarded", "for=5.6.7.8"],
      ]),
    ).toBe(true);
  });

  test("is told by the peer's identity [R-DER-1]", () => {
    expect(viewerKeyOf("/a", anna, "cert-1")).not.toBe(viewerKeyOf("/a", anna, "cert-2"));
    expect(viewerKeyOf("/a", anna, "cert-1")).not.toBe(viewerKeyOf("/a", anna));
  });
});

test.each<[string, readonly Field[], string | undefined]>([
  ["public", [["Cache-Control", "public"]], undefined],
  ["joined by name", [], "everyone"],
  ["anybody's", [], undefined],
])("an answer that is %s is not shared with those who asked another site [R-DER-1]", (_title, answer, viewer) => {
  expect(shares([["Host", "a"]], [["Host", "b"]], answer, viewer)).toBe(false);
  expect(shares([["X-Forwarded-Host", "a"]], [["X-Forwarded-Host", "b"]], answer, viewer)).toBe(false);
  expect(shares([["Forwarded", "for=x;host=a"]], [["Forwarded", "for=y;host=b"]], answer, viewer)).toBe(false);
});

test("what several would share by name they do not where the answer is private or varies [R-DER-2]", () => {
  for (const answer of [
    ["Cache-Control", "private"],
    ["Set-Cookie", "a"],
    ["Vary", "*"],
    ["Vary", "Cookie"],
  ] as const) {
    expect(shares(anna, ben, [answer], "tenant-1")).toBe(false);
  }
});

test("an answer that varies by everything is not shared by those who differ in an inert field [R-DER-2]", () => {
  expect(shares([...anna, ["User-Agent", "a"]], [...anna, ["User-Agent", "b"]], [["Vary", "*"]])).toBe(false);
});

test("an answer that varies by an inert field is not open to those who did not ask themselves [R-DER-2]", () => {
  const response = { status: 200, fields: [["Vary", "Accept-Language"]] as const, body: "" };
  expect(sharingOf({ target: "/items", fields: [["Host", "h"]] }, response).isOpen).toBe(false);
});

test("viewers of another target have another key", () => {
  expect(viewerKeyOf("/a", anna)).not.toBe(viewerKeyOf("/b", anna));
});
