import { commentEvent } from "../../src/protocol/index.ts";
import { type Connection, type Handshake, streamFramings, type Transport } from "../../src/server/index.ts";
import type { Network } from "./network.ts";
import type { Answer } from "./service.ts";

/** A stream of events over plain HTTP, over a network that a test rules. */
export class FakeStream implements Transport {
  readonly framing: Transport["framing"] = streamFramings["event-stream"];
  readonly unsentBytes: number = 0;
  readonly takenBytes: number = 0;
  /** True from when on nothing passes, and nobody is told. */
  isDead = false;
  /** How many deltas were written to it. */
  deltas = 0;
  connection: Connection | undefined;
  readonly body: ReadableStream<Uint8Array>;
  readonly #network: Network;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #down = 0;

  constructor(network: Network) {
    this.#network = network;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    network.streams.add(this);
  }

  write(bytes: Uint8Array): void {
    this.deltas += new TextDecoder().decode(bytes).split("Content-Type: application/merge-patch+json").length - 1;
    this.#later(() => this.#controller?.enqueue(bytes.slice()));
  }

  ping(): void {
    this.write(commentEvent);
  }

  setReading(): void {}

  /** The server ends it: what was sent before still arrives. */
  close(): void {
    this.connection?.closed();
    this.#later(() => this.#over((controller) => controller.close()));
  }

  abort(): void {
    this.fail();
  }

  /** The connection breaks. */
  fail(): void {
    this.connection?.closed();
    this.#later(() => this.#over((controller) => controller.error(new TypeError("The connection broke."))));
  }

  /** The client gives it up. */
  leave(): void {
    this.connection?.closed();
    this.#over((controller) => controller.error(new DOMException("It was aborted.", "AbortError")));
  }

  /** From now on nothing passes, and the client is not told. */
  die(): void {
    this.isDead = true;
    this.connection?.closed();
  }

  #over(end: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#network.streams.delete(this);
    if (controller) end(controller);
  }

  /** In order, after some time. */
  #later(action: () => void): void {
    const { clock, latencyMs } = this.#network;
    this.#down = Math.max(clock.now() + latencyMs(), this.#down);
    clock.setTimer(() => {
      if (!this.isDead && !this.#network.isBuffering) action();
    }, this.#down - clock.now());
  }
}

/** Answers a request for a stream: with a refusal, or with the stream. */
export async function streamOf(
  network: Network,
  target: string,
  headers: Headers,
  signal: AbortSignal | null | undefined,
): Promise<Answer | Response> {
  const { hub } = network;
  if (!hub) throw new TypeError("It can't be reached.");
  const handshake: Handshake = { level: 1, target, fields: [["Host", "example.com"], ...headers] };
  const opening = await hub.authorise(handshake);
  if (opening.kind === "refused") {
    const { status, fields, body } = opening.response;
    return { status, fields, body: String(body) };
  }
  if (signal?.aborted) throw signal.reason;
  const stream = new FakeStream(network);
  signal?.addEventListener("abort", () => stream.leave());
  stream.ping();
  stream.connection = hub.connect(stream, handshake, opening);
  const response = { status: 200, ok: true, headers: new Headers({ "Content-Type": "text/event-stream" }) };
  return { ...response, body: stream.body } as unknown as Response;
}
