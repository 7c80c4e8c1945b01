import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commentEvent,
  decodeEvent,
  decodeResponse,
  EventStreamDecoder,
  encodeEvent,
  encodeResponse,
  encodeRetry,
  type Field,
  type StreamEvent,
  utf8Length,
} from "../../src/protocol/index.ts";
import { cut, oneByOne, places } from "./pieces.ts";
import {
  bytesOf,
  dataOf,
  type EventStreamVector,
  eventMessageVectors,
  eventRefusalVectors,
  eventStreamVectors,
} from "./vectors.ts";

const runs = { numRuns: 1_000, seed: 2013 };
const utf8 = new TextEncoder();
const tooLarge = expect.objectContaining({ name: "ProtocolError", closeCode: 1009 });

function readAll(pieces: readonly Uint8Array[], decoder = new EventStreamDecoder()): StreamEvent[] {
  return pieces.flatMap((piece) => decoder.decode(piece));
}

function bytesOfStream({ text, hex = "" }: EventStreamVector): Uint8Array {
  return text === undefined ? bytesOf(hex) : utf8.encode(text);
}

/** The events of a whole stream, as WHATWG HTML §9.2.6 says it step by step. */
function interpret(stream: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  let [type, data, id] = ["", "", ""];
  const lines = stream.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data !== "") events.push({ type: type === "" ? "message" : type, data: data.replace(/\n$/, ""), id });
      [type, data] = ["", ""];
    }
    const [, field, value = ""] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") type = value;
    if (field === "data") data += `${value}\n`;
    if (field === "id" && !value.includes("\0")) id = value;
  }
  return events;
}

describe("a stream of events", () => {
  it.each(eventStreamVectors)("with $name is read, in one piece and byte by byte [$requirement]", (vector) => {
    const bytes = bytesOfStream(vector);
    for (const pieces of [[bytes], oneByOne(bytes)]) {
      const decoder = new EventStreamDecoder();
      expect(readAll(pieces, decoder)).toEqual(vector.events);
      expect(decoder.retryMs ?? null).toBe(vector.retryMs);
    }
  });

  it("is read as the standard says it, wherever it is cut [R-STR-7]", () => {
    const part = fc.constantFrom(
      ..."\r\n\r\n: a\0\ufeff\u20ac",
      ...["\r\n", "\n\n", "data", "data: ", "id: ", "event:", "retry: 5", "\u{1f3b8}", "\n\ndata: x\n\n", "\r\r"],
    );
    const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, places, (stream, at) => {
        expect(readAll(cut(utf8.encode(stream), at))).toEqual(interpret(stream));
      }),
      runs,
    );
  });

  it("may have events up to a bound, however they come [R-STR-7]", () => {
    const longest = `data: ${"a".repeat(10)}\n\n`.repeat(3);
    const longer = [`data: ${"a".repeat(11)}\n\n`, "a".repeat(17), "data: 12345\n".repeat(3), `:${"a".repeat(17)}`];
    for (const split of [(bytes: Uint8Array) => [bytes], oneByOne]) {
      expect(readAll(split(utf8.encode(longest)), new EventStreamDecoder(16))).toHaveLength(3);
      for (const stream of longer) {
        expect(() => readAll(split(utf8.encode(stream)), new EventStreamDecoder(16))).toThrow(tooLarge);
      }
    }
  });

  it("that comes byte by byte is read in time that grows with its length [R-SEC-8] [R-STR-7]", () => {
    const length = 400_000;
    const line = readAll(oneByOne(utf8.encode(`data: ${"a".repeat(length)}\n\n`)));
    expect(line[0]?.data).toHaveLength(length);
    const lines = readAll(oneByOne(utf8.encode(`${"data\n".repeat(length / 5)}\n`)));
    expect(lines[0]?.data).toHaveLength(length / 5 - 1);
  });

  it("has comments and waits that are no events [R-STR-6]", () => {
    const decoder = new EventStreamDecoder();
    expect(new TextDecoder().decode(commentEvent)).toBe(":\n\n");
    expect(new TextDecoder().decode(encodeRetry(1500))).toBe("retry: 1500\n\n");
    expect(readAll([commentEvent, encodeRetry(1500), commentEvent], decoder)).toEqual([]);
    expect(decoder.retryMs).toBe(1500);
    for (const ms of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => encodeRetry(ms)).toThrow(RangeError);
  });
});

