import { describe, expect, test } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { hasCredentials, sharingOf, viewerKeyOf } from "../../../src/server/derived/sharing.ts";

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
  return sharingOf("/items", a, response, viewer).key === sharingOf("/items", b, response, viewer).key;
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

test("credentials are Authorization and Cookie", () => {
  expect([hasCredentials(anna), hasCredentials([["authorization", "x"]]), hasCredentials([["Host", "h"]])]).toEqual([
    true,
    true,
    false,
  ]);
});

test("viewers of another target have another key", () => {
  expect(viewerKeyOf("/a", anna)).not.toBe(viewerKeyOf("/b", anna));
});
