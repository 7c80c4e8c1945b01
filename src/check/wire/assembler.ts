import { isUtf8 } from "node:buffer";
import { type Frame, opcodes } from "./frames.ts";
import type { Flaw } from "./messages.ts";

/** What frames amount to. */
export type Event =
  | { readonly kind: "message"; readonly bytes: Buffer; readonly isText: boolean; readonly flaws: readonly Flaw[] }
  | { readonly kind: "ping" | "pong"; readonly payload: Buffer; readonly flaws: readonly Flaw[] }
  | { readonly kind: "close"; readonly code: number; readonly reason: string; readonly flaws: readonly Flaw[] }
  | { readonly kind: "none"; readonly flaws: readonly Flaw[] };

const controlNames: Readonly<Record<number, "ping" | "pong">> = { [opcodes.ping]: "ping", [opcodes.pong]: "pong" };

function isSendableCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** Puts frames together into messages, and says what RFC 6455 forbids of them. */
export class Assembler {
  readonly #isMasked: boolean;
  #parts: Buffer[] = [];
  #opcode: number | undefined;
  #isClosed = false;

  /** @param sender - whose frames these are: a client's must be masked, a server's must not */
  constructor(sender: "client" | "server") {
    this.#isMasked = sender === "client";
  }

  /** Takes one frame. */
  add(frame: Frame): Event {
    const flaws = this.#flawsOf(frame);
    if (frame.opcode >= 8) return this.#control(frame, flaws);
    if (frame.opcode !== opcodes.continuation) {
      this.#parts = [];
      this.#opcode = frame.opcode;
    }
    this.#parts.push(frame.payload);
    if (!frame.isFinal) return { kind: "none", flaws };
    const isText = this.#opcode === opcodes.text;
    const bytes = Buffer.concat(this.#parts);
    this.#opcode = undefined;
    if (isText && !isUtf8(bytes)) flaws.push({ requirement: "RFC6455-8.1", what: "A text message is not UTF-8." });
    return { kind: "message", bytes, isText, flaws };
  }

  #flawsOf({ isMasked, reserved, opcode, isFinal, payload }: Frame): Flaw[] {
    const flaws: Flaw[] = [];
    const add = (section: string, what: string) => flaws.push({ requirement: `RFC6455-${section}`, what });
    if (isMasked !== this.#isMasked) add("5.1", `A frame is ${isMasked ? "masked" : "not masked"}.`);
    if (reserved !== 0) add("5.2", "A frame has a reserved bit that no extension was negotiated for.");
    if ((opcode > 2 && opcode < 8) || opcode > 10) add("5.2", `A frame has the reserved opcode ${opcode}.`);
    if (opcode >= 8 && (!isFinal || payload.length > 125)) add("5.5", "A control frame is fragmented or too long.");
    if (opcode === 0 && this.#opcode === undefined) add("5.4", "A continuation continues nothing.");
    if ((opcode === 1 || opcode === 2) && this.#opcode !== undefined) add("5.4", "A message begins within another.");
    if (this.#isClosed) add("5.5.1", "A frame comes behind the close frame.");
    return flaws;
  }

  #control({ opcode, payload }: Frame, flaws: Flaw[]): Event {
    const kind = controlNames[opcode];
    if (kind) return { kind, payload, flaws };
    if (opcode !== opcodes.close) return { kind: "none", flaws };
    this.#isClosed = true;
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    const reason = payload.subarray(2);
    if (payload.length === 1 || (code !== 1005 && !isSendableCode(code))) {
      flaws.push({ requirement: "RFC6455-7.4", what: `A close frame has the code ${code}.` });
    }
    if (!isUtf8(reason) || reason.length > 123) {
      flaws.push({ requirement: "R-CLOSE-3", what: "A close reason is not UTF-8 of at most 123 bytes." });
    }
    return { kind: "close", code, reason: reason.toString("utf8"), flaws };
  }
}
