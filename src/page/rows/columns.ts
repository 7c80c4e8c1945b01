import { element, onDrag } from "../dom.ts";
import type { Sorting } from "../query-text.ts";
import type { Column } from "../schema.ts";

/** So many pixels a key makes a column wider. */
const widthStep = 16;

/** What is done with heads. */
export interface HeadEvents {
  readonly sort: (column: string, adds: boolean) => void;
  /** How wide a column is. */
  readonly widthOf: (column: number) => number;
  /** Another width is wanted. @param width - absent: as all that is in it needs */
  readonly widen: (column: number, width?: number) => void;
}

/** What a column's width is drawn by. */
function edgeOf(column: number, { widthOf, widen }: HeadEvents): HTMLElement {
  const edge = element("span", { class: "edge", dblclick: () => widen(column) });
  onDrag(edge, ({ clientX }) => {
    const start = widthOf(column) - clientX;
    return (event) => widen(column, start + event.clientX);
  });
  return edge;
}

/** The row of heads, by which rows are sorted, and at whose edges columns are made wider. */
export function headOf(
  columns: readonly Column[],
  {
    sorting,
    keys,
    events,
  }: {
    readonly sorting: readonly Sorting[];
    readonly keys: readonly string[];
    readonly events: HeadEvents;
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
        title: `${name}: ${says}. Click to sort, with Shift by several. Drag its edge, or Shift+← →, for another width.`,
        click: (event: MouseEvent) => events.sort(name, event.shiftKey),
        keydown: ({ key, shiftKey }: KeyboardEvent) => {
          const step = { ArrowLeft: -widthStep, ArrowRight: widthStep }[key];
          if (shiftKey && step) events.widen(at, events.widthOf(at) + step);
        },
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
      edgeOf(at, events),
    );
  });
  const first = element(
    "div",
    { role: "columnheader", class: "head is-menu", "aria-colindex": 1 },
    element("span", { class: "hidden-text" }, "Row"),
  );
  return element("div", { role: "row", class: "grid-row grid-head", "aria-rowindex": 1 }, first, ...heads);
}
