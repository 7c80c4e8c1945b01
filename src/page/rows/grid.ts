import { element, fill, OncePerFrame } from "../dom.ts";
import type { Sorting } from "../query-text.ts";
import type { CollectionInfo, Column } from "../schema.ts";
import { ColumnWidths } from "./column-widths.ts";
import { headOf } from "./columns.ts";
import { GridRow } from "./grid-row.ts";
import type { Row, RowSource } from "./row-source.ts";
import { rowHeight, Viewport } from "./viewport.ts";

/** A cell, and what is in it. */
export interface CellAt {
  readonly cell: HTMLElement;
  readonly row: Row;
  readonly column: Column;
}

/** What is done in the grid. */
export interface GridEvents {
  sort(column: string, adds: boolean): void;
  edit(at: CellAt): void;
  /** What may be done with a row is asked for at an element. */
  menu(row: Row, anchor: HTMLElement): void;
  remove(row: Row): void;
  /** The row that a value refers to is asked for. */
  follow(at: CellAt): void;
}

/** Rows above and below what is seen. */
const margin = 6;
/** How long a row may take to come that was made a moment ago, in milliseconds. */
const revealMs = 1_500;

/** A table of live rows, of which only those that are seen are in the page. */
export class Grid {
  readonly element: HTMLElement;
  readonly #events: GridEvents;
  readonly #body: HTMLElement = element("div", { role: "rowgroup", class: "grid-body" });
  readonly #head: HTMLElement = element("div", { role: "rowgroup", class: "grid-top" });
  readonly #rows: Map<string, GridRow> = new Map();
  readonly #viewport: Viewport;
  readonly #paint: OncePerFrame = new OncePerFrame(() => this.#show());
  #source: RowSource | undefined;
  #info: CollectionInfo | undefined;
  #keys: Set<string> | undefined;
  readonly #widths: ColumnWidths = new ColumnWidths();
  #isMeasured = false;
  /** The room that columns were made to fit. */
  #room = 0;
  #active: { row: number; column: number } = { row: 0, column: 1 };
  /** Whether the active cell is to have the focus once it is there. */
  #wantsFocus = false;

