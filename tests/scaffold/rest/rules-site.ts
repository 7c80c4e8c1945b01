import type { Rules } from "../../../src/scaffold/index.ts";
import type { Answer } from "../answer.ts";
import { bearer, secret, signed } from "../tokens/issuer.ts";
import { type EngineSql, extend, type Service, serve, type TestOptions } from "./service.ts";

/** A service whose viewers are told by their claims. */
export interface RulesSite extends Service {
  /** Sends a request as who has these claims. */
  as(claims: object, method: string, target: string, body?: unknown, fields?: Record<string, string>): Promise<Answer>;
}

/** The field of a token with claims. */
export async function tokenOf(claims: object): Promise<Record<string, string>> {
  return bearer(await signed({ ...claims }));
}

/** Serves a database by rules. */
export async function serveRules(sql: EngineSql, rules: Rules, options: TestOptions = {}): Promise<RulesSite> {
  const service = await serve(sql, { tokens: { secret, anonymous: "read" }, rules, ...options });
  return extend(service, {
    async as(claims: object, method: string, target: string, body?: unknown, fields: Record<string, string> = {}) {
      return service.send(method, target, body, { ...(await tokenOf(claims)), ...fields });
    },
  });
}

/** The records of an answer with a collection. */
export function rowsIn({ json }: Answer): Record<string, unknown>[] {
  return Object.values(json as object).find(Array.isArray) ?? [];
}

/** What the records of an answer have in a column. */
export function column(answer: Answer, name: string): unknown[] {
  return rowsIn(answer).map((row) => row[name]);
}
