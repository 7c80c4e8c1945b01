/** Bytes that are no message of this protocol. `closeCode` is what the connection is closed with. */
export class ProtocolError extends Error {
  /** A WebSocket close code: 1002 (no HTTP message), 1009 (too large). */
  readonly closeCode: number;

  /**
   * @param message - what is wrong, in a few words
   * @param closeCode - a WebSocket close code
   */
  constructor(message: string, closeCode: number) {
    super(message);
    this.name = "ProtocolError";
    this.closeCode = closeCode;
  }
}

/** Makes every {@link ProtocolError}. `closeCode` is 1002 unless given [R-MSG-3]. */
export function protocolError(message: string, closeCode = 1002): ProtocolError {
  return new ProtocolError(message, closeCode);
}

/** Makes the {@link ProtocolError} for what is larger than a limit: close code 1009 [R-MSG-16]. */
export function tooLarge(what: string, limit: number): ProtocolError {
  return protocolError(`${what} is larger than ${limit}`, 1009);
}
