import { formatJson } from "./json.ts";

type Claims = Readonly<Record<string, unknown>>;

const known: WeakMap<Claims, Claims> = new WeakMap();

/** A viewer's claims as JSON.parse has them, for functions of the application; empty where there are none. */
export function plainClaims({ claims }: { readonly claims: Claims | undefined }): Claims {
  if (!claims) return {};
  let plain = known.get(claims);
  if (!plain) {
    plain = JSON.parse(formatJson(claims)) as Claims;
    known.set(claims, plain);
  }
  return plain;
}
