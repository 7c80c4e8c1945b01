import type { ModelKind, Naming } from "../../engine/names.ts";
import type { Column, Table } from "../schema.ts";

/** What models say that a column holds. A view that they don't speak of shows what its table's column holds. */
export function modelKindOf({ name, view }: Table, column: string, naming: Naming): ModelKind | undefined {
  const kind = naming.kind(name, column);
  if (kind !== undefined || !view?.of) return kind;
  const [own] = [...view.of.columns].find(([, shown]) => shown === column) ?? [];
  return own === undefined ? undefined : naming.kind(view.of.table, own);
}

/**
 * A column as models have it: one of numbers holds booleans, and one of texts JSON, as if it were declared so. Where the
 * database stores another sort of value than the model's, the database is right.
 */
export function asModelled(column: Column, kind: ModelKind | undefined): Column {
  const { affinity } = column;
  if (kind === "boolean" && (affinity === "integer" || affinity === "numeric")) {
    return { ...column, holdsBoolean: true };
  }
  return kind === "json" && affinity === "text" ? { ...column, holdsJson: true } : column;
}
