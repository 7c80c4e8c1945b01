import { ProblemError } from "../client/index.ts";

/** What is wrong with one member. */
export interface MemberTrouble {
  readonly field: string;
  readonly detail: string;
}

/** What a problem says of members. */
export function troublesIn(problem: object): readonly MemberTrouble[] {
  const { errors } = problem as { readonly errors?: unknown };
  return Array.isArray(errors) ? (errors as MemberTrouble[]) : [];
}

/** What an error says of members: nothing, where it is no refusal. */
export function troublesOf(error: unknown): readonly MemberTrouble[] {
  return error instanceof ProblemError ? troublesIn(error.problem) : [];
}

/** What an error, or a problem, says in all. */
export function messageOf(error: unknown): string {
  const { message, detail } = Object(error) as { readonly message?: string; readonly detail?: string };
  return message ?? detail ?? String(error);
}

/** The problem in an answer. */
export async function problemIn(response: Response): Promise<{ readonly detail: string }> {
  const { status, statusText } = response;
  const problem: unknown = await response.json().catch(() => undefined);
  return { detail: `${status} ${statusText}`, ...Object(problem) };
}
