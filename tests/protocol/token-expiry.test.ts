import { expect, it } from "vitest";
import { tokenExpiry } from "../../src/protocol/index.ts";

const jwt = (payload: string): string => `Bearer a.${Buffer.from(payload).toString("base64url")}.b`;

it.each<[string, string | undefined, number | undefined]>([
  ["a number", jwt('{"exp":12}'), 12_000],
  ["a text", jwt('{"exp":"12"}'), undefined],
  ["no number", jwt('{"exp":1e999}'), undefined],
  ["nothing", jwt("{}"), undefined],
  ["no object", jwt("null"), undefined],
  ["no JSON", jwt("{"), undefined],
  ["no JWT", "Bearer abc", undefined],
  ["another scheme's", "Basic YTpi", undefined],
  ["absent", undefined, undefined],
])("A token's expiry that is %s is read as such", (_title, authorization, expected) => {
  expect(tokenExpiry(authorization)).toBe(expected);
});
