import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import { BrokenRule, type RuleKind } from "../engine/broken-rule.ts";
import { Denied } from "../engine/denied.ts";
import type { Engine } from "../engine/engine.ts";
import type { Viewer } from "../engine/viewer.ts";
import { inPostgrestWords, isOfPostgrest } from "./postgrest-words.ts";
import { listNames, Refusal, shorten, unauthorized, unavailable } from "./refusal.ts";

/** A rule's meaning: the status, what it is in all, and what it is for one of its columns. */
type Meaning = readonly [status: number, detail: string, columnDetail: string];

const meanings: Readonly<Record<Exclude<RuleKind, "check" | "raised">, Meaning>> = {
  unique: [409, "There is a record with this value already.", "Another record has this value."],
  foreignKey: [
    409,
    "A foreign key does not hold: a record that this one names is missing.",
    "There is no record with this value.",
  ],
  notNull: [422, "A value is missing that must be there.", "This must not be null."],
  datatype: [422, "A value is of a type that its column does not take.", "The column does not take this type."],
};

const anyForeignKey = "A foreign key does not hold: a record that this one names is missing, or others name it.";

/** Rules as SQL calls what breaks them. */
const sqlStates: Readonly<Record<RuleKind, string>> = {
  unique: "23505",
  foreignKey: "23503",
  notNull: "23502",
  check: "23514",
  datatype: "22P02",
  raised: "P0001",
};

/** What is said of a value that its column does not take. */
function valueTrouble(text: string, taken: readonly string[]): string {
  const others = taken.length === 0 ? "" : ` It takes ${listNames(taken)}.`;
  return `The column does not take ${JSON.stringify(shorten(text))}.${others}`;
}

/** The request is not at fault, and may go well when it is sent again: a sequence goes on. */
const ownValueTaken: Meaning = [
  409,
  "The database gave the record a value by itself that another one has. Where a sequence gives it, that is behind: whoever administers the database sets it to the highest value (setval).",
  "The database gave this value, and another record has it.",
];

function meaningOf({ kind, columns, text, taken, isOwnValue }: BrokenRule): Meaning {
  if (isOwnValue) return ownValueTaken;
  if (kind === "datatype" && text !== undefined)
    return [422, "A value is none that its column takes.", valueTrouble(text, taken)];
  if (kind === "raised") return [422, text ?? "", ""];
  if (kind === "check") {
    const rule = text === undefined ? "a rule" : `the rule ${JSON.stringify(text)}`;
    return [422, `The record breaks ${rule} of the database.`, checkTrouble(text)];
  }
  // Where no column is at fault, it may be a record that others name.
  return kind === "foreignKey" && columns.length === 0 ? [409, anyForeignKey, ""] : meanings[kind];
}

function checkTrouble(name: string | undefined): string {
  return `It breaks ${name === undefined ? "a check" : `the check ${JSON.stringify(name)}`} of the table.`;
}

/** The refusal for a broken rule: 409 where it depends on other records, else 422. */
export function refusalOf(rule: BrokenRule): Refusal {
  const [status, detail, columnDetail] = meaningOf(rule);
  const errors = rule.columns.map((field) => ({ field, detail: columnDetail }));
  const refusal = new Refusal(status, detail, { ...(errors.length > 0 ? { errors } : {}), code: sqlStates[rule.kind] });
  const record = rule.place?.record;
  return record === undefined ? refusal : refusal.about(recordOfList(record));
}

/** What a refusal is about that is about one record of a list. @param at - where that is, from 0 */
export function recordOfList(at: number): string {
  return `Record ${at + 1} of the list`;
}

/**
 * What a viewer may not do: one without a token may come again with one, where there are tokens. Of the reason, no
 * more is told than what the viewer may know.
 */
function denial(viewer: Viewer | undefined, detail = "You may not do that."): Refusal {
  const isAnonymous = viewer?.claims === undefined && viewer?.isEverybody !== true;
  return isAnonymous ? unauthorized("That needs a token that allows it.") : new Refusal(403, detail);
}

function reported({ method, target }: OriginRequest, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`${method} ${target.split("?")[0]}: ${reason}`, { cause: error });
}

/**
 * What a failure is to the peer: a refusal as it says; a broken rule 409 or 422; a busy database 503; what
 * the viewer may not do 403, or 401 without a token; else mostly 500, with a hint for the peer, and the reason to `onError`.
 *
 * @param viewer - who asked; `undefined` where that is not known
 */
export function refuse(
  error: unknown,
  request: OriginRequest,
  viewer: Viewer | undefined,
  engine: Pick<Engine, "troubleOf">,
  onError: (error: unknown, stage: string) => void,
): OriginResponse {
  const told = error instanceof Error ? refusalFor(error, viewer) : undefined;
  const refusal = told ?? failureOf(error, request, engine, onError);
  const response = refusal.toResponse();
  if (!isOfPostgrest(request.fields)) return response;
  return inPostgrestWords(response, error instanceof Denied ? "42501" : refusal.code);
}

/** A failure that has a meaning of its own. */
function refusalFor(error: Error, viewer: Viewer | undefined): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof Denied) return denial(viewer, error.detail);
  return error instanceof BrokenRule ? refusalOf(error) : undefined;
}

function failureOf(
  error: unknown,
  request: OriginRequest,
  engine: Pick<Engine, "troubleOf">,
  onError: (error: unknown, stage: string) => void,
): Refusal {
  const { status, detail } = engine.troubleOf(error) ?? { status: 500, detail: "The service failed." };
  if (status === 503) return unavailable(detail);
  onError(reported(request, error), "answer");
  return new Refusal(status, status === 500 ? `${detail} The server's log says more.` : detail);
}
