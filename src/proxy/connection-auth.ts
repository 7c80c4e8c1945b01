import { createProblem, type HttpResponse, problemResponse } from "../protocol/index.ts";
import type { RawFields } from "./fields.ts";

const boundScheme = /^[ \t]*(?:ntlm|negotiate|nego2|kerberos)(?:[ \t,]|$)/i;

/**
 * The refusal of credentials that count for a whole connection, and not for the request that has them (NTLM, Negotiate):
 * connections to the upstream serve many clients, who would all be taken for this one.
 */
export function refuseConnectionAuth(raw: RawFields): HttpResponse | undefined {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.length !== 13 || name.toLowerCase() !== "authorization" || !boundScheme.test(raw[at + 1] ?? "")) continue;
    const detail =
      "NTLM and Negotiate authenticate a connection, and the proxy's serve many clients. Authenticate each request: Basic, Bearer, or a cookie.";
    return problemResponse(createProblem(501, detail));
  }
  return undefined;
}
