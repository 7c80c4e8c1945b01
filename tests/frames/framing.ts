import {
  answered,
  binary,
  closed,
  continuation,
  type FrameCase,
  ofLength,
  outcomeOfLength,
  ping,
  request,
  text,
} from "./sample.ts";

const boundaries = [0, 1, 2, 60, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 131_072];
const kinds = [
  ["text", text],
  ["binary", binary],
] as const;

/** Lengths around the places where another form of the length begins. */
const lengths: readonly FrameCase[] = boundaries.flatMap((bytes) =>
  kinds.map(([name, frame]): FrameCase => {
    const outcome = outcomeOfLength(bytes);
    return { section: "5.2", what: `a ${name} of ${bytes} bytes`, frames: [frame(ofLength(bytes))], outcome };
  }),
);

/** Longer forms than are needed bind the sender only: nothing says that a receiver refuses them. */
const longForms: readonly FrameCase[] = [
  ...[60, 125].map((bytes) => [bytes, 2] as const),
  ...[60, 125, 126, 65_535].map((bytes) => [bytes, 8] as const),
].flatMap(([bytes, lengthBytes]) =>
  kinds.map(([name, frame]): FrameCase => {
    const what = `a ${name} of ${bytes} bytes whose length has ${lengthBytes * 8} bits`;
    return { section: "5.2", what, frames: [frame(ofLength(bytes), { lengthBytes })], outcome: answered };
  }),
);

/** Lengths that are said, of which nothing follows. */
const tooLong: readonly FrameCase[] = [
  ["one byte more than is taken", 1_064_961n],
  ["2^31 bytes", 2n ** 31n],
  ["2^32 bytes", 2n ** 32n],
  ["2^53 bytes", 2n ** 53n],
  ["2^63 - 1 bytes", 2n ** 63n - 1n],
  ["2^63 bytes, whose first bit must be 0", 2n ** 63n],
  ["2^64 - 1 bytes", 2n ** 64n - 1n],
].map(([what, saidLength]): FrameCase => {
  const frame = binary("", { lengthBytes: 8, saidLength: saidLength as bigint });
  return { section: "7.4.1", what: `a head that says ${what}`, frames: [frame], outcome: closed(1009) };
});

const keys = [
  Buffer.from([0, 0, 0, 0]),
  Buffer.from([255, 255, 255, 255]),
  Buffer.from([1, 0, 0, 0]),
  Buffer.from("\r\n\r\n"),
];

const masking: readonly FrameCase[] = [
  ...keys.flatMap((mask) =>
    kinds.map(([name, frame]): FrameCase => {
      const what = `a ${name} with the mask ${mask.toString("hex")}`;
      return { section: "5.3", what, frames: [frame(request, { mask })], outcome: answered };
    }),
  ),
  ...[0, 1, 2, 8, 9, 10].map((opcode): FrameCase => {
    const frame = { opcode, payload: opcode < 3 ? request : "", mask: "none" as const };
    return {
      section: "5.1",
      what: `a frame of opcode ${opcode} without a mask`,
      frames: [frame],
      outcome: closed(1002),
    };
  }),
  {
    section: "5.1",
    what: "a second fragment without a mask",
    frames: [text(request.slice(0, 9), { isFinal: false }), continuation(request.slice(9), { mask: "none" })],
    outcome: closed(1002),
  },
];

const reserved: readonly FrameCase[] = [1, 2, 3, 4, 5, 6, 7].flatMap((bits): FrameCase[] => [
  {
    section: "5.2",
    what: `a text with the reserved bits ${bits}`,
    frames: [text(request, { reserved: bits })],
    outcome: closed(1002),
  },
  {
    section: "5.2",
    what: `a ping with the reserved bits ${bits}`,
    frames: [ping("", { reserved: bits })],
    outcome: closed(1002),
  },
  {
    section: "5.2",
    what: `a continuation with the reserved bits ${bits}`,
    frames: [text(request.slice(0, 9), { isFinal: false }), continuation(request.slice(9), { reserved: bits })],
    outcome: closed(1002),
  },
]);

const opcodes: readonly FrameCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): FrameCase[] => [
  { section: "5.2", what: `the opcode ${opcode}`, frames: [{ opcode, payload: request }], outcome: closed(1002) },
  {
    section: "5.2",
    what: `the opcode ${opcode} within a message`,
    frames: [text("U", { isFinal: false }), { opcode }],
    outcome: closed(1002),
  },
]);

/** RFC 6455 §5.1 to §5.3: heads of frames. */
export const framingCases: readonly FrameCase[] = [
  ...lengths,
  ...longForms,
  ...tooLong,
  ...masking,
  ...reserved,
  ...opcodes,
];
