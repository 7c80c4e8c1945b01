import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginRequest } from "../../server/index.ts";
import { Refusal } from "../rest/refusal.ts";

const plainName = "rocket-session";
/** Which no other host can set, nor one without TLS. */
const hostName = `__Host-${plainName}`;

/** Whether a browser takes what the host of these fields sets without TLS for safe: it is the same machine. */
function isLoopback(fields: readonly Field[]): boolean {
  const host = (fieldValue(fields, "host") ?? "").replace(/:\d+$/, "").toLowerCase();
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(host);
}

/** The session that a request's cookie shows; `undefined` where it has none. */
export function cookieIn(fields: readonly Field[]): string | undefined {
  const names = isLoopback(fields) ? [hostName, plainName] : [hostName];
  const pairs = fields
    .filter(([name]) => name.toLowerCase() === "cookie")
    .flatMap(([, value]) => value.split(";"))
    .map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, Math.max(0, equals)).trim(), pair.slice(equals + 1).trim()] as const;
    });
  for (const name of names) {
    const found = pairs.find(([one, value]) => one === name && value !== "");
    if (found) return found[1];
  }
  return undefined;
}

function setCookie(fields: readonly Field[], value: string, maxAgeS: number): Field {
  const isPlain = isLoopback(fields);
  const attributes = ["Path=/", `Max-Age=${maxAgeS}`, "HttpOnly", "SameSite=Lax", ...(isPlain ? [] : ["Secure"])];
  return ["Set-Cookie", [`${isPlain ? plainName : hostName}=${value}`, ...attributes].join("; ")];
}

/** The field that has a browser keep a session. @param fields - the request's */
export function cookieField(fields: readonly Field[], shown: string, maxAgeS: number): Field {
  return setCookie(fields, shown, maxAgeS);
}

/** The field that has a browser forget its session. @param fields - the request's */
export function noCookieField(fields: readonly Field[]): Field {
  return setCookie(fields, "", 0);
}

/** A refusal of a request's cookie, by which the browser forgets it. */
export function forgetting({ problem, fields }: Refusal, request: Pick<OriginRequest, "fields">): Refusal {
  return new Refusal(problem.status, problem.detail ?? "", { fields: [...fields, noCookieField(request.fields)] });
}
