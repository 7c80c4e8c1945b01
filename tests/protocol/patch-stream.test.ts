import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EventStreamDecoder,
  encodePatchEvent,
  encodePatchLine,
  encodeResponse,
  type Field,
  formatPointer,
  PatchCollector,
  resolvePointer,
} from "../../src/protocol/index.ts";
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

  it("is the same whether it is made of steps, or of the lines of whole batches of messages [R-STR-11] [R-STR-12]", () => {
    const step = fc.record({
      status: fc.constantFrom(201, 202, 204),
      url: fc.constantFrom("/a/1", "/a/~2", "/a/%7e"),
      value: fc.jsonValue(),
      isLast: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.boolean(), (steps, isBinary) => {
        const bodies = steps.map(({ value }) => JSON.stringify({ record: value }));
        const marks = steps.map(({ isLast }, at) => (isLast ? `m:${at}` : undefined));
        const lines = steps.map(({ status, url }, at) => {
          const mark: Field[] = marks[at] === undefined ? [] : [["Event-ID", marks[at]]];
          const text = status === 204 ? "" : (bodies[at] ?? "");
          const body = isBinary ? new TextEncoder().encode(text) : text;
          const fields: Field[] = [["Content-Type", "application/json"], ["Content-Location", url], ...mark];
          return encodePatchLine(encodeResponse({ status, fields, body }), "/record");
        });
        const whole = marks.findLastIndex((mark) => mark !== undefined) + 1;
        const patch = steps.slice(0, whole).map(({ status, url }, at) => ({ status, url, body: bodies[at] ?? "" }));
        const expected = whole === 0 ? undefined : encodePatchEvent(patch as never, marks[whole - 1], "/record");
        const collector = new PatchCollector();
        expect(collector.add(Buffer.concat(lines))).toEqual(expected);
        expect(collector.heldLength > 0).toBe(whole < steps.length);
        const end = encodePatchLine(
          encodeResponse({
            status: 204,
            fields: [
              ["Content-Location", "/a/9"],
              ["Event-ID", "m:9"],
            ],
          }),
        );
        const [event] = new EventStreamDecoder().decode(collector.add(end) ?? new Uint8Array());
        expect(JSON.parse(event?.data ?? "")).toHaveLength(steps.length - whole + 1);
      }),
      runs,
    );
  });

  it("tells of no message that is no notification of a record in JSON", () => {
    const fields: Field[] = [["Content-Location", "/a/1"]];
    for (const message of [
      { status: 304, fields },
      { status: 201, fields: [], body: "{}" },
      { status: 201, fields, body: "no JSON" },
    ]) {
      expect(() => encodePatchLine(encodeResponse(message))).toThrow(TypeError);
    }
  });
});
