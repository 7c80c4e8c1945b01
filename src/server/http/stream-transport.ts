import { commentEvent, PatchCollector } from "../../protocol/index.ts";
import type { Framing, Transport } from "../ports/transport.ts";
import type { AnswerKind } from "./answer-choice.ts";
import { patchFramingOf, streamFramings } from "./stream-framings.ts";

/** What writes an answer that does not end, one piece after the other. Its head was written. Nothing of it throws. */
export interface StreamWriter {
  /** As {@link Transport.unsentBytes}. */
  readonly unsentBytes: number;
  /** As {@link Transport.takenBytes}. */
  readonly takenBytes: number;
  write(bytes: Uint8Array): void;
  /** Ends the answer behind what was written. */
  end(): void;
  /** Cuts it off at once. */
  destroy(): void;
}

/** What keeps a stream alive and says nothing: a comment [R-STR-6], or an empty line before a status line [R-STR-10]. */
const signsOfLife: Readonly<Record<AnswerKind, Uint8Array>> = {
  "event-stream": commentEvent,
  "http-stream": new TextEncoder().encode("\r\n"),
  "patch-stream": commentEvent,
};

/** A stream of messages: events, or HTTP messages. */
class StreamTransport implements Transport {
  readonly framing: Framing;
  protected readonly writer: StreamWriter;
  readonly #signOfLife: Uint8Array;

  constructor(writer: StreamWriter, kind: AnswerKind, framing: Framing) {
    this.writer = writer;
    this.framing = framing;
    this.#signOfLife = signsOfLife[kind];
  }

  get unsentBytes(): number {
    return this.writer.unsentBytes;
  }

  get takenBytes(): number {
    return this.writer.takenBytes;
  }

  write(bytes: Uint8Array): void {
    this.writer.write(bytes);
  }

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

const lostMark = new TextEncoder().encode("id: lost\n\n");

/** A stream of JSON Patches, one event for each batch. */
class PatchTransport extends StreamTransport {
  readonly #maxHeld: number;
  readonly #collector: PatchCollector = new PatchCollector();

  constructor(writer: StreamWriter, record: string, maxHeld: number) {
    super(writer, "patch-stream", patchFramingOf(record));
    this.#maxHeld = maxHeld;
  }

  /** Where what follows is lost, who resumes by itself is told so by the 410 that this position gets [R-STR-20]. */
  override close(code: number): void {
    if (code === 4410) this.writer.write(lostMark);
    super.close(code);
  }

  /** Sends what is whole of it by itself: clients of 2013 take for one event what they read at once [R-STR-11]. */
  override write(bytes: Uint8Array): void {
    const event = this.#collector.add(bytes);
    if (event) this.writer.write(event);
    if (this.#collector.heldLength > this.#maxHeld) this.close(4410);
  }
}

/**
 * A stream over plain HTTP as a hub's transport.
 *
 * @param record - where a record is in its own body, as in `Items`; for patch streams
 * @param maxHeld - how much is held of a batch that comes in pieces; a patch stream ends at one that is larger
 */
export function createStreamTransport(
  writer: StreamWriter,
  kind: AnswerKind,
  { record, maxHeld }: { readonly record: string; readonly maxHeld: number },
): Transport {
  if (kind === "patch-stream") return new PatchTransport(writer, record, maxHeld);
  return new StreamTransport(writer, kind, streamFramings[kind]);
}
