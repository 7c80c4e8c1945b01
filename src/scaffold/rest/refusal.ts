import { createProblem, type Field, type Problem, problemResponse } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";

/** One member of a body that can't be stored, for a problem's `errors`. */
export interface FieldError {
  /** The member's name. */
  readonly field: string;
  /** What is wrong with it, for a person. */
  readonly detail: string;
}

/** Thrown to refuse a request: what the peer gets is the problem. */
export class Refusal extends Error {
  readonly problem: Problem;
  readonly fields: readonly Field[];

  /**
   * @param status - the HTTP status
   * @param detail - this one case, for a person
   * @param more - `errors`: the members at fault; `fields`: further header fields
   */
  constructor(
    status: number,
    detail: string,
    more: { readonly errors?: readonly FieldError[]; readonly fields?: readonly Field[] } = {},
  ) {
    super(detail);
    this.name = "Refusal";
    this.problem = createProblem(status, detail, more.errors ? { errors: more.errors } : {});
    this.fields = more.fields ?? [];
  }

  /** The answer that carries it. */
  toResponse(): OriginResponse {
    const { status, fields, body } = problemResponse(this.problem, this.fields);
    return { status, fields, body };
  }
}

/** A 422 for members of a body. */
export function invalidMembers(errors: readonly FieldError[]): Refusal {
  const names = errors.map(({ field }) => field).join(", ");
  return new Refusal(422, `The record can't be stored as sent: see ${names}.`, { errors });
}

/** The 503 for a database that others hold locked, or that is closing. */
export function unavailable(detail: string): Refusal {
  return new Refusal(503, detail, { fields: [["Retry-After", "1"]] });
}
