import { fieldValue } from "../../protocol/index.ts";
import type { OriginRequest } from "../../server/index.ts";
import { Refusal, shorten } from "./refusal.ts";

/**
 * A client of PostgREST names the schema that it means by a field. Only that of names without one can be meant so.
 *
 * @param schema - the schema whose tables have their own names as URLs
 * @throws Refusal 406 where it means another one
 */
export function requireProfile({ method, fields }: OriginRequest, schema: string): void {
  const name = method === "GET" || method === "HEAD" ? "Accept-Profile" : "Content-Profile";
  const profile = fieldValue(fields, name.toLowerCase());
  if (profile === undefined || profile === schema) return;
  const meant = shorten(profile);
  throw new Refusal(
    406,
    `${name} can name no schema but ${schema} here, not "${meant}". A table of another schema that is served is a collection of its own, as /${meant}.table.`,
  );
}
