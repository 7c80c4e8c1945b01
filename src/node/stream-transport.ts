import { PatchCollector, type StreamKind } from "../protocol/index.ts";
import { type Framing, patchFramingOf, streamFramings, type Transport } from "../server/index.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { type AnswerKind, signsOfLife } from "./stream-choice.ts";

/** A response that does not end, with a piece after the other. Its head was written. */
abstract class ResponseTransport implements Transport {
  abstract readonly framing: Framing;
  protected readonly writer: AnswerWriter;
  readonly #signOfLife: Uint8Array;

  constructor(writer: AnswerWriter, kind: AnswerKind) {
    this.writer = writer;
    this.#signOfLife = signsOfLife[kind];
  }

  get unsentBytes(): number {
    return this.writer.unsentBytes;
  }

  get takenBytes(): number {
    return this.writer.takenBytes;
  }

  abstract write(bytes: Uint8Array): void;

  ping(): void {
    this.writer.write(this.#signOfLife);
  }

  /** A stream has no close codes: what they say was said by the last message. */
  close(_code: number): void {
    this.writer.end();
  }

  abort(): void {
    this.writer.destroy();
  }

  /** Nothing is read from a stream's peer. */
  setReading(): void {}
}

/** A stream of messages: events, or HTTP messages. */
export class StreamTransport extends ResponseTransport {
  readonly framing: Framing;

  constructor(writer: AnswerWriter, kind: StreamKind) {
    super(writer, kind);
    this.framing = streamFramings[kind];
  }

  write(bytes: Uint8Array): void {
    this.writer.write(bytes);
  }
}

const lostMark = new TextEncoder().encode("id: lost\n\n");

/** A stream of JSON Patches, one event for each batch. */
export class PatchTransport extends ResponseTransport {
  readonly framing: Framing;
  readonly #maxHeld: number;
  readonly #collector: PatchCollector = new PatchCollector();

  /**
   * @param record - where a record is in its own body, as in `Items`
   * @param maxHeld - how much is held of a batch that comes in pieces; the stream ends at one that is larger
   */
  constructor(writer: AnswerWriter, record: string, maxHeld: number) {
    super(writer, "patch-stream");
    this.framing = patchFramingOf(record);
    this.#maxHeld = maxHeld;
  }

  /** Where what follows is lost, who resumes by itself is told so by the 410 that this position gets [R-STR-20]. */
  override close(code: number): void {
    if (code === 4410) this.writer.write(lostMark);
    super.close(code);
  }

  /** Sends what is whole of it by itself: clients of 2013 take for one event what they read at once [R-STR-11]. */
  write(bytes: Uint8Array): void {
    const event = this.#collector.add(bytes);
    if (event) this.writer.write(event);
    if (this.#collector.heldLength > this.#maxHeld) this.close(4410);
  }
}
