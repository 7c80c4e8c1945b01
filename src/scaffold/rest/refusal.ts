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
  /** The SQLSTATE for it; `undefined` where there is none. */
  readonly code: string | undefined;

  /**
   * @param status - the HTTP status
   * @param detail - this one case, for a person
   * @param more - `errors`: the members at fault; `members`: what else the problem says; `fields`: further header fields; `code`: an SQLSTATE
   */
  constructor(
    status: number,
    detail: string,
    more: {
      readonly errors?: readonly FieldError[];
      readonly members?: Readonly<Record<string, unknown>>;
      readonly fields?: readonly Field[];
      readonly code?: string | undefined;
    } = {},
  ) {
    super(detail);
    this.name = "Refusal";
    this.problem = createProblem(status, detail, { ...more.members, ...(more.errors ? { errors: more.errors } : {}) });
    this.fields = more.fields ?? [];
    this.code = more.code;
  }

  /** The same refusal, of one of several. @param subject - what it is about, for a person */
  about(subject: string): Refusal {
    const { status, detail, errors } = this.problem;
    const more = Array.isArray(errors) ? { errors: errors as FieldError[] } : {};
    return new Refusal(status, `${subject}: ${detail}`, { ...more, fields: this.fields, code: this.code });
  }

  /** The answer that carries it. */
  toResponse(): OriginResponse {
    const { status, fields, body } = problemResponse(this.problem, this.fields);
    return { status, fields, body };
  }
}

/** How much of a name or value that a peer sent an answer repeats, in UTF-16 units. */
const maxRepeated = 100;

/** How many members an answer names. */
const maxNamed = 20;

/** A peer's name or value as an answer repeats it: an answer must not grow with what was sent [R-SEC-10]. */
export function shorten(text: string): string {
  // Without half of a character, which no UTF-8 has.
  const start = text.slice(0, maxRepeated).replace(/[\ud800-\udbff]$/, "");
  return (text.length <= maxRepeated ? text : `${start}…`).replace(/\p{Surrogate}/gu, "\ufffd");
}

/** Names in a sentence: the first ones, and how many more there are. */
export function listNames(names: readonly string[], count: number = names.length): string {
  const named = names.slice(0, maxNamed).map(shorten);
  return named.join(", ") + (count > named.length ? ` and ${count - named.length} more` : "");
}

/** What is wrong with a body's members: the first ones of it, and how many there are. */
export class FieldErrors {
  readonly #first: FieldError[] = [];
  readonly #sentence: string;
  #count = 0;

  /** @param sentence - what that means in all, without a full stop */
  constructor(sentence = "The record can't be stored as sent") {
    this.#sentence = sentence;
  }

  add(field: string, detail: string): void {
    this.#count += 1;
    if (this.#count <= maxNamed) this.#first.push({ field: shorten(field), detail });
  }

  /** @throws Refusal 422 where there is something wrong */
  refuse(): void {
    if (this.#count === 0) return;
    const names = this.#first.map(({ field }) => field);
    const detail = `${this.#sentence}: see ${listNames(names, this.#count)}.`;
    throw new Refusal(422, detail, { errors: this.#first });
  }
}

/**
 * The 401 for a request without a token that counts, as RFC 6750 §3 has it.
 *
 * @param error - what is wrong with the token; absent where there is none
 */
export function unauthorized(detail: string, error?: "invalid_token"): Refusal {
  const challenge = error === undefined ? "Bearer" : `Bearer error="${error}"`;
  return new Refusal(401, detail, { fields: [["WWW-Authenticate", challenge]] });
}

/** The 400 for an `on_conflict` that names what the database does not keep unique. */
export function notUnique(members: readonly { readonly name: string }[]): Refusal {
  const names = listNames(members.map(({ name }) => name));
  return new Refusal(400, `No unique rule of the database is about just ${names}, so on_conflict can't name that.`);
}

/** The 503 for a database that others hold locked, or that is closing. */
export function unavailable(detail: string): Refusal {
  return new Refusal(503, detail, { fields: [["Retry-After", "1"]] });
}
