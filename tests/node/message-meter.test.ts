import { expect, it } from "vitest";
import { MessageMeter } from "../../src/node/message-meter.ts";
import { frame } from "./fixture.ts";

const pieceBytes = 128;

function metered(...pieces: readonly Buffer[]): number {
  const meter = new MessageMeter();
  for (const piece of pieces) meter.add(piece);
  return meter.bytes;
}

/** A message in frames of 16 bits of length, as most clients write it. */
function mediumFrame(length: number): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x80 | 126, length >> 8, length & 0xff, 0, 0, 0, 0]), Buffer.alloc(length)]);
}

it.each([
  ["short", frame(1, "abc")],
  ["empty", frame(2, "")],
  ["medium", mediumFrame(60_000)],
  ["long", frame(2, Buffer.alloc(100_000))],
  ["unmasked", frame(1, "abc", true, false)],
  [
    "fragmented",
    Buffer.concat([frame(1, "abc", false), frame(9, "ping"), frame(0, ""), frame(0, "d", false), frame(0, "e")]),
  ],
  ["control", Buffer.concat([frame(9, ""), frame(10, "x".repeat(125)), frame(8, "")])],
])("a whole message counts nothing, in one piece or byte by byte: %s [R-SEC-5]", (_what, bytes) => {
  const meter = new MessageMeter();
  for (let round = 0; round < 2; round += 1) {
    meter.add(bytes);
    expect(meter.bytes).toBe(0);
  }
  for (const [at, byte] of bytes.entries()) {
    meter.add(Buffer.of(byte));
    if (at === 0) expect(meter.bytes).toBe(1 + pieceBytes);
  }
  expect(meter.bytes).toBe(0);
});

it("what has come of an unfinished message counts, and each piece of it [R-SEC-5]", () => {
  const long = frame(2, Buffer.alloc(100_000));
  const part = frame(1, "abc", false);
  expect(metered(long.subarray(0, 50_000))).toBe(50_000 + pieceBytes);
  expect(metered(frame(1, "abc"), long.subarray(0, 500), long.subarray(500, 600))).toBe(600 + 2 * pieceBytes);
  expect(metered(part)).toBe(part.length + pieceBytes);
  expect(metered(Buffer.concat([frame(1, "abc"), part, frame(9, "ping")]))).toBe(part.length + pieceBytes);
});

it("a control frame in the midst of it is no end, and is not kept [R-SEC-5]", () => {
  const part = frame(2, Buffer.alloc(1_000), false);
  const pieces = Array.from({ length: 50 }, () => [part, frame(10, "pong")]).flat();
  expect(metered(...pieces)).toBe(50 * part.length + 100 * pieceBytes);
});
