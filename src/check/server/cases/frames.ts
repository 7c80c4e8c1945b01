import { demand, shown } from "../../fault.ts";
import { closePayload, type FrameToSend, opcodes } from "../../wire/frames.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** A message that is answered unless its frame is refused: `a` is no message, and would be refused for that. */
const payload = "UNSUBSCRIBE /rocket-check HTTP/1.1\r\nRequest-ID: a\r\n\r\n";

/** Frames that end a connection: section of RFC 6455, what it is, the frame, the close code. */
const refused: readonly (readonly [section: string, what: string, frame: FrameToSend, code: number])[] = [
  ["5.1", "a frame without a mask", { opcode: opcodes.text, payload, mask: "none" }, 1002],
  ["5.2", "a reserved bit", { opcode: opcodes.text, payload, reserved: 4 }, 1002],
  ["5.2", "a reserved opcode", { opcode: 3, payload }, 1002],
  ["5.4", "a continuation of nothing", { opcode: opcodes.continuation, payload }, 1002],
  ["5.5", "a control frame in fragments", { opcode: opcodes.ping, payload: "a", isFinal: false }, 1002],
  ["5.5", "a control frame of 126 bytes", { opcode: opcodes.ping, payload: "a".repeat(126) }, 1002],
  ["5.5.1", "a close frame of one byte", { opcode: opcodes.close, payload: "a" }, 1002],
  ["7.4", "a close code that may not be sent", { opcode: opcodes.close, payload: closePayload(1005) }, 1002],
  ["8.1", "a text that is not UTF-8", { opcode: opcodes.text, payload: Buffer.from([0xc3, 0x28]) }, 1007],
];

async function mustClose(trial: Trial, frame: FrameToSend, code: number): Promise<void> {
  const peer = await trial.open();
  peer.sendFrame(frame);
  const expected = `A close with ${code}.`;
  const closing = await peer.closed(expected);
  const answer = peer.rest().find((message) => fieldOf(message, "request-id") !== undefined);
  demand(answer === undefined, "No answer to what the frame holds.", shown(answer?.text ?? ""));
  demand(closing.code === code, expected, `It is closed with ${closing.code}.`);
}

/** RFC 6455, as far as every server of this protocol depends on it. */
export const frameCases: readonly ServerCase[] = [
  ...refused.map(([section, what, frame, code]): ServerCase => {
    const title = `closes with ${code} after ${what}`;
    return { requirement: `RFC6455-${section}`, level: 1, title, run: (trial) => mustClose(trial, frame, code) };
  }),
  {
    requirement: "RFC6455-5.5.2",
    level: 1,
    title: "answers a ping between the fragments of a message",
    run: async (trial) => {
      const peer = await trial.open();
      const message = `UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: a\r\n\r\n`;
      peer.sendFrame({ opcode: opcodes.text, payload: message.slice(0, 9), isFinal: false });
      await peer.fence("A pong.");
      peer.sendFrame({ opcode: opcodes.continuation, payload: message.slice(9) });
      await peer.until("An answer with Request-ID: a.", ({ text }) => /^request-id: a\r$/im.test(text));
    },
  },
  {
    requirement: "RFC6455-5.5.1",
    level: 1,
    title: "answers a close frame by one",
    run: async (trial) => {
      const peer = await trial.open();
      await peer.until("An opening.");
      peer.sendFrame({ opcode: opcodes.close, payload: closePayload(1000) });
      const { code } = await peer.closed("A close frame.");
      demand(code === 1000, "A close with 1000.", `The connection ends with ${code}.`);
    },
  },
  {
    requirement: "RFC6455-4.2.1",
    level: 1,
    title: "refuses a version that is not 13",
    run: async (trial) => {
      const { answer } = await trial.shake({ fields: [["Sec-WebSocket-Version", "12"]] });
      demand(answer.status !== 101, "A refusal of version 12.", `The handshake is answered ${answer.status}.`);
    },
  },
];
