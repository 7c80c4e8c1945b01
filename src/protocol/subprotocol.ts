/** The WebSocket subprotocol of Level 1 [R-L1-1]. */
export const subprotocolName = "rocket.v1";

const bearerPrefix = "rocket.bearer.";

/** What a server makes of the subprotocols that a client offers. */
export interface SubprotocolChoice {
  /** 1 where `rocket.v1` is offered, 0 otherwise. */
  readonly level: 0 | 1;
  /** The value of the answer's `Sec-WebSocket-Protocol`; absent where there is none. */
  readonly echo?: string;
  /** The bearer token that was offered as `rocket.bearer.<base64url>`. Secret: never echoed, never logged. */
  readonly bearer?: string;
}

/** The token in one offered `rocket.bearer.…`; `undefined` where it is no base64url or no bearer token (RFC 6750 §2.1). */
function decodeBearer(encoded: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined;
  try {
    const token = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    return /^[A-Za-z0-9._~+/-]+=*$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

/** The names in a `Sec-WebSocket-Protocol` field; none where it is absent. */
export function offeredSubprotocols(value: string | null | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/**
 * Chooses the level, the echo and the bearer token from the offered subprotocols [R-L1-1] [R-SEC-3].
 *
 * @param offered - the names in `Sec-WebSocket-Protocol`, in order
 */
export function chooseSubprotocol(offered: readonly string[]): SubprotocolChoice {
  const carrier = offered.find((name) => name.startsWith(bearerPrefix));
  const bearer = carrier === undefined ? undefined : decodeBearer(carrier.slice(bearerPrefix.length));
  const token = bearer === undefined ? {} : { bearer };
  if (offered.includes(subprotocolName)) return { level: 1, echo: subprotocolName, ...token };
  return { level: 0, ...token };
}

/** The subprotocol by which a browser brings a bearer token: `rocket.bearer.<base64url>`. @throws TypeError where it is no bearer token */
export function bearerSubprotocol(token: string): string {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new TypeError("The token is not a bearer token (RFC 6750 §2.1).");
  return (
    bearerPrefix +
    btoa(token)
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace(/={0,2}$/, "")
  );
}
