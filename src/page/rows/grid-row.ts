import { element, fill, flash } from "../dom.ts";
import type { Column } from "../schema.ts";
import { type CellText, cellText, isSameValue } from "./cell-text.ts";
import type { Row } from "./row-source.ts";

/** What a row of the grid is shown with. */
export interface RowLooks {
  readonly columns: readonly Column[];
  readonly isPending: boolean;
}

function isLink(text: string): boolean {
  return /^https?:\/\/[^\s]+$/.test(text);
}

/** One row's elements, used again while the row stays. */
export class GridRow {
  readonly element: HTMLElement;
  readonly cells: HTMLElement[] = [];
  #row: Row | undefined;
  #index = -1;

  /** @param columns - one cell each, behind one for the row itself */
  constructor(columns: readonly Column[]) {
    this.element = element("div", { class: "grid-row", role: "row" });
    const menu = element(
      "button",
      { type: "button", class: "row-menu", tabindex: -1, "aria-label": "What to do with this row" },
      "⋯",
    );
    const first = element("div", { role: "gridcell", class: "cell is-menu", "aria-colindex": 1, tabindex: -1 }, menu);
    this.cells.push(first);
    columns.forEach(({ may }, at) => {
      const attributes = { role: "gridcell", class: "cell", "aria-colindex": at + 2, tabindex: -1 };
      this.cells.push(element("div", { ...attributes, ...(!may.includes("update") && { "aria-readonly": "true" }) }));
    });
    this.element.append(...this.cells);
  }

  /** The row that is shown; `undefined` where it is not here yet. */
  get row(): Row | undefined {
    return this.#row;
  }

  /** Where it is among all rows. */
  get index(): number {
    return this.#index;
  }

  /** Puts it in its place. */
  place(index: number, top: number): void {
    if (index !== this.#index) {
      this.#index = index;
      this.element.setAttribute("aria-rowindex", String(index + 2));
      this.element.classList.toggle("is-odd", index % 2 === 1);
    }
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** Shows a row, and marks what has changed in it. */
  show(row: Row | undefined, { columns, isPending }: RowLooks): void {
    const before = this.#row;
    this.element.classList.toggle("is-pending", isPending);
    this.element.classList.toggle("is-missing", row === undefined);
    if (before === row) return;
    this.#row = row;
    columns.forEach((column, at) => {
      const cell = this.cells[at + 1];
      if (!cell || (before && row && isSameValue(before[column.name], row[column.name]))) return;
      this.#write(cell, row, column);
      if (before && row) flash(cell, "changed");
    });
  }

  /** Marks all of it: it has entered. */
  markEntered(): void {
    for (const cell of this.cells) flash(cell, "entered");
  }

  #write(cell: HTMLElement, row: Row | undefined, column: Column): void {
    const { text, look }: CellText = row ? cellText(row[column.name], column) : { text: "", look: "text" };
    cell.className = `cell is-${look}`;
    // What is missing among numbers stands below them.
    if (column.kind === "number") cell.classList.add("is-number");
    if (cell.title !== text) cell.title = text.length > 24 ? text : "";
    const { references } = column;
    if (look === "text" && isLink(text)) cell.dataset.link = text;
    else delete cell.dataset.link;
    if (!references || !row || look === "null") {
      fill(cell, text);
      return;
    }
    const label = `Show where ${references.column} is ${text}`;
    const link = element(
      "button",
      { type: "button", class: "reference", tabindex: -1, "aria-label": label, title: label },
      "↗",
    );
    fill(cell, element("span", {}, text), link);
  }
}
