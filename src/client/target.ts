/** What can't stand in a URL of ours: what parsers drop or turn into something else, another host, a scheme, a fragment. */
const forbidden = /[\\#\p{Cc}\p{Surrogate}]|^\/\/|^[a-z][\w+.-]*:/iu;
/** All but what a path and query have as it is (RFC 3986); `'` is left out, which parsers treat in two ways. */
const encoded = /[^\w.~!$&()*+,;=:@/?%[\]-]/gu;
/** What every parser leaves as it is. Lists ask for each of their rows' URLs at each drawing: parsing took most of it. */
const plain = /^(?:\/[\w-]+)+$/;

/**
 * Makes and checks every URL that the client sends to: the path and query of a URL of the base's origin. What it gives
 * is what is sent, byte for byte, for no URL parser makes something else of it.
 *
 * @param path - a path below the base's own, or one that begins with it already; also an absolute URL of the origin
 * @throws TypeError where it is of another origin, or parsers would understand it as another path, as with `..`
 */
export function targetOf(path: string, { origin, pathname }: Pick<URL, "origin" | "pathname">): string {
  if (path.startsWith(pathname) && plain.test(path)) return path;
  const given = path.startsWith(`${origin}/`) ? path.slice(origin.length) : path;
  const isRooted = given.startsWith("/");
  const above = given.startsWith(pathname) ? "" : isRooted ? pathname.slice(0, -1) : pathname;
  const isForbidden = forbidden.test(given);
  const target = isForbidden ? "" : (above + given).replace(encoded, encodeURIComponent).replaceAll("'", "%27");
  const href = origin + target;
  if (isForbidden || !URL.canParse(href) || new URL(href).href !== href)
    throw new TypeError(`${JSON.stringify(path)} is no URL of ${origin}, or would be taken for another one.`);
  return target;
}
