import type { Framing } from "../ports/transport.ts";
import type { Message } from "./message.ts";

/** Where one connection's messages go, whatever carries them. */
export interface Outlet {
  /** How its messages become bytes; connections of the same framing share the bytes. */
  readonly framing: Framing;
  readonly isClosed: boolean;
  /** True while more is unsent than one connection may hold: then nothing is added [R-SUB-12]. */
  readonly isCongested: boolean;
  /** Whether that is so of what is unsent and so many bytes more, too. */
  hasRoomFor(bytes: number): boolean;
  /** Resolves once it is not congested any more, or closed. */
  room(): Promise<void>;
  /** Queues framed bytes; they are written at the end of this turn. */
  send(bytes: Uint8Array): void;
  /** Queues a message; Level 0 has none but notifications. A local mistake in it ends the connection with 1011. */
  sendMessage(message: Message): void;
  /** Writes what was queued, then says good-bye. */
  close(code: number, reason: string): void;
}
