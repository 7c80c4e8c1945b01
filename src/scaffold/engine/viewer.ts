import type { OriginRequest } from "../../server/index.ts";

/** Whom a request is for, as the database is to see it. */
export interface Viewer {
  /** The role of the database that the request acts as; `undefined`: the connection's own. */
  readonly role: string | undefined;
  /** What the token claims, each number as it was written; `undefined` where the request has no token. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /**
   * Equal for the same person in the same role, also with a renewed token: whose an `Idempotency-Key` is. Empty where the
   * service knows no viewers.
   */
  readonly key: string;
  /** Whether no tokens are asked for, so that there is nobody else. Absent: no. */
  readonly isEverybody?: boolean;
  /** Whether it may only read: it has no token, and whoever writes needs one. Absent: no. */
  readonly isReader?: boolean;
  /** What the database may ask about the request; absent where there is none. */
  readonly request?: Pick<OriginRequest, "method" | "target" | "fields">;
}

/** Everybody: where no tokens are asked for, all requests are the same viewer's. */
export const everybody: Viewer = { role: undefined, claims: undefined, key: "", isEverybody: true };
