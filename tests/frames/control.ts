import { closePayload } from "../../src/check/wire/frames.ts";
import { answered, close, closed, type FrameCase, ignored, ping, pong, pongFrame, request, text } from "./sample.ts";

const bytes = Buffer.from([0, 0xff, 0xfe, 0x80, 0xc0]);

const pings: readonly FrameCase[] = [
  ...[0, 1, 2, 64, 124, 125].map((length): FrameCase => {
    const payload = "p".repeat(length);
    return { section: "5.5.2", what: `a ping of ${length} bytes`, frames: [ping(payload)], outcome: pong(payload) };
  }),
  { section: "5.5.2", what: "a ping of bytes that are no UTF-8", frames: [ping(bytes)], outcome: pong(bytes) },
  {
    section: "5.5.2",
    what: "ten pings, whose last must be answered",
    frames: Array.from({ length: 10 }, (_, at) => ping(String(at))),
    outcome: pong("9"),
  },
  { section: "5.5.3", what: "a pong that nobody asked for", frames: [pongFrame("a")], outcome: ignored },
  { section: "5.5.3", what: "an empty pong that nobody asked for", frames: [pongFrame()], outcome: ignored },
  {
    section: "5.5.3",
    what: "a message behind a pong that nobody asked for",
    frames: [pongFrame("x".repeat(125)), text()],
    outcome: answered,
  },
];

const controls = [
  ["ping", ping],
  ["pong", pongFrame],
  ["close", close],
] as const;

const tooMuch: readonly FrameCase[] = controls.flatMap(([name, frame]): FrameCase[] => {
  const payload = (length: number) => Buffer.concat([closePayload(1000), Buffer.alloc(length - 2, 0x61)]);
  return [
    ...[126, 127, 65_536].map((length): FrameCase => {
      return {
        section: "5.5",
        what: `a ${name} of ${length} bytes`,
        frames: [frame(payload(length))],
        outcome: closed(1002),
      };
    }),
    {
      section: "5.5",
      what: `a ${name} of 10 bytes whose length has 16 bits`,
      frames: [frame(payload(10), { lengthBytes: 2 })],
      outcome: closed(1002),
    },
    {
      section: "5.5",
      what: `a ${name} of 10 bytes whose length has 64 bits`,
      frames: [frame(payload(10), { lengthBytes: 8 })],
      outcome: closed(1002),
    },
    {
      section: "5.5",
      what: `a ${name} that is a first fragment`,
      frames: [frame(payload(10), { isFinal: false })],
      outcome: closed(1002),
    },
    {
      section: "5.5",
      what: `an empty ${name} that is a first fragment`,
      frames: [frame("", { isFinal: false })],
      outcome: closed(1002),
    },
  ];
});

const goodCodes = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999,
];
const badCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535];

const codes: readonly FrameCase[] = [
  ...goodCodes.map((code): FrameCase => {
    return { section: "7.4", what: `a close with ${code}`, frames: [close(closePayload(code))], outcome: closed(code) };
  }),
  ...badCodes.map((code): FrameCase => {
    return { section: "7.4", what: `a close with ${code}`, frames: [close(closePayload(code))], outcome: closed(1002) };
  }),
  { section: "5.5.1", what: "a close without a code", frames: [close()], outcome: closed(1005) },
  { section: "5.5.1", what: "a close of one byte", frames: [close("a")], outcome: closed(1002) },
];

const reasons: readonly FrameCase[] = [
  ["of 123 bytes", "x".repeat(123), 1000],
  ["of 123 bytes in Japanese", "終".repeat(41), 1000],
  ["with U+10FFFF", "\u{10ffff}", 1000],
  ["with NUL", "\0", 1000],
  ["that is no UTF-8", Buffer.from([0xff]), 1007],
  ["that is cut within a character", Buffer.from([0xe7, 0xb5]), 1007],
  ["with a surrogate", Buffer.from([0xed, 0xa0, 0x80]), 1007],
  ["with an overlong character", Buffer.from([0xc0, 0xaf]), 1007],
].map(([what, reason, code]): FrameCase => {
  const frames = [close(closePayload(1000, reason as Buffer))];
  return {
    section: code === 1007 ? "8.1" : "5.5.1",
    what: `a close with a reason ${what as string}`,
    frames,
    outcome: closed(code as number),
  };
});

/** What is sent behind a close is not answered any more. */
const afterwards: readonly FrameCase[] = [
  {
    section: "5.5.1",
    what: "a ping behind a close",
    frames: [close(closePayload(1000))],
    outcome: closed(1000),
    late: [ping("late")],
  },
  {
    section: "5.5.1",
    what: "a message behind a close",
    frames: [close(closePayload(1000))],
    outcome: closed(1000),
    late: [text()],
  },
  {
    section: "5.5.1",
    what: "a second close",
    frames: [close(closePayload(1000))],
    outcome: closed(1000),
    late: [close(closePayload(1001))],
  },
  {
    section: "5.5.1",
    what: "garbage behind a close",
    frames: [close(closePayload(1000))],
    outcome: closed(1000),
    late: [{ opcode: 3, reserved: 7, payload: "x" }],
  },
  {
    section: "7.1.7",
    what: "a ping behind what failed the connection",
    frames: [text(request, { mask: "none" })],
    outcome: closed(1002),
    late: [ping("late")],
  },
  {
    section: "7.1.7",
    what: "a message behind what failed the connection",
    frames: [text(Buffer.from([0xff]))],
    outcome: closed(1007),
    late: [text()],
  },
  {
    section: "7.1.7",
    what: "a close behind what failed the connection",
    frames: [{ opcode: 3 }],
    outcome: closed(1002),
    late: [close(closePayload(1000))],
  },
];

/** RFC 6455 §5.5 and §7: control frames, and how a connection ends. */
export const controlCases: readonly FrameCase[] = [...pings, ...tooMuch, ...codes, ...reasons, ...afterwards];
