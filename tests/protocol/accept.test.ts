import { describe, expect, it } from "vitest";
import {
  acceptedRanges,
  acceptWeight,
  chooseStream,
  type Field,
  isAcceptedByName,
  parseAccept,
  preferredWaitSeconds,
  prefersStrict,
} from "../../src/protocol/index.ts";
import { acceptVectors, preferVectors } from "./vectors.ts";

describe("a stream", () => {
  it.each(acceptVectors)("is asked for or not by Accept: $accept [$requirement]", ({ accept, stream, inner }) => {
    const fields = accept.map((value): Field => ["Accept", value]);
    const expected = stream === null ? undefined : { kind: stream, ...(inner === null ? {} : { accept: inner }) };
    expect(chooseStream([["X", "text/event-stream"], ...fields])).toEqual(expected);
  });
});

describe("an Accept", () => {
  it("is read with its parameters and weights (RFC 9110 §12.5.1)", () => {
    expect(parseAccept('text/*;q=0.3, Text/Plain;Format="a\\"b,c";q=0.7;ext=1,\t*/* ;Q=0.5')).toEqual([
      { text: "text/*;q=0.3", type: "text/*", parameters: new Map(), weight: 0.3 },
      {
        text: 'Text/Plain;Format="a\\"b,c";q=0.7;ext=1',
        type: "text/plain",
        parameters: new Map([["format", 'a"b,c']]),
        weight: 0.7,
      },
      { text: "*/* ;Q=0.5", type: "*/*", parameters: new Map(), weight: 0.5 },
    ]);
  });

  it.each([
    ["", "application/json", 1],
    ["application/json", "application/json", 1],
    ["application/json", "text/html", 0],
    ["application/*;q=0.2, */*;q=0.1", "application/json", 0.2],
    ["application/*;q=0.2, */*;q=0.1", "text/html", 0.1],
    ["*/*, application/json;q=0", "application/json", 0],
    ["application/json;q=0.1, application/json;v=2;q=0.4", "application/json", 0.4],
    ["text/html, image/gif, *; q=.2", "application/json", 0],
    ["text/html;q=0.2, image/gif, *; q=.2", "text/html", 0.2],
    ["*; q=.2", "application/json", 1],
    ["text/html;q=x, application/json;q=0.5", "text/html", 0],
    ["text/html;q=x, application/json;q=0.5", "application/json", 0.5],
    ['a b="c,text/html", application/json', "text/html", 0],
    ['text/html;a="b\\', "application/json", 1],
    ['text/plain; for="application/json"; options=;', "application/json", 0],
    ['text/plain; for="application/json"; options=;', "text/plain", 1],
    ["text/html;q=0.1234567", "text/html", 0.1234567],
  ])("%j wants %s by %d", (accept, mediaType, weight) => {
    expect(acceptWeight(acceptedRanges([["accept", accept]]), mediaType)).toBe(weight);
  });

  it.each([
    ["application/merge-patch+json, application/json", true],
    ["application/json, Application/Merge-Patch+JSON;q=0.1", true],
    ["application/merge-patch+json;q=0", false],
    ["application/*", false],
    ["*/*", false],
    ["", false],
    ["application/merge-patch+json, json", true],
  ])("%j takes merge patches by name: %j [R-DELTA-1]", (accept, isTaken) => {
    expect(isAcceptedByName(parseAccept(accept), "application/merge-patch+json")).toBe(isTaken);
  });

  it("of many ranges, quotes and blanks is read in one go [R-SEC-8]", () => {
    const many = 100_000;
    expect(parseAccept("a/b;q=0.5,".repeat(many))).toHaveLength(many);
    const stray = ['@"\\'.repeat(many), '"'.repeat(many), `a/b${";x=".repeat(many)}@`, `a/b;x${" ".repeat(many)}@`];
    for (const bad of [`a/b;${'x="'.repeat(many)}`, `a/b${" ".repeat(many)}c`, `a/b${";".repeat(many)}=`, ...stray]) {
      expect(parseAccept(bad)).toEqual([]);
    }
  });
});

describe("a Prefer", () => {
  it.each(preferVectors)("of $prefer is strict: $strict, and waits $waitSeconds s [$requirement]", (vector) => {
    const fields = vector.prefer.map((value): Field => ["Prefer", value]);
    expect(prefersStrict([["X", "handling=strict"], ...fields])).toBe(vector.strict);
    expect(preferredWaitSeconds([["X", "wait=1"], ...fields]) ?? null).toBe(vector.waitSeconds);
  });

  it("of many members that are malformed is read in one go [R-SEC-8]", () => {
    const many = 50_000;
    for (const bad of ['a="\\",'.repeat(many), "@,".repeat(many), `a${";x".repeat(many)}=`, 'a;b=",'.repeat(many)]) {
      expect(preferredWaitSeconds([["Prefer", bad]])).toBeUndefined();
    }
  });
});
