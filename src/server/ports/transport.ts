/** How messages are put into bytes for one kind of transport; connections with the same framing share the bytes. */
export interface Framing {
  /** The bytes that carry one message. A string is sent as text, bytes as binary. */
  frame(message: string | Uint8Array): Uint8Array;
}

/** Where a connection's bytes go. Nothing of it throws; that the peer is gone is told by `Connection.closed()`. */
export interface Transport {
  readonly framing: Framing;
  /** Bytes that were written and that the peer's side has not taken yet. */
  readonly unsentBytes: number;
  /** Any number that changes whenever the peer's side takes something of what was written [R-SEC-5]. */
  readonly takenBytes: number;
  /** Sends framed bytes, in order. When `unsentBytes` is 0 again, the owner calls `Connection.drained()`. */
  write(bytes: Uint8Array): void;
  /** Sends a sign of life that carries no message: Level 0's heartbeat. */
  ping(): void;
  /** Says good-bye after what was written. @param reason - at most 123 bytes of UTF-8 (RFC 6455 §5.5) */
  close(code: number, reason: string): void;
  /** Drops the connection at once, with what was not sent. */
  abort(): void;
  /** Stops (`false`) or goes on (`true`) reading from the peer. */
  setReading(reading: boolean): void;
}
