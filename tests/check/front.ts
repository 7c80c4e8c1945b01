import { createServer, connect as open, type Socket } from "node:net";
import { encodeFrame, type Frame, FrameReader } from "../../src/check/wire/frames.ts";
import { listen } from "../proxy/setting.ts";

/** A message, as a text with one character for each octet of its head. */
export interface Passing {
  readonly text: string;
  /** What is kept from message to message of one connection. */
  readonly state: Map<string, string>;
  /** Which message of its direction and connection it is, from 0. */
  readonly index: number;
  /** The head of the handshake, as the client sent it. */
  readonly handshake: string;
}

/** How a front spoils what passes. What is absent passes as it is. */
export interface Fault {
  /** The head of a request or handshake. */
  readonly request?: (head: string) => string;
  /** The answer to a request that is no handshake, head and body. */
  readonly response?: (text: string) => string;
  /** The head of a stream over plain HTTP. */
  readonly streamHead?: (head: string) => string;
  /** A piece of a stream, as it comes. Its request goes on as HTTP/1.0, so that it comes without chunks. */
  readonly streamPiece?: (text: string) => string;
  /** The head of a 101. */
  readonly accepted?: (head: string, handshake: string) => string;
  /** A message of the server. */
  readonly fromServer?: (message: Passing) => readonly string[];
  /** A message of the client: what is passed on, and what is answered in the server's place. */
  readonly fromClient?: (message: Passing) => { readonly on?: readonly string[]; readonly back?: readonly string[] };
  /** The code and reason of the server's close. */
  readonly closing?: (code: number, reason: string) => readonly [code: number, reason: string];
  /** Any frame of the client, whatever is wrong with it. */
  readonly clientFrame?: (frame: Frame) => Frame | undefined;
  /** Any frame of the server, as it is written. */
  readonly serverBytes?: (bytes: Buffer, frame: Frame) => Buffer;
}

/** In the head of a request, or in that of its answer. */
const isStream = /^(?:accept|content-type): (?:text\/event-stream|application\/http)/im;

function asOneZero(head: string): string {
  return head.replace(" HTTP/1.1\r\n", " HTTP/1.0\r\n");
}

/** One connection through the front. */
class Passage {
  readonly #fault: Fault;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #state: Map<string, string> = new Map();
  readonly #counts = { client: 0, server: 0 };
  #handshake = "";

  constructor(fault: Fault, client: Socket, server: Socket) {
    this.#fault = fault;
    this.#client = client;
    this.#server = server;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroySoon());
    }
    this.#begin();
  }

  #begin(): void {
    const isUpgrade = () => /^upgrade: websocket\r$/im.test(this.#handshake);
    this.#onHead(this.#client, (head, rest) => {
      this.#handshake = head;
      const asked = this.#fault.request?.(head) ?? head;
      this.#server.write(this.#fault.streamPiece && isStream.test(asked) ? asOneZero(asked) : asked, "latin1");
      this.#client.removeAllListeners("data");
      if (isUpgrade()) this.#frames(this.#client, rest, (frame) => this.#fromClient(frame));
      else this.#pass(rest);
    });
    this.#onHead(this.#server, (head, rest) => {
      const accepted = this.#fault.accepted?.(head, this.#handshake) ?? head;
      this.#server.removeAllListeners("data");
      if (/^HTTP\/1\.1 101 /.test(head) && isUpgrade()) {
        this.#client.write(accepted, "latin1");
        this.#frames(this.#server, rest, (frame) => this.#fromServer(frame));
      } else if (isStream.test(head)) this.#stream(head, rest);
      else this.#answer(head, rest);
    });
  }

  #onHead(socket: Socket, take: (head: string, rest: Buffer) => void): void {
    let bytes: Buffer = Buffer.alloc(0);
    socket.on("data", (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end >= 0) take(bytes.subarray(0, end + 4).toString("latin1"), bytes.subarray(end + 4));
    });
  }

  #pass(rest: Buffer): void {
    this.#server.write(rest);
    this.#client.on("data", (data) => this.#server.write(data));
  }

  #stream(head: string, rest: Buffer): void {
    const write = (piece: Buffer): void => {
      const text = piece.toString("latin1");
      this.#client.write(this.#fault.streamPiece?.(text) ?? text, "latin1");
    };
    this.#client.write(this.#fault.streamHead?.(head) ?? head, "latin1");
    if (rest.length > 0) write(rest);
    this.#server.on("data", write);
    this.#server.on("end", () => this.#client.end());
  }

  /** Every other request ends its connection, so that an answer is all that comes. */
  #answer(head: string, rest: Buffer): void {
    let text = head + rest.toString("latin1");
    this.#server.on("data", (data: Buffer) => {
      text += data.toString("latin1");
    });
    this.#server.on("end", () => this.#client.end(this.#fault.response?.(text) ?? text, "latin1"));
  }

  #frames(socket: Socket, rest: Buffer, take: (frame: Frame) => void): void {
    const reader = new FrameReader();
    const add = (data: Buffer) => {
      for (const frame of reader.add(data)) take(frame);
    };
    socket.on("data", add);
    add(rest);
  }

  #passing(frame: Frame, side: "client" | "server"): Passing {
    const index = this.#counts[side];
    this.#counts[side] += 1;
    return { text: frame.payload.toString("utf8"), state: this.#state, index, handshake: this.#handshake };
  }

  #fromClient(came: Frame): void {
    const frame = this.#fault.clientFrame ? this.#fault.clientFrame(came) : came;
    if (!frame) return;
    const { fromClient } = this.#fault;
    if (!fromClient || frame.opcode !== 1 || !frame.isFinal) {
      this.#server.write(encodeFrame({ ...frame, ...(frame.isMasked ? {} : { mask: "none" as const }) }));
      return;
    }
    const { on = [frame.payload.toString("utf8")], back = [] } = fromClient(this.#passing(frame, "client"));
    for (const payload of on) this.#server.write(encodeFrame({ opcode: 1, payload }));
    for (const payload of back) this.#client.write(encodeFrame({ opcode: 1, payload, mask: "none" }));
  }

  #fromServer(frame: Frame): void {
    const { fromServer, closing, serverBytes } = this.#fault;
    const write = (payload: string | Buffer) => {
      const bytes = encodeFrame({ opcode: frame.opcode, payload, mask: "none" });
      this.#client.write(serverBytes?.(bytes, { ...frame, payload: Buffer.from(payload) }) ?? bytes);
    };
    if (frame.opcode === 8 && closing && frame.payload.length >= 2) {
      const [code, reason] = closing(frame.payload.readUInt16BE(0), frame.payload.subarray(2).toString());
      write(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
    } else if (frame.opcode === 1 && fromServer) {
      for (const text of fromServer(this.#passing(frame, "server"))) write(text);
    } else write(frame.payload);
  }
}

/** A server that is another one, spoilt; gives its URL. */
export async function frontOf(url: string, fault: Fault): Promise<string> {
  const { port, pathname } = new URL(url);
  const front = await listen(
    createServer((client) => {
      new Passage(fault, client, open(Number(port), "127.0.0.1"));
    }),
  );
  return front.url + pathname;
}
