const listed = /[ \t]*(?:W\/)?("[!#-~\x80-\xff]*")[ \t]*(?:,|$)/y;

/**
 * Whether an `If-None-Match` names this entity tag, by the weak comparison (RFC 9110 §8.8.3.2), or is `*`. A malformed
 * list matches no further than it can be read.
 *
 * @param ifNoneMatch - the field's value
 * @param etag - the current entity tag with its quotes, `W/` included where it is weak
 */
export function matchesEntityTag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === "*") return true;
  const wanted = etag.startsWith("W/") ? etag.slice(2) : etag;
  listed.lastIndex = 0;
  for (let match = listed.exec(ifNoneMatch); match; match = listed.exec(ifNoneMatch)) {
    if (match[1] === wanted || plainEntityTags(match[1] ?? "") === wanted) return true;
  }
  return false;
}

/**
 * The entity tag of the same state in a content coding: other bytes, so another strong tag [R-FLD-11]. A weak one is the
 * same in each.
 */
export function codedEntityTag(etag: string, coding: string): string {
  return etag.startsWith("W/") ? etag : etag.replace(/"$/, `;${coding}"`);
}

/** A list of entity tags, each without the coding that {@link codedEntityTag} put into it. */
export function plainEntityTags(list: string): string {
  return list.replace(/;(?:br|gzip)"/g, '"');
}
