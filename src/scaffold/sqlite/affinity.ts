import type { Affinity } from "./schema.ts";

/** The affinity that SQLite gives a column by its declared type. STRICT tables know `ANY`, which converts nothing. */
export function affinityOf(declaredType: string, isStrict: boolean): Affinity {
  const type = declaredType.toUpperCase();
  if (type.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(type)) return "text";
  if (type === "" || type.includes("BLOB") || (isStrict && type === "ANY")) return "blob";
  if (/REAL|FLOA|DOUB/.test(type)) return "real";
  return "numeric";
}
