/** How messages are put into bytes for one kind of transport; equal framings share the bytes. */
export interface Framing {
  readonly name: string;
  /** The bytes that carry one message. A string is sent as text, bytes as binary. */
  frame(message: string | Uint8Array): Uint8Array;
}

/** Where a connection's bytes go. Nothing of it throws; a peer that is gone is told by `Connection.closed`. */
export interface Transport {
  readonly framing: Framing;
  /** Bytes that were written and that the peer's side has not taken yet. */
  readonly unsentBytes: number;
  /** Sends framed bytes, in order. */
  write(bytes: Uint8Array): void;
  /** Says good-bye after what was written. @param reason - at most 123 bytes of UTF-8 (RFC 6455 §5.5) */
  close(code: number, reason: string): void;
  /** Stops (`false`) or goes on (`true`) reading from the peer. */
  setReading(reading: boolean): void;
}
