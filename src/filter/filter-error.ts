/** A filter that a peer sent and that can't be. */
export class FilterError extends Error {
  /** @param message - what is wrong, in a sentence for the peer */
  constructor(message: string) {
    super(message);
    this.name = "FilterError";
  }
}
