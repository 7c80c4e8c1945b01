import { describe, expect, it } from "vitest";
import { isEndless } from "../../src/proxy/placed-exchange.ts";

describe("an answer's type", () => {
  it.each([
    ["text/event-stream", true],
    ["TEXT/Event-Stream; charset=utf-8", true],
    ["multipart/x-mixed-replace;boundary=x", true],
    ["application/x-ndjson", true],
    ["application/jsonl", true],
    ["application/json-seq", true],
    ["application/json", false],
    ["text/event-streams", false],
    ["text/plain; note=text/event-stream", false],
  ])("%s says whether it may be silent for any time: %s", (type, expected) => {
    expect(isEndless(["X", "text/event-stream", "content-type", type])).toBe(expected);
  });
});
