import { type Field, fieldValue, messageMark } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Framing, Transport } from "../ports/transport.ts";
import type { Handshake } from "../stream/handshake.ts";
import type { Hub } from "../stream/hub.ts";

/** How long is waited, and for whom. */
export interface WaitOptions {
  readonly waitMs: number;
  readonly clock: Clock;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Of a message, who waits for a change needs its status, its position, and whether there may be something new: a line. */
const markFraming: Framing = {
  frame(message) {
    const { status, eventId = "", isStale } = messageMark(message);
    return encoder.encode(`${status} ${eventId} ${isStale}\n`);
  },
};

/** A connection that is over with the first message that is no 304. */
class MarkTransport implements Transport {
  readonly framing: Framing = markFraming;
  readonly unsentBytes: number = 0;
  readonly takenBytes: number = 0;
  /** The position of the last 304. */
  eventId: string | undefined;
  /** Whether the last 304 said that there may be something new. */
  isStale = false;
  readonly #end: (hasChanged: boolean) => void;

  constructor(end: (hasChanged: boolean) => void) {
    this.#end = end;
  }

  write(bytes: Uint8Array): void {
    for (const line of decoder.decode(bytes).split("\n").slice(0, -1)) {
      const [status, eventId, isStale] = line.split(" ");
      if (status !== "304") {
        this.#end(true);
        return;
      }
      this.eventId = eventId || this.eventId;
      this.isStale = isStale === "true";
    }
  }

  ping(): void {}

  close(): void {
    this.#end(false);
  }

  abort(): void {
    this.#end(false);
  }

  setReading(): void {}
}

/**
 * Waits until a view shows something else than what a request names by `Last-Event-ID` or `If-None-Match`: resolves to
 * `changed` then, and at once where that is so already, or where the view can't be followed. Resolves to the fields of a
 * 304 where nothing came in time, the hub closes, or nobody waits any more [R-STR-21]; not where something may have
 * come that the server could not see: what that is, the plain answer says. Never rejects.
 */
export async function awaitChange(
  hub: Hub,
  handshake: Handshake,
  { waitMs, clock, signal }: WaitOptions,
): Promise<"changed" | readonly Field[]> {
  const opening = await hub.authorise(handshake);
  // What is refused, and a state that is another one, the plain answer says. Others may have come meanwhile.
  if (opening.kind === "refused" || opening.status === 200 || hub.isFull) return "changed";
  const known = opening.described.filter(([name]) => name.toLowerCase() === "etag");
  let end: (hasChanged: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  const transport = new MarkTransport((hasChanged) => end(hasChanged));
  const connection = hub.connect(transport, handshake, opening);
  const cancel = clock.setTimer(() => end(false), waitMs);
  const leave = (): void => end(false);
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  const hasChanged = await ended;
  cancel();
  signal.removeEventListener("abort", leave);
  connection.closed();
  const { eventId = fieldValue(opening.fields, "event-id") ?? "" } = transport;
  return hasChanged || transport.isStale ? "changed" : [...known, ["Event-ID", eventId]];
}
