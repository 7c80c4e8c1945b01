/** The beginning of every URL that stands for a record that the server has not created yet. */
export const temporaryUrl = "urn:uuid:";

/** The beginning of what stands for the URL of a row that has none, so that it can be told from others. */
export const noUrl = "#";

/** The URLs of all rows that a client ever gave out, by the row itself: an older row still names its record. */
export type RowUrls = WeakMap<object, string>;

/** Notes whose row it is; what is no object names nothing. */
export function noteUrl(urls: RowUrls, row: unknown, url: string): void {
  if (typeof row === "object" && row !== null) urls.set(row, url);
}
