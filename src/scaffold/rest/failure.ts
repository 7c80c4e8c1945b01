import { RocketError } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import { type Constraint, constraintOf, isBusy, sqliteCode } from "../sqlite/sqlite-error.ts";
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

const log = "The server's log says more.";

/** What SQLite's other errors are to the peer, by their primary result code. */
const troubles: Readonly<Record<number, readonly [status: number, detail: string]>> = {
  1: [500, `The database has a trigger, check, index or view that this server can't run. ${log}`],
  8: [500, `The database can't be written just now. ${log}`],
  10: [500, `The database's file could not be read or written. ${log}`],
  11: [500, `The database is damaged. ${log}`],
  13: [507, "There is no room left for the database."],
  18: [413, "A value is bigger than the database takes."],
  26: [500, `The database's file is no database any more. ${log}`],
};

function reported({ method, target }: OriginRequest, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`${method} ${target.split("?")[0]}: ${reason}`, { cause: error });
}

/**
 * What a failure is to the peer: a refusal as it says; a broken rule 409 or 422; a locked database 503; else mostly 500,
 * with a hint for the peer, and the reason to `onError`.
 */
export function refuse(
  error: unknown,
  request: OriginRequest,
  onError: (error: unknown, stage: string) => void,
): OriginResponse {
  if (error instanceof Refusal) return error.toResponse();
  const constraint = constraintOf(error);
  if (constraint) return fromConstraint(constraint).toResponse();
  if (isBusyFor(error)) return unavailable("The database is locked by another program.").toResponse();
  onError(reported(request, error), "answer");
  const code = sqliteCode(error);
  const [status, detail] = (code === undefined ? undefined : troubles[code]) ?? [500, `The service failed. ${log}`];
  return new Refusal(status, detail).toResponse();
}
