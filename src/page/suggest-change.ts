import type { ForeignWrite } from "./panes/foreign-write.ts";
import type { Row } from "./rows/row-source.ts";
import type { CollectionInfo, Column } from "./schema.ts";
import { updateCommand } from "./snippets.ts";

/** Another value of the same kind; putting it back is one more change away. */
function otherValue(value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return value + 1;
  return typeof value === "string" ? (value.endsWith("*") ? value.slice(0, -1) : `${value}*`) : undefined;
}

/** A column whose change can be seen and does no harm: a text before a number, and nothing that other rows refer to. */
function columnToChange({ columns, key }: CollectionInfo, row: Row): Column | undefined {
  const free = columns.filter(
    ({ name, may, references }) => may.includes("update") && !references && !key.includes(name),
  );
  const fits =
    (type: string) =>
    (column: Column): boolean =>
      typeof row[column.name] === type && column.kind === type;
  return (
    free.find(
      ({ kind, name, type }) =>
        kind === "text" &&
        typeof row[name] === "string" &&
        String(row[name]).length < 60 &&
        !/date|time|uuid/i.test(type),
    ) ??
    free.find(fits("number")) ??
    free.find(fits("boolean"))
  );
}

/** A small change of a row, as another program makes it: over HTTP, and by SQL where a shell can. */
export function suggestChange(
  info: CollectionInfo,
  row: Row,
  url: string,
  shell: string | undefined,
): ForeignWrite | undefined {
  const column = columnToChange(info, row);
  if (!column) return undefined;
  const value = otherValue(row[column.name]);
  const key = Object.fromEntries(info.key.map((name) => [name, row[name]]));
  const isKeyed = info.key.length > 0 && info.key.every((name) => row[name] !== undefined && row[name] !== null);
  const command =
    shell !== undefined && isKeyed
      ? updateCommand(shell, { table: info.name, key, column: column.name, value })
      : undefined;
  return { method: "PATCH", target: url, body: JSON.stringify({ [column.name]: value }), shell: command };
}
