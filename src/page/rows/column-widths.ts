import type { CollectionInfo, Column } from "../schema.ts";
import { cellText } from "./cell-text.ts";
import type { Row } from "./row-source.ts";

/** By so many rows a column's width is judged. */
const maxSamples = 100;
/** The column of the row itself, in pixels. */
const menuWidth = 40;
/** No column is narrower than this, nor, without somebody's doing, wider where others need the room. */
const least = 48;
const usual = 290;
/** Beside its text, a cell has its padding; and a value that refers to a row has a button. */
const padding = 22;
const buttonWidth = 24;
/** A letter where all have the same width. */
const letterWidth = 7.3;

type Columns = Pick<CollectionInfo, "url" | "columns">;

function namesIn({ url, columns }: Columns): string {
  return [url, ...columns.map(({ name }) => name)].join();
}

/** How wide columns are: as what is in them, as far as there is room, or as somebody has made them. */
export class ColumnWidths {
  readonly #context: CanvasRenderingContext2D | null = document.createElement("canvas").getContext("2d");
  /** What somebody has made of them, by collection and column. */
  readonly #made: Map<string, number> = new Map();
  #info: Columns = { url: "", columns: [] };
  /** What each needs to show all that is in it. */
  #needed: number[] = [];
  #widths: readonly number[] = [];

  /** Looks at what is in columns. While they are the same ones they only grow. @param font - what cells are written in */
  measure(info: Columns, rows: Iterable<Row>, font: string): void {
    const before = namesIn(info) === namesIn(this.#info) ? this.#needed : [];
    const samples: Row[] = [];
    for (const row of rows) if (samples.push(row) === maxSamples) break;
    this.#info = info;
    this.#needed = info.columns.map((column, at) => Math.max(before[at] ?? least, this.#need(column, samples, font)));
  }

  /** Shares room among them: those that need more than is usual are given what is left. */
  fit(room: number): void {
    const widths = this.#needed.map((need, at) => this.#made.get(this.#keyOf(at)) ?? Math.min(need, usual));
    const lacksOf = (at: number): number =>
      this.#made.has(this.#keyOf(at)) ? 0 : (this.#needed[at] ?? 0) - (widths[at] ?? 0);
    let left = room - menuWidth - widths.reduce((sum, width) => sum + width, 0);
    let lacking = [...widths.keys()].filter((at) => lacksOf(at) >= 1);
    while (left >= 1 && lacking.length > 0) {
      const share = left / lacking.length;
      for (const at of lacking) {
        const more = Math.min(share, lacksOf(at));
        widths[at] = (widths[at] ?? 0) + more;
        left -= more;
      }
      lacking = lacking.filter((at) => lacksOf(at) >= 1);
    }
    this.#widths = widths.map(Math.floor);
  }

  /** Makes a column as wide as somebody wants it. @param width - default: as all that is in it needs */
  make(column: number, width: number = this.#needed[column] ?? usual): void {
    this.#made.set(this.#keyOf(column), Math.max(least, Math.round(width)));
  }

  /** How wide a column is. */
  of(column: number): number {
    return this.#widths[column] ?? usual;
  }

  /** All of them as a grid's template. */
  get template(): string {
    return [menuWidth, ...this.#widths].map((width) => `${width}px`).join(" ");
  }

  /** All of them together. */
  get total(): number {
    return this.#widths.reduce((sum, width) => sum + width, menuWidth);
  }

  #keyOf(at: number): string {
    return `${this.#info.url} ${this.#info.columns[at]?.name}`;
  }

  #need(column: Column, rows: readonly Row[], font: string): number {
    const beside = padding + (column.references ? buttonWidth : 0);
    const widths = rows.map((row) => {
      const { text, look } = cellText(row[column.name], column);
      return (look === "json" || look === "bytes" ? text.length * letterWidth : this.#textWidth(text, font)) + beside;
    });
    // Beside its name, a head has the arrow of its order, with a number.
    return Math.ceil(Math.max(this.#textWidth(column.name, `600 ${font}`) + padding + buttonWidth, ...widths));
  }

  #textWidth(text: string, font: string): number {
    if (!this.#context) return text.length * letterWidth;
    this.#context.font = font;
    return this.#context.measureText(text).width;
  }
}
