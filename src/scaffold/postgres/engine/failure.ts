import { RocketError } from "../../../protocol/index.ts";
import type { Trouble } from "../../engine/engine.ts";
import { notUnique, Refusal } from "../../rest/refusal.ts";

/** What PostgreSQL says of an error, as the driver has it. */
export interface Failed extends Error {
  /** The SQLSTATE. */
  readonly code: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  /** What of the data it is about; nothing of it goes to peers. */
  readonly detail?: string;
  /** The place in PostgreSQL that raised it. */
  readonly routine?: string;
  /** What it was doing. */
  readonly where?: string;
  /** Where in the statement, in characters from 1. */
  readonly position?: string;
}

/** An error that PostgreSQL sent; `undefined` for any other. */
export function failedOf(error: unknown): Failed | undefined {
  const isSent = error instanceof Error && "severity" in error && "code" in error && typeof error.code === "string";
  return isSent ? (error as Failed) : undefined;
}

/** Thrown where the connection may not take a viewer's role on. */
export class RoleFailure extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${reason}. Who owns that role types: GRANT … TO the role of this connection`, { cause });
    this.name = "RoleFailure";
  }
}

/** Thrown where another transaction has changed a record since it was read. */
export class Overtaken extends Error {}

/** Thrown where a write must share its transaction with no other: what the database runs with it may be for the transaction. */
export class MustBeAlone extends Error {}

/** Thrown where a record has to be read before it is changed, after all: the write is run again. */
export class MustRead extends Error {}

/** Whether the transaction may succeed when it is run again: it was in another's way, or the other in its. */
export function isConflict(error: unknown): boolean {
  if (error instanceof Overtaken) return true;
  return ["40001", "40P01"].includes(failedOf(error)?.code ?? "");
}

/** Whether the schema is another one than was known. */
export function isOutdated(error: unknown): boolean {
  return ["42P01", "42703", "3F000", "0A000"].includes(failedOf(error)?.code ?? "");
}

/**
 * What is wrong with a statement's ON CONFLICT, or else the error itself: its columns, which no unique rule is about, or one that
 * is checked late; or the table, which has rules of its own for what is written to it.
 */
export function conflictTrouble(error: unknown, unique: readonly { readonly name: string }[]): unknown {
  const { code = "", routine } = failedOf(error) ?? {};
  if (["42P10", "55000"].includes(code)) return notUnique(unique);
  if (code !== "0A000" || routine !== "RewriteQuery") return error;
  const detail =
    "PostgreSQL takes no upsert of this table, since it has rules (CREATE RULE) for what is written to it.";
  return new Refusal(400, `${detail} Send a POST without "resolution", or a PATCH.`);
}

/** Which parameter of a statement PostgreSQL was reading, from 1. */
export function parameterRead({ where = "" }: Failed): number | undefined {
  // JSON has a line ahead of that, of where in its text it went wrong.
  const found = /^unnamed portal parameter \$(\d+)/m.exec(where) ?? /^portal "[^"]*" parameter \$(\d+)/m.exec(where);
  const named = found?.[1];
  return named === undefined ? undefined : Number(named);
}

/** Whether a value could not be read as its column's type: it is none, has too many dimensions, or names what is not there. */
export function isUnreadable(error: unknown): boolean {
  const failed = failedOf(error);
  if (!failed || failed.code === "42501") return false;
  return failed.code.startsWith("22") || (/^(?:54|42|3F|0A)/.test(failed.code) && parameterRead(failed) !== undefined);
}

/** Whether a column could not be compared with what a filter has: a value of it is none of its type, or the type has no such comparison. */
export function isIncomparable(error: unknown): boolean {
  return isUnreadable(error) || failedOf(error)?.code === "42883";
}

/** Whether values of a type can't be told apart, or sorted, as groups and orders need it: the error is about no operator that was written. */
export function lacksOrder(error: unknown): boolean {
  const failed = failedOf(error);
  return failed?.code === "42883" && failed.routine === "get_sort_group_operators";
}

/** Whether the items of arrays can't be compared: PostgreSQL finds that out while it does so. */
export function lacksItemOrder(error: unknown): boolean {
  const failed = failedOf(error);
  return failed?.code === "42883" && /^(?:array_|hash_array|btarray|record_)/.test(failed.routine ?? "");
}

/** Whether a search in a full text can't be read, or has a configuration that is not there. */
export function isUnreadableSearch(error: unknown): boolean {
  return ["42601", "42704"].includes(failedOf(error)?.code ?? "");
}

/** Which parameter of a statement an error is about, from 1; `undefined` where PostgreSQL does not say. */
export function incomparablePlace(error: unknown, sql: string): number | undefined {
  const failed = failedOf(error);
  const read = failed && parameterRead(failed);
  if (read !== undefined) return read;
  const position = failed?.position;
  // An operator that is not there stands before its parameter.
  return position === undefined ? undefined : [...sql.slice(0, Number(position)).matchAll(/\$\d+/g)].length + 1;
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
]);

/** Whether the server is not there, is stopping or starting, or takes no more connections. */
export function isAway(error: unknown): boolean {
  const code = failedOf(error)?.code;
  if (code !== undefined) return code.startsWith("08") || code.startsWith("57P") || code === "53300";
  if (!(error instanceof Error)) return false;
  if ("code" in error && unreachable.has(String(error.code))) return true;
  return /^(?:Connection terminated|Query read timeout$|timeout exceeded when trying to connect$|Client .* is not queryable$)/.test(
    error.message,
  );
}

const inTheWay: Trouble = { status: 503, detail: "Other writes were in the way, again and again." };

const troubles: Readonly<Record<string, Trouble>> = {
  "25006": { status: 503, detail: "The database can't be written just now." },
  "40001": inTheWay,
  "40P01": inTheWay,
  "42501": { status: 403, detail: "The database does not let this server do that." },
  "53100": { status: 507, detail: "There is no room left for the database." },
  "54000": { status: 413, detail: "A value is bigger than the database takes." },
  "55P03": { status: 503, detail: "Another program keeps what this needs locked." },
  "57014": { status: 503, detail: "The database took too long." },
};

/** Whether a materialized view was read that was made WITH NO DATA, and not refreshed since. */
function isUnpopulated(error: unknown): boolean {
  const failed = failedOf(error);
  return failed?.code === "55000" && failed.routine === "ExecOpenScanRelation";
}

const unpopulated = "A materialized view that this reads has no data yet: REFRESH MATERIALIZED VIEW gives it some.";

/** What an error of PostgreSQL is to the peer; `undefined` for any other. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (isUnpopulated(error)) return { status: 503, detail: unpopulated };
  if (failedOf(error)?.code === "53300") {
    return { status: 503, detail: "The database takes no more connections just now." };
  }
  if (isAway(error)) return { status: 503, detail: "The database can't be reached just now." };
  if (error instanceof Overtaken) return inTheWay;
  if (error instanceof RoleFailure) return { status: 403, detail: "This server may not act as the token's role." };
  if (error instanceof RocketError) {
    if (error.code === "journal-readonly") return troubles["25006"];
    return error.code === "journal-busy"
      ? { status: 503, detail: "The database can't be reached just now." }
      : undefined;
  }
  const code = failedOf(error)?.code;
  return code === undefined ? undefined : (troubles[code] ?? { status: 500, detail: "The database refused this." });
}
