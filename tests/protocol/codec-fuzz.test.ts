import { describe, expect, it } from "vitest";
import {
  type Body,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type HttpRequest,
  type HttpResponse,
  ProtocolError,
} from "../../src/protocol/index.ts";
import { anyInput, bytesOfText, Chance } from "./generators.ts";

const inputs = Math.max(200_000, Number(process.env.ROCKET_FUZZ ?? 0));
const seed = Number(process.env.ROCKET_FUZZ_SEED ?? 20_131);

/** The message, or the ProtocolError's close code; whatever else is thrown goes on. */
function outcome<Message>(decode: (data: Body) => Message, data: Body): Message | number {
  try {
    return decode(data);
  } catch (error) {
    if (error instanceof ProtocolError) return error.closeCode;
    throw error;
  }
}

function toText(body: Body): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

/** What is wrong with what became of one input; `undefined` where nothing is. */
function complaint<Message extends HttpRequest | HttpResponse>(
  data: Body,
  decode: (data: Body) => Message,
  encode: (message: Message) => Body,
): string | undefined {
  const message = outcome(decode, data);
  if (typeof message === "number") return message === 1002 || message === 1009 ? undefined : `close code ${message}`;
  if (typeof message.body !== typeof data) return "the body is of another kind than the frame";
  const again = outcome(decode, encode(message));
  if (JSON.stringify(again) !== JSON.stringify(message)) return "encoding and decoding it changes it";
  if (typeof data !== "string") return undefined;
  const binary = outcome(decode, bytesOfText(data));
  if (typeof binary === "number") return `the same in a binary frame is refused with ${binary}`;
  const asText = { ...binary, body: toText(binary.body) };
  const sent = { ...message, body: toText(new TextEncoder().encode(toText(message.body))) };
  return JSON.stringify(asText) === JSON.stringify(sent) ? undefined : "the same in a binary frame is another message";
}

describe("the decoder", () => {
  it(`ends ${inputs} inputs in a message or a ProtocolError [R-MSG-3] [R-MSG-16]`, { timeout: 3_600_000 }, () => {
    const chance = new Chance(seed);
    let accepted = 0;
    for (let count = 0; count < inputs; count += 1) {
      const data = anyInput(chance);
      const found = complaint(data, decodeRequest, encodeRequest) ?? complaint(data, decodeResponse, encodeResponse);
      if (found !== undefined) {
        const shown = typeof data === "string" ? JSON.stringify(data) : Buffer.from(data).toString("hex");
        expect.fail(`Input ${count} of seed ${seed}: ${found}: ${shown}`);
      }
      if (typeof outcome(decodeResponse, data) !== "number") accepted += 1;
    }
    expect(accepted / inputs).toBeGreaterThan(0.05);
    expect(accepted / inputs).toBeLessThan(0.6);
  });
});
