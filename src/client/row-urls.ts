/** The beginning of every URL that stands for a record that the server has not created yet. */
export const temporaryUrl = "urn:uuid:";

/** Stands in what names a row that has no URL, and at the beginning of that where the server gave no name [R-FLD-12]. */
export const noUrl = "#";

/** What tells a row apart in its list: its URL, or what that would be while the server has not found it there [R-FLD-12]. */
export function nameOf(url: string): string {
  return url.startsWith(noUrl) ? url : url.replace(noUrl, "/");
}

/** The URLs of all rows that a client ever gave out, by the row itself: an older row still names its record. */
export type RowUrls = WeakMap<object, string>;

/** The validators of the versions that rows show, by the row itself. */
export type RowVersions = WeakMap<object, string>;

/** Notes whose row it is; what is no object names nothing. */
export function noteUrl(urls: RowUrls, row: unknown, url: string): void {
  if (typeof row === "object" && row !== null) urls.set(row, url);
}

/** Notes the validator of the version that a row shows, where it is one that `If-Match` can be held to. */
export function noteVersion(versions: RowVersions, row: unknown, etag: string | undefined): void {
  if (typeof row !== "object" || row === null) return;
  if (isStrong(etag)) versions.set(row, etag);
  else versions.delete(row);
}

/** True for a validator that the server itself holds `If-Match` to; many that give weak ones look at no `If-Match`. */
export function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') ?? false;
}

/** A validator as `If-Match` can have it: a front may have weakened it. */
export function strong(etag: string): string {
  return etag.replace(/^W\//, "");
}
