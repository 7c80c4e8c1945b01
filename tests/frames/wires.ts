import { Assembler, type Event } from "../../src/check/wire/assembler.ts";
import { encodeFrame, FrameReader, type FrameToSend } from "../../src/check/wire/frames.ts";
import { type Field, formatHead, type HttpAnswer, readAnswer } from "../../src/check/wire/http.ts";
import { Wire } from "../../src/check/wire/wire.ts";

const limitMs = 10_000;
const mark = "behind all";

/** The fields of a right handshake. */
export function handshakeFields(port: number): Field[] {
  return [
    ["Host", `127.0.0.1:${port}`],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Protocol", "rocket.v1"],
  ];
}

/** Sends a head; gives the answer, and the connection on which it came. */
export async function ask(
  port: number,
  start: string,
  fields: readonly Field[],
): Promise<{ readonly wire: Wire; readonly answer: HttpAnswer | undefined }> {
  const wire = await Wire.open({ host: "127.0.0.1", port, isSecure: false }, limitMs);
  wire.write(formatHead(start, fields));
  return { wire, answer: await readAnswer(wire, start.split(" ")[0] ?? "GET", limitMs) };
}

/** A WebSocket at the well-known URL that is spoken to frame by frame. */
export class FrameWire {
  readonly #wire: Wire;
  readonly #frames: FrameReader = new FrameReader();
  readonly #assembler: Assembler = new Assembler("server");
  /** All that came, in order. */
  readonly events: Event[] = [];

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(port: number): Promise<FrameWire> {
    const { wire, answer } = await ask(port, "GET /.well-known/rocket HTTP/1.1", handshakeFields(port));
    if (answer?.status !== 101) throw new Error(`The handshake is answered ${answer?.status}.`);
    const frames = new FrameWire(wire);
    await frames.until(({ kind }) => kind === "message");
    return frames;
  }

  /** Sends frames in one piece. */
  send(...frames: readonly FrameToSend[]): void {
    this.#wire.write(Buffer.concat(frames.map(encodeFrame)));
  }

  /** Reads until something fits; `undefined` where the connection ends before. */
  async until(fits: (event: Event) => boolean): Promise<Event | undefined> {
    for (let at = 0; ; at += 1) {
      while (at >= this.events.length) if (!(await this.#more())) return undefined;
      const event = this.events[at];
      if (event && fits(event)) return event;
    }
  }

  /** Reads until what was sent behind everything is answered; gives whether it was. */
  async fence(): Promise<boolean> {
    this.send({ opcode: 9, payload: mark });
    return (await this.until((event) => event.kind === "pong" && event.payload.toString() === mark)) !== undefined;
  }

  /** Sends nothing more, and reads until the server has ended the connection, too. */
  async ended(): Promise<void> {
    this.#wire.socket.end();
    while (await this.#more());
  }

  drop(): void {
    this.#wire.destroy();
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#wire.read(limitMs);
    if (!bytes) return false;
    for (const frame of this.#frames.add(bytes)) this.events.push(this.#assembler.add(frame));
    return true;
  }
}
