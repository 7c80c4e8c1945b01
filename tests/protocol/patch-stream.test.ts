import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventStreamDecoder, encodePatchEvent, formatPointer, resolvePointer } from "../../src/protocol/index.ts";
import { bytesOf, patchStreamVectors } from "./vectors.ts";

const runs = { numRuns: 1_000, seed: 6902 };

describe("a patch stream", () => {
  it.each(patchStreamVectors)("with $name is written, or said to be impossible [$requirement]", (vector) => {
    const steps = vector.steps.map(({ bodyHex, ...step }) => {
      return bodyHex === undefined ? step : { ...step, body: bytesOf(bodyHex) };
    });
    const bytes = encodePatchEvent(steps, vector.eventId ?? undefined, vector.record);
    expect(bytes ? new TextDecoder().decode(bytes) : null).toBe(vector.event);
  });

  it("has each record's own JSON as its value, wherever it stands in its body [R-STR-12]", () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab/~"\\\u2028\u20ac {[]},:'), maxLength: 4 });
    const body = fc.tuple(fc.array(fc.tuple(name, fc.jsonValue()), { maxLength: 4 }), name, fc.jsonValue());
    fc.assert(
      fc.property(body, fc.constantFrom(0, 1, "\t", "\r\n "), ([others, key, value], indent) => {
        const document = Object.fromEntries([...others, [key, value], ...others]);
        const pointer = formatPointer(key);
        const bytes = encodePatchEvent(
          [{ status: 201, url: "/a", body: JSON.stringify(document, null, indent) }],
          undefined,
          pointer,
        );
        const [event] = bytes ? new EventStreamDecoder().decode(bytes) : [];
        const expected = JSON.parse(JSON.stringify(resolvePointer(document, pointer)));
        expect(JSON.parse(event?.data ?? "")).toEqual([{ op: "add", path: "/a", value: expected }]);
        expect(event?.data).toMatch(/^[^\r\n\x85\u2028\u2029]*$/);
      }),
      runs,
    );
  });

  it("has lists of many elements and strings of many backslashes read in one go [R-SEC-8]", () => {
    const record = { list: Array.from({ length: 50_000 }, (_, at) => [at]), text: "\\".repeat(100_000), last: 1 };
    const steps = [{ status: 202, url: "/a", body: JSON.stringify({ before: record, record }) }] as const;
    const bytes = encodePatchEvent(steps, undefined, "/record");
    const [event] = bytes ? new EventStreamDecoder().decode(bytes) : [];
    expect(JSON.parse(event?.data ?? "")[0].value).toEqual(record);
  });
});
