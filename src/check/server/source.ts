import type { Message } from "../wire/messages.ts";

/** What brings the messages of a subscription: a WebSocket, or a stream over plain HTTP. */
export interface Source {
  /** Every message, in order. */
  readonly messages: readonly Message[];
  /** The next message that fits, of those that no earlier call has passed; waits for it. @throws Fault where none comes */
  until(expected: string, fits?: (message: Message) => boolean): Promise<Message>;
  /** The messages that no call has passed yet; they count as passed then. */
  rest(): Message[];
  /** Drops the connection without a word. */
  drop(): void;
}
