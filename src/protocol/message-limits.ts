/** What a decoder takes at most. Beyond any of them it throws a `ProtocolError` with the close code 1009. */
export interface MessageLimits {
  /** Octets of the start line, without its line end. */
  readonly maxStartLineBytes: number;
  /** Fields in one head. */
  readonly maxFields: number;
  /** Octets from the start to the end of the empty line; 64 KiB at most. */
  readonly maxHeadBytes: number;
  /** Bytes of the body; of a text, in UTF-8. */
  readonly maxBodyBytes: number;
}

/** What a server takes: 8 KiB start line, 64 fields, 16 KiB head, 1 MiB body [R-MSG-15]. */
export const serverLimits: MessageLimits = {
  maxStartLineBytes: 8 * 1024,
  maxFields: 64,
  maxHeadBytes: 16 * 1024,
  maxBodyBytes: 1024 * 1024,
};

/** What a client takes: as {@link serverLimits}, with a body of 64 MiB [R-MSG-15]. */
export const clientLimits: MessageLimits = { ...serverLimits, maxBodyBytes: 64 * 1024 * 1024 };
