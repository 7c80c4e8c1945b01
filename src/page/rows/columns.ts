import { element } from "../dom.ts";
import type { Sorting } from "../query-text.ts";
import type { Column } from "../schema.ts";
import { cellText } from "./cell-text.ts";
import type { Row } from "./row-source.ts";

/** By so many rows a column's width is judged. */
const maxSamples = 60;
const menuWidth = 40;

/** The widths of columns in pixels, by what is in them. */
export function widthsOf(columns: readonly Column[], rows: Iterable<Row>): number[] {
  const samples: Row[] = [];
  for (const row of rows) {
    samples.push(row);
    if (samples.length === maxSamples) break;
  }
  return columns.map((column) => {
    const lengths = samples
      .map((row) => cellText(row[column.name], column).text.length)
      .sort((one, other) => one - other);
    const usual = lengths[Math.floor(lengths.length * 0.95)] ?? 8;
    const reference = column.references ? 3 : 0;
    const letters = Math.min(38, Math.max(usual + reference, column.name.length + 3, 5));
    return Math.round(letters * 7.4 + 26);
  });
}

/** The same as a grid's template. */
export function templateOf(widths: readonly number[]): string {
  return [menuWidth, ...widths].map((width) => `${width}px`).join(" ");
}

/** All of them together, with the column of the row itself. */
export function widthOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, menuWidth);
}

/** The row of heads, by which rows are sorted. */
export function headOf(
  columns: readonly Column[],
  {
    sorting,
    keys,
    onSort,
  }: {
    readonly sorting: readonly Sorting[];
    readonly keys: readonly string[];
    readonly onSort: (column: string, adds: boolean) => void;
  },
): HTMLElement {
  const heads = columns.map(({ name, type, nullable, kind, may }, at) => {
    const place = sorting.findIndex(([column]) => column === name);
    const [, descending] = sorting[place] ?? [];
    const sort = descending === undefined ? "none" : descending ? "descending" : "ascending";
    const arrow = descending === undefined ? "" : descending ? "▾" : "▴";
    const says = [
      type || kind,
      ...(keys.includes(name) ? ["key"] : []),
      nullable ? "may be NULL" : "never NULL",
      ...(may.includes("update") ? [] : ["read only"]),
    ].join(", ");
    const sorter = element(
      "button",
      {
        type: "button",
        class: "sorter",
        title: `${name}: ${says}. Click to sort, with Shift by several.`,
        click: (event: MouseEvent) => onSort(name, event.shiftKey),
      },
      element("span", { class: keys.includes(name) ? "is-key" : "" }, name),
      element(
        "span",
        { class: "arrow", "aria-hidden": "true" },
        arrow + (sorting.length > 1 && place >= 0 ? `${place + 1}` : ""),
      ),
    );
    return element(
      "div",
      { role: "columnheader", class: `head is-${kind}`, "aria-colindex": at + 2, "aria-sort": sort },
      sorter,
    );
  });
  const first = element(
    "div",
    { role: "columnheader", class: "head is-menu", "aria-colindex": 1 },
    element("span", { class: "hidden-text" }, "Row"),
  );
  return element("div", { role: "row", class: "grid-row grid-head", "aria-rowindex": 1 }, first, ...heads);
}