describe("a message", () => {
  it.each(eventMessageVectors)("with $name is written as an event and read again [$requirement]", (vector) => {
    const { event, expect: expected } = vector;
    const bytes = encodeEvent(dataOf(vector));
    expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)).toBe(event);
    const { bodyHex, ...rest } = expected;
    const [read] = new EventStreamDecoder().decode(bytes);
    expect(read && decodeEvent(read)).toEqual(bodyHex === undefined ? rest : { ...rest, body: bytesOf(bodyHex) });
  });

  it.each(eventRefusalVectors)("in an event with $name is left alone or refused [$requirement]", (vector) => {
    const event = { type: vector.type, data: vector.data, id: "" };
    if (vector.closeCode === null) expect(decodeEvent(event)).toBeUndefined();
    else {
      const refusal = expect.objectContaining({ name: "ProtocolError", closeCode: vector.closeCode });
      expect(() => decodeEvent(event)).toThrow(refusal);
    }
  });

  it("comes out of an event as it went in, whatever its fields and body [R-STR-3] [R-STR-4] [R-STR-5]", () => {
    const value = fc.string({ unit: fc.constantFrom(...'aB \t:;"\u00e4\u00ff'), maxLength: 12 });
    const fields = fc.array(
      fc.tuple(fc.constantFrom("A", "data", "id", "Retry-After"), value).map(([name, text]): Field => {
        return [name, text.replace(/^[ \t]+|[ \t]+$/g, "")];
      }),
      { maxLength: 4 },
    );
    const text = fc.string({ unit: fc.constantFrom(..."\r\n\n: ab\0\ufeff\u2028\u0085\u{1f3b8}"), maxLength: 24 });
    const body = fc.oneof(
      text,
      text.map((content) => utf8.encode(content)),
      fc.uint8Array({ maxLength: 40 }),
    );
    const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);
    const mark = fc.constantFrom<Field[]>([], [["Event-ID", "k3v9:1042.5"]]);
    fc.assert(
      fc.property(fc.record({ status, fields, mark, body }), places, (message, at) => {
        const all = [...message.mark, ...message.fields];
        const frame = encodeResponse({ ...message, fields: all });
        const [event, ...more] = readAll(cut(encodeEvent(frame), at));
        expect(more).toEqual([]);
        expect(event?.type).toBe(String(message.status));
        expect(event?.id).toBe(message.mark.length > 0 ? "k3v9:1042.5" : "");
        const read = event && decodeEvent(event);
        const sent = decodeResponse(frame);
        expect({ ...read, body: Buffer.from(read?.body ?? "") }).toEqual({ ...sent, body: Buffer.from(sent.body) });
      }),
      runs,
    );
  });

  it("that others follow in one stream keeps the last mark as the id [R-STR-3]", () => {
    const change = (id?: string): Uint8Array => {
      return encodeEvent(
        encodeResponse({ status: 202, fields: id === undefined ? [] : [["Event-ID", id]], body: "{}" }),
      );
    };
    const events = readAll([change(), change("a:1.1"), change(), change("a:2.2")]);
    expect(events.map(({ id }) => id)).toEqual(["", "a:1.1", "a:1.1", "a:2.2"]);
    expect(readAll([change("a b"), change("\u00e4"), change("")]).map(({ id }) => id)).toEqual(["", "", ""]);
  });

  it("with a body of megabytes is written and read [R-STR-4]", () => {
    const body = new Uint8Array(3_000_000).fill(0xff);
    const [event] = readAll([encodeEvent(encodeResponse({ status: 200, fields: [], body }))]);
    expect(utf8Length(event?.data ?? "")).toBeGreaterThan(4_000_000);
    expect(event && Buffer.compare(Buffer.from(decodeEvent(event)?.body ?? ""), body)).toBe(0);
  });

  it("that the codec did not write is not taken for one [R-MSG-13]", () => {
    for (const text of ["", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nA: 1\r\n"]) {
      expect(() => encodeEvent(text)).toThrow(TypeError);
      expect(() => encodeEvent(utf8.encode(text))).toThrow(TypeError);
    }
  });
});
