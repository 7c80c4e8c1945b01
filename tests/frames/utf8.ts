import { answered, binary, closed, cut, type FrameCase, request, text, withBody } from "./sample.ts";

const characters = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff];

function named(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

const valid: readonly FrameCase[] = characters.flatMap((code): FrameCase[] => {
  const message = withBody(String.fromCodePoint(code));
  const length = message.length - request.length;
  const places = Array.from({ length: length - 1 }, (_, at) => request.length + at + 1);
  return [
    { section: "8.1", what: `${named(code)}`, frames: [text(message)], outcome: answered },
    ...places.map((place): FrameCase => {
      const what = `${named(code)} in two frames, cut after ${place - request.length} of its bytes`;
      return { section: "8.1", what, frames: cut(message, [place]), outcome: answered };
    }),
  ];
});

const invalid: readonly (readonly [what: string, bytes: readonly number[]])[] = [
  ["a byte that only continues", [0x80]],
  ["the last byte that only continues", [0xbf]],
  ["an overlong NUL", [0xc0, 0x80]],
  ["an overlong U+007F", [0xc1, 0xbf]],
  ["an overlong slash of three bytes", [0xe0, 0x80, 0xaf]],
  ["an overlong U+07FF", [0xe0, 0x9f, 0xbf]],
  ["an overlong U+FFFF", [0xf0, 0x8f, 0xbf, 0xbf]],
  ["the first surrogate", [0xed, 0xa0, 0x80]],
  ["the last surrogate", [0xed, 0xbf, 0xbf]],
  ["a pair of surrogates", [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
  ["a sequence that begins with F5", [0xf5, 0x80, 0x80, 0x80]],
  ["a sequence of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["a sequence of six bytes", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ["FE", [0xfe]],
  ["FF", [0xff]],
  ["a sequence that is broken off by a letter", [0xc3, 0x28]],
  ["one of two bytes at the end", [0xc3]],
  ["two of three bytes at the end", [0xe2, 0x82]],
  ["three of four bytes at the end", [0xf0, 0x9f, 0x98]],
];

const refused: readonly FrameCase[] = invalid.flatMap(([what, bytes]): FrameCase[] => {
  const message = withBody(Buffer.from(bytes));
  return [
    { section: "8.1", what, frames: [text(message)], outcome: closed(1007) },
    {
      section: "8.1",
      what: `${what}, in two frames`,
      frames: cut(message, [request.length + bytes.length - 1]),
      outcome: closed(1007),
    },
    { section: "5.6", what: `${what}, in binary`, frames: [binary(message)], outcome: answered },
  ];
});

/** RFC 6455 §8.1: texts are UTF-8, as whole messages; binary may hold anything. */
export const utf8Cases: readonly FrameCase[] = [...valid, ...refused];
