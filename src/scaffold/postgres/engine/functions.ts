import { Denied } from "../../engine/denied.ts";
import type { Parameter, ServedFunction } from "../../engine/function.ts";
import type { Session } from "../driver.ts";
import type { ColumnType } from "../table.ts";
import { readText } from "./literal.ts";
import type { Served } from "./served.ts";
import { readTypes } from "./types.ts";
import { PostgresType } from "./value-type.ts";

/** A parameter, with its type as SQL writes it. */
export interface PostgresParameter extends Parameter {
  readonly sqlType: string;
}

/** A column of what a function gives. */
export interface ResultColumn {
  readonly name: string;
  readonly type: PostgresType;
}

/** A function or procedure of PostgreSQL. */
export interface PostgresFunction extends ServedFunction {
  readonly schema: string;
  readonly ownName: string;
  /** The parameters by which a procedure gives something, and takes nothing; `undefined` for a function. */
  readonly given: readonly string[] | undefined;
  readonly parameters: readonly PostgresParameter[];
  readonly columns: readonly ResultColumn[];
}

/** Trigger functions are no one's to call, and those of extensions are the extension's own. */
const functionsSql = `SELECT n.nspname, p.proname, has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'),
    json_build_object('kind', p.prokind::text, 'volatility', p.provolatile::text, 'isSet', p.proretset, 'isVariadic', p.provariadic <> 0,
      'defaults', p.pronargdefaults, 'result', p.prorettype::text, 'isComposite', t.typtype = 'c',
      'names', coalesce(p.proargnames, '{}'), 'modes', coalesce(p.proargmodes::text[], '{}'),
      'types', coalesce(p.proallargtypes, p.proargtypes::oid[])::text[],
      'sqlTypes', (SELECT json_agg(format_type(a.type, NULL) ORDER BY a.place)
        FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a (type, place)),
      'columns', (SELECT json_agg(json_build_array(a.attname, a.atttypid::text) ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = t.typrelid AND t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type t ON t.oid = p.prorettype
  WHERE n.nspname = ANY ($1) AND p.proname = ANY ($2) AND p.prokind IN ('f', 'p') AND t.typname NOT IN ('trigger', 'event_trigger')
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
  ORDER BY array_position($1, n.nspname::text), p.oid`;

interface Found {
  readonly kind: "f" | "p";
  readonly volatility: "i" | "s" | "v";
  readonly isSet: boolean;
  readonly isVariadic: boolean;
  readonly defaults: number;
  readonly result: string;
  readonly isComposite: boolean;
  readonly names: readonly string[];
  readonly modes: readonly string[];
  readonly types: readonly string[];
  readonly sqlTypes: readonly string[] | null;
  readonly columns: readonly (readonly [name: string, type: string])[] | null;
}

type TypeOf = (oid: string) => ColumnType;

/** Whether values of a type have no form of their own: `anyelement`, `record`, `internal`. */
function isPseudo({ kind }: ColumnType): boolean {
  return /^any|^(?:record|internal|cstring)$/.test(kind);
}

function parametersOf(found: Found, typeOf: TypeOf): PostgresParameter[] {
  const taken = found.types.flatMap((type, at) => {
    const mode = found.modes[at] ?? "i";
    const place = { name: found.names[at] ?? "", type: typeOf(type), sqlType: found.sqlTypes?.[at] ?? "" };
    return mode === "o" || mode === "t" ? [] : [place];
  });
  return taken.map(({ name, type, sqlType }, at): PostgresParameter => {
    const { kind } = type;
    return {
      ...{ name, sqlType, isOptional: at >= taken.length - found.defaults },
      fromText: (text) => (kind === "json" || kind === "jsonb" ? { value: text } : readText(text, kind)),
      fromJson: (json) => new PostgresType(type).fromJson(json),
    };
  });
}

/** The columns of what is given, by the parameters that are there for that, or by the type. */
function columnsOf(found: Found, typeOf: TypeOf): ResultColumn[] {
  const given = found.types.flatMap((type, at) => {
    const isGiven = ["o", "b", "t"].includes(found.modes[at] ?? "i");
    return isGiven ? [[found.names[at] || `column${at + 1}`, type] as const] : [];
  });
  const columns = given.length > 0 ? given : (found.columns ?? [["", found.result] as const]);
  return columns.map(([name, type]) => ({ name, type: new PostgresType(typeOf(type)) }));
}

function givesOf({ isSet, isComposite, modes }: Found, result: ColumnType): ServedFunction["gives"] {
  if (result.kind === "void") return "none";
  const isRecord = isComposite || result.kind === "record" || modes.includes("t");
  if (isSet) return isRecord ? "records" : "values";
  return isRecord ? "record" : "value";
}

function reasonOf(found: Found, parameters: readonly PostgresParameter[], typeOf: TypeOf): string | undefined {
  const hasColumns = found.modes.some((mode) => ["o", "b", "t"].includes(mode));
  if (found.isVariadic) return "it takes any number of arguments (VARIADIC)";
  const isUnnamed = found.kind === "p" && found.modes.some((mode, at) => mode === "o" && !found.names[at]);
  if (isUnnamed || parameters.some(({ name }) => name === "")) return "it has a parameter without a name";
  if (found.types.some((type) => isPseudo(typeOf(type)))) return "it has a parameter of any type";
  const result = typeOf(found.result);
  if (isPseudo(result) && !(result.kind === "record" && hasColumns)) return "it does not say what it gives";
  return undefined;
}

/**
 * The functions and procedures that a collection-like name stands for: one of the first schema by its name, others with their schema's.
 *
 * @throws Denied where there are only such that the session's role may not call
 */
export async function readFunctions(session: Session, served: Served, name: string): Promise<PostgresFunction[]> {
  const dots = [...name.matchAll(/\./g)].map(({ index }) => name.slice(index + 1));
  const rows = await session.query(functionsSql, [served.schemas, [name, ...dots]]);
  const meant = rows.filter(([schema, own]) => served.ownNameOf({ schema: schema ?? "", name: own ?? "" }) === name);
  const callable = meant.filter(([, , isCallable]) => isCallable === "t");
  if (meant.length > 0 && callable.length === 0) throw new Denied();
  if (callable.length === 0) return [];
  const typeOf = await readTypes(session);
  return callable.map(([schema, ownName, , json]) => {
    const found = JSON.parse(json ?? "{}") as Found;
    const parameters = parametersOf(found, typeOf);
    return {
      ...{ schema: schema ?? "", ownName: ownName ?? "", parameters },
      given: found.kind === "p" ? found.names.filter((_, at) => found.modes[at] === "o") : undefined,
      columns: columnsOf(found, typeOf),
      isReading: found.kind === "f" && found.volatility !== "v",
      gives: givesOf(found, typeOf(found.result)),
      unsupported: reasonOf(found, parameters, typeOf),
    };
  });
}
