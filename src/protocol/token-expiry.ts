/**
 * When a bearer token says that it expires, in milliseconds since 1970: `exp` of a JWT (RFC 7519 §4.1.4). It is not verified.
 *
 * @param authorization - the value of `Authorization`
 * @returns nothing where it doesn't say
 */
export function tokenExpiry(authorization: string | undefined): number | undefined {
  const [, payload] = /^Bearer +[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization ?? "") ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const { exp } = (claims ?? {}) as { readonly exp?: unknown };
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
