import { closePayload } from "../../src/check/wire/frames.ts";
import {
  answered,
  binary,
  close,
  closed,
  continuation,
  cut,
  type FrameCase,
  ignored,
  ofLength,
  ping,
  pong,
  pongFrame,
  request,
  text,
} from "./sample.ts";

const first = request.slice(0, 9);
const second = request.slice(9, 20);
const third = request.slice(20);
const open = text(first, { isFinal: false });
const all = (count: number) => Array.from({ length: count - 1 }, (_, at) => at + 1);

const whole: readonly FrameCase[] = [
  ["in two fragments", cut(request, [9])],
  ["in three fragments", cut(request, [9, 20])],
  ["in fragments of one byte", cut(request, all(request.length))],
  ["in two fragments, in binary", cut(request, [9], 2)],
  ["in fragments of one byte, in binary", cut(request, all(request.length), 2)],
  ["with an empty first fragment", cut(request, [0])],
  ["with an empty last fragment", cut(request, [request.length])],
  ["with empty fragments in the middle", cut(request, [9, 9, 9, 9])],
  [
    "with a hundred empty fragments",
    cut(
      request,
      Array.from({ length: 100 }, () => 0),
    ),
  ],
  ["cut within its line end", cut(request, [request.indexOf("\r\n") + 1])],
  ["of 65,536 bytes in two fragments", cut(ofLength(65_536), [40_000])],
  ["of 131,072 bytes in fragments of all three forms", cut(ofLength(131_072), [100, 1_000])],
].map(([what, frames]): FrameCase => {
  return {
    section: "5.4",
    what: `a message ${what as string}`,
    frames: frames as FrameCase["frames"],
    outcome: answered,
  };
});

const interleaved: readonly FrameCase[] = [
  ["a ping", [open, ping("in between"), continuation(second + third)], pong("in between")],
  ["a ping without a payload", [open, ping(), continuation(second + third)], pong("")],
  ["a ping of 125 bytes", [open, ping("x".repeat(125)), continuation(second + third)], pong("x".repeat(125))],
  ["a pong that nobody asked for", [open, pongFrame("a"), continuation(second + third)], answered],
  [
    "three pings",
    [open, ping("1"), ping("2"), continuation(second, { isFinal: false }), ping("3"), continuation(third)],
    answered,
  ],
  ["a ping after each byte", cut(request, all(request.length)).flatMap((frame) => [frame, ping("a")]), answered],
  ["a close", [open, close(closePayload(1000)), continuation(second + third)], closed(1000)],
].map(([what, frames, outcome]): FrameCase => {
  return { section: "5.4", what: `${what as string} between two fragments`, frames, outcome } as FrameCase;
});

const broken: readonly FrameCase[] = [
  ["a continuation of nothing", [continuation(request)]],
  ["a continuation of nothing that goes on", [continuation(request, { isFinal: false })]],
  ["an empty continuation of nothing", [continuation("")]],
  ["a text within a text", [open, text()]],
  ["a binary within a text", [open, binary()]],
  ["a text within a binary", [binary(first, { isFinal: false }), text()]],
  ["a text that goes on within a text", [open, text(second, { isFinal: false })]],
  ["a text behind an empty first fragment", [text("", { isFinal: false }), text()]],
].map(([what, frames]): FrameCase => ({ section: "5.4", what, frames, outcome: closed(1002) }) as FrameCase);

const behind: readonly FrameCase[] = [
  {
    section: "5.4",
    what: "a continuation behind a whole message",
    frames: [text(request.replace(": r", ": q")), continuation(request)],
    outcome: closed(1002),
  },
  {
    section: "5.4",
    what: "a continuation behind the last fragment",
    frames: [...cut(request.replace(": r", ": q"), [9]), continuation(request)],
    outcome: closed(1002),
  },
  { section: "5.4", what: "a message whose last fragment does not come", frames: [open], outcome: ignored },
  {
    section: "5.4",
    what: "two messages in fragments, one after another",
    frames: [...cut(request.replace(": r", ": q"), [9]), ...cut(request, [20])],
    outcome: answered,
  },
];

/** RFC 6455 §5.4: messages in fragments. The unfinished one is the last of its connection, and a ping is sent behind it. */
export const fragmentCases: readonly FrameCase[] = [...whole, ...interleaved, ...broken, ...behind];
