import { describe, expect, it } from "vitest";
import { streamIn } from "../../src/check/client/way.ts";

describe("the stream that an Accept asks a check for", () => {
  it.each([
    ["text/event-stream", "events"],
    ["Text/Event-Stream;q=0.5", "events"],
    ["application/http", "parts"],
    ['application/http;msgtype="response"', "parts"],
    ["application/http;msgtype=request", undefined],
    ["text/event-stream, application/http", "events"],
    ["text/event-stream;q=0.4, application/http;q=0.5", "parts"],
    ["text/event-stream, application/merge-patch+json;q=0.5", "events"],
    ["application/json, text/event-stream", undefined],
    ["text/event-stream, */*", undefined],
    ["text/event-stream;q=0", undefined],
    ["*/*", undefined],
    ["", undefined],
  ])("of %j is %s [R-STR-1]", (accept, way) => {
    expect(streamIn(accept)).toBe(way);
  });
});
