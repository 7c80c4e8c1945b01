/** The URLs of all rows that a client ever gave out, by the row itself: an older row still names its record. */
export class RowUrls {
  readonly #urls: WeakMap<object, string> = new WeakMap();

  /** The URL of a row; `undefined` for what is no row of this client. */
  get(row: unknown): string | undefined {
    return typeof row === "object" && row !== null ? this.#urls.get(row) : undefined;
  }

  /** Notes whose row it is. */
  set(row: unknown, url: string): void {
    if (typeof row === "object" && row !== null) this.#urls.set(row, url);
  }
}
