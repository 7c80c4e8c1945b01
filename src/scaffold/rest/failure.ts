import { RocketError } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import { type Constraint, constraintOf, isBusy } from "../sqlite/sqlite-error.ts";
import { type FieldError, Refusal, unavailable } from "./refusal.ts";

const meanings: Readonly<Record<Constraint["kind"], readonly [status: number, detail: string, fieldDetail: string]>> = {
  unique: [409, "There is a record with this value already.", "Another record has this value."],
  foreignKey: [409, "A foreign key does not hold: a record that this one names is missing, or others name it.", ""],
  notNull: [422, "A value is missing that must be there.", "This must not be null."],
  check: [422, "The record breaks a rule of the database.", ""],
  datatype: [422, "A value is of a type that its column does not take.", "The column does not take this type."],
};

function fromConstraint({ kind, columns }: Constraint): Refusal {
  const [status, detail, fieldDetail] = meanings[kind];
  const errors: FieldError[] = columns.map((field) => ({ field, detail: fieldDetail }));
  return new Refusal(status, detail, errors.length > 0 ? { errors } : {});
}

function isBusyFor(error: unknown): boolean {
  if (!(error instanceof RocketError)) return isBusy(error);
  return error.code === "database-busy" || error.code === "journal-busy";
}

/** What a failure is to the peer: a refusal as it says; a broken rule 409 or 422; a locked database 503; else 500. */
export function refuse(error: unknown, onError: (error: unknown, stage: string) => void): OriginResponse {
  if (error instanceof Refusal) return error.toResponse();
  const constraint = constraintOf(error);
  if (constraint) return fromConstraint(constraint).toResponse();
  if (isBusyFor(error)) return unavailable("The database is locked by another program.").toResponse();
  onError(error, "answer");
  return new Refusal(500, "The service could not do this.").toResponse();
}