  constructor(events: GridEvents) {
    this.#events = events;
    this.element = element("div", { role: "grid", class: "grid", "aria-label": "Rows" }, this.#head, this.#body);
    this.#viewport = new Viewport(this.element, this.#body);
    this.element.addEventListener("scroll", () => this.#paint.ask(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.#press(event));
    this.element.addEventListener("click", (event) => this.#click(event));
    this.element.addEventListener("dblclick", (event) => this.#editAt(event.target as HTMLElement));
    this.element.addEventListener("contextmenu", (event) => this.#openMenu(event));
    this.element.addEventListener("focusin", ({ target }) => this.#focused(target as HTMLElement));
    new ResizeObserver(() => this.#paint.ask()).observe(this.element);
  }

  /** Shows other rows. */
  show(source: RowSource, info: CollectionInfo, sorting: readonly Sorting[]): void {
    const isSame = source === this.#source && info === this.#info;
    if (source !== this.#source) {
      this.#keys = undefined;
      this.#viewport.reset();
      this.#active = { row: 0, column: Math.min(1, info.columns.length) };
    }
    if (!isSame) {
      this.#rows.clear();
      fill(this.#body);
      this.#isMeasured = false;
    }
    this.#source = source;
    this.#info = info;
    this.element.setAttribute("aria-label", info.name);
    this.element.setAttribute("aria-colcount", String(info.columns.length + 1));
    const sorters = this.#head.getElementsByTagName("button");
    const focused = [...sorters].indexOf(document.activeElement as HTMLButtonElement);
    const events = {
      sort: this.#events.sort,
      widthOf: (column: number) => this.#widths.of(column),
      widen: (column: number, width?: number) => {
        this.#widths.make(column, width);
        this.#fit();
      },
    };
    fill(this.#head, headOf(info.columns, { sorting, keys: info.key, events }));
    sorters[focused]?.focus();
    this.#paint.ask();
  }

  /** Looks at the rows again. */
  update(): void {
    this.#paint.ask();
  }

  /** Goes to the row of a URL, once it is here. Gives whether it is. */
  async reveal(url: string): Promise<boolean> {
    const source = this.#source;
    for (const end = performance.now() + revealMs; source && source === this.#source; ) {
      for (const [row, shown] of source.known()) {
        if (source.urlOf(shown) !== url) continue;
        this.#goTo({ row, column: Math.min(1, this.#info?.columns.length ?? 0) });
        return true;
      }
      if (performance.now() > end) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }

  #show(): void {
    const [source, info] = [this.#source, this.#info];
    if (!source || !info) return;
    const { total } = source;
    const { first, visible, topOf } = this.#viewport.look(total);
    this.element.setAttribute("aria-rowcount", String(total + 1));
    const [from, to] = [Math.max(0, first - margin), Math.min(total, first + visible + margin)];
    source.look(from, to);
    this.#setWidths(source, info);
    const entered = this.#findEntered(source);
    const focused = this.#body.contains(document.activeElement) && (document.activeElement as HTMLElement);
    const wanted = new Map<string, GridRow>();
    let next = this.#body.firstChild;
    for (let index = from; index < to; index += 1) {
      const row = source.at(index);
      const key = row ? source.keyOf(row) : `missing ${index}`;
      if (wanted.has(key)) continue;
      const shown = this.#rows.get(key) ?? new GridRow(info.columns);
      wanted.set(key, shown);
      shown.show(row, { columns: info.columns, isPending: row !== undefined && source.isPending(row) });
      shown.place(index, topOf(index));
      if (shown.element === next) next = next.nextSibling;
      else this.#body.insertBefore(shown.element, next);
      if (entered.has(key)) shown.markEntered();
    }
    for (const [key, { element: old }] of this.#rows) if (!wanted.has(key)) old.remove();
    this.#rows.clear();
    for (const [key, shown] of wanted) this.#rows.set(key, shown);
    if (focused && focused !== document.activeElement) this.#keepFocus(focused, from, to === total ? total : to - 1);
    this.#showActive(from, to);
  }

  /** What moves loses the focus, as what goes does: in its place is the next row then. @param last - where that may be */
  #keepFocus(focused: HTMLElement, first: number, last: number): void {
    const { row } = this.#active;
    if (focused.isConnected) focused.focus({ preventScroll: true });
    else this.#wantsFocus ||= row >= first && row <= last;
  }

  #setWidths(source: RowSource, info: CollectionInfo): void {
    const room = this.element.clientWidth;
    if (this.#isMeasured && room === this.#room) return;
    if (!this.#isMeasured) {
      const rows = [...source.known()].map(([, row]) => row);
      this.#isMeasured = rows.length > 0;
      this.#widths.measure(info, rows, getComputedStyle(this.element).font);
    }
    this.#room = room;
    this.#fit();
  }

  #fit(): void {
    this.#widths.fit(this.#room);
    this.element.style.setProperty("--columns", this.#widths.template);
    this.element.style.setProperty("--width", `${this.#widths.total}px`);
  }

  /** The keys of rows that were not there before. Where only a part is followed, nobody knows. */
  #findEntered(source: RowSource): Set<string> {
    const before = this.#keys;
    if (source.isWindowed || source.status.state === "connecting") return new Set();
    const keys = new Set<string>();
    for (const [, row] of source.known()) keys.add(source.keyOf(row));
    this.#keys = keys;
    return before ? new Set([...keys].filter((key) => !before.has(key))) : new Set();
  }

  #showActive(from: number, to: number): void {
    const { row, column } = this.#active;
    const at = Math.min(Math.max(row, from), Math.max(from, to - 1));
    for (const shown of this.#rows.values()) {
      for (const [number, cell] of shown.cells.entries()) {
        const isActive = shown.index === at && number === column;
        if (cell.tabIndex !== (isActive ? 0 : -1)) cell.tabIndex = isActive ? 0 : -1;
        if (isActive && this.#wantsFocus) cell.focus({ preventScroll: true });
      }
    }
    this.#wantsFocus = false;
  }

  #cellOf(
    target: Element | null,
  ): { readonly shown: GridRow; readonly cell: HTMLElement; readonly number: number } | undefined {
    const cell = target?.closest<HTMLElement>('[role="gridcell"]');
    if (!cell) return undefined;
    for (const shown of this.#rows.values()) {
      const number = shown.cells.indexOf(cell);
      if (number >= 0) return { shown, cell, number };
    }
    return undefined;
  }

  #at(target: Element | null): CellAt | undefined {
    const found = this.#cellOf(target);
    const column = found && this.#info?.columns[found.number - 1];
    return found?.shown.row && column ? { cell: found.cell, row: found.shown.row, column } : undefined;
  }

  #focused(target: HTMLElement): void {
    const found = this.#cellOf(target);
    if (found) this.#active = { row: found.shown.index, column: found.number };
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const at = this.#at(target);
    const row = this.#cellOf(target)?.shown.row;
    const menu = target.closest<HTMLElement>(".row-menu");
    if (menu && row) this.#events.menu(row, menu);
    else if (at && target.closest(".reference")) this.#events.follow(at);
    else if (at && (event.ctrlKey || event.metaKey) && at.cell.dataset.link)
      open(at.cell.dataset.link, "_blank", "noopener,noreferrer");
  }

  #openMenu(event: MouseEvent): void {
    const found = this.#cellOf(event.target as HTMLElement);
    if (!found?.shown.row || event.shiftKey) return;
    event.preventDefault();
    this.#events.menu(found.shown.row, found.cell);
  }

  #editAt(target: HTMLElement): void {
    const at = this.#at(target);
    if (at && !target.closest(".reference")) this.#events.edit(at);
  }

  #press(event: KeyboardEvent): void {
    const found = this.#cellOf(event.target as HTMLElement);
    if (!found || event.target !== found.cell || event.altKey) return;
    if (this.#move(event)) event.preventDefault();
    else if (this.#act(event, found)) event.preventDefault();
  }

  #act(
    { key, shiftKey, ctrlKey, metaKey }: KeyboardEvent,
    { shown, cell }: { shown: GridRow; cell: HTMLElement },
  ): boolean {
    const at = this.#at(cell);
    const { row } = shown;
    if (!row) return false;
    const isPlain = !ctrlKey && !metaKey;
    if (at && key === "Enter" && !isPlain && at.column.references) this.#events.follow(at);
    else if (at && isPlain && (key === "Enter" || key === "F2")) this.#events.edit(at);
    else if (!at && isPlain && (key === "Enter" || key === " ")) this.#events.menu(row, cell);
    else if (key === "ContextMenu" || (shiftKey && key === "F10")) this.#events.menu(row, cell);
    else if (key === "Delete" && isPlain) this.#events.remove(row);
    else return false;
    return true;
  }

  #move({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
    const total = this.#source?.total ?? 0;
    const columns = this.#info?.columns.length ?? 0;
    const { row, column } = this.#active;
    const page = Math.max(1, Math.floor(this.element.clientHeight / rowHeight) - 2);
    const far = ctrlKey || metaKey;
    const places: Readonly<Record<string, readonly [row: number, column: number]>> = {
      ArrowDown: [far ? total : row + 1, column],
      ArrowUp: [far ? 0 : row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [far ? 0 : row, 0],
      End: [far ? total : row, columns],
    };
    const to = places[key];
    if (!to) return false;
    const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));
    this.#goTo({ row: clamp(to[0], total - 1), column: clamp(to[1], columns) });
    return true;
  }

  #goTo(active: { row: number; column: number }): void {
    this.#active = active;
    this.#scrollToActive(this.#source?.total ?? 0);
    this.#wantsFocus = true;
    // At once: the next key is meant for where this one went.
    this.#show();
  }

  #scrollToActive(total: number): void {
    const { row, column } = this.#active;
    this.#viewport.reveal(row, total);
    const [shown] = this.#rows.values();
    const cell = shown?.cells[column];
    if (!cell) return;
    const { scrollLeft, clientWidth } = this.element;
    if (cell.offsetLeft < scrollLeft + 40) this.element.scrollLeft = cell.offsetLeft - 40;
    else if (cell.offsetLeft + cell.offsetWidth > scrollLeft + clientWidth) {
      this.element.scrollLeft = cell.offsetLeft + cell.offsetWidth - clientWidth;
    }
  }
}
