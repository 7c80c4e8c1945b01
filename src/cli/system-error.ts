const known: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this machine does not have that address",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "the host can't be reached",
  ENETUNREACH: "the network can't be reached",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the host's name could not be looked up",
  EPIPE: "the other side closed the connection",
  ETIMEDOUT: "the connection timed out",
};

/** The code of a system error (`ECONNREFUSED`), also of one inside an AggregateError; `undefined` where it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return systemErrorCode(error.errors[0]);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** A system error in words; `undefined` for one that is not known. */
export function getSystemErrorMessage(error: unknown): string | undefined {
  const code = systemErrorCode(error);
  return code === undefined ? undefined : known[code];
}
