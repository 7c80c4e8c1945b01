/** A filter that a peer sent and that can't be. */
export class FilterError extends Error {
  /** @param message - what is wrong, in a sentence for the peer */
  constructor(message: string) {
    super(message);
    this.name = "FilterError";
  }
}

/** A peer's text in a sentence. */
export function cited(text: string): string {
  const start = text.slice(0, 100).replace(/[\ud800-\udbff]$/, "");
  return `"${text.length > start.length ? `${start}…` : text}"`;
}
