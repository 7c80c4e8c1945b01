import { acceptedRanges, type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import type { FieldError } from "./refusal.ts";

/** Whether a request asks for one of PostgREST's types, and so comes from one of its clients. */
export function isOfPostgrest(fields: readonly Field[]): boolean {
  return acceptedRanges(fields).some(({ type }) => type.startsWith("application/vnd.pgrst."));
}

function usualCode(status: number): string {
  if (status === 400) return "PGRST100";
  return status === 403 ? "42501" : `PGRST${status}`;
}

/**
 * A problem with what PostgREST's clients read of it, too: `code`, `message`, `details` and `hint`. Any other answer, and one that
 * has them, as it is.
 *
 * @param code - an SQLSTATE, where one is known
 */
export function inPostgrestWords(response: OriginResponse, code?: string): OriginResponse {
  const { status, fields, body } = response;
  if (body.length === 0 || fieldValue(fields, "content-type") !== "application/problem+json") return response;
  const problem = JSON.parse(String(body)) as { readonly detail: string; readonly errors?: readonly FieldError[] };
  if ("code" in problem) return response;
  const details = problem.errors?.map(({ field, detail }) => `${field}: ${detail}`).join(" ") ?? null;
  const words = { code: code ?? usualCode(status), message: problem.detail, details, hint: null };
  return { ...response, body: JSON.stringify({ ...problem, ...words }) };
}
