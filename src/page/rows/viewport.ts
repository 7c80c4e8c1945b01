/** How high a row is, and the row of heads, in pixels. */
export const rowHeight = 32;
/** Browsers can't make elements of any height: beyond, the bar of scrolling goes by proportion. */
const maxHeight = 8_000_000;
/** Up to so many views at a time one goes on from where one was, row by row, as by a wheel; beyond, one drags the bar. */
const maxViewsOn = 3;
/** So many pixels the bar may stand from where it belongs, after one has gone on for long. */
const maxAstray = 100_000;

/** What is seen of a table. */
export interface Seen {
  /** The first row that is seen, and how many there may be. */
  readonly first: number;
  readonly visible: number;
  /** Where a row stands in the body, in pixels. */
  readonly topOf: (index: number) => number;
}

/**
 * Where one looks in a table that may be higher than an element can be. There, the place is kept in rows beside the bar's: a
 * wheel moves by rows, the bar by proportion.
 */
export class Viewport {
  readonly #scroller: HTMLElement;
  readonly #body: HTMLElement;
  /** How many rows are above what is seen, the last one of them in part. */
  #above = 0;
  /** Where the bar stood then. */
  #scrollTop = 0;

  /** @param scroller - shows a part of `body` */
  constructor(scroller: HTMLElement, body: HTMLElement) {
    this.#scroller = scroller;
    this.#body = body;
  }

  /** Goes back to the first row. */
  reset(): void {
    this.#above = this.#scrollTop = this.#scroller.scrollTop = 0;
  }

  /** Says what is seen, after one may have scrolled. */
  look(total: number): Seen {
    const view = this.#view;
    const visible = Math.ceil(view / rowHeight);
    const height = Math.min(total * rowHeight, maxHeight);
    this.#body.style.height = `${height}px`;
    const { scrollTop } = this.#scroller;
    if (height < maxHeight) {
      this.#above = scrollTop / rowHeight;
      this.#scrollTop = scrollTop;
      return { first: Math.floor(this.#above), visible, topOf: (index) => index * rowHeight };
    }
    this.#follow(scrollTop, total);
    const [above, top] = [this.#above, this.#scrollTop];
    return { first: Math.floor(above), visible, topOf: (index) => top + (index - above) * rowHeight };
  }

  /** Goes where a row is seen, if it isn't. */
  reveal(row: number, total: number): void {
    const view = this.#view;
    const { first, visible } = this.look(total);
    if (total * rowHeight >= maxHeight) {
      const [lowest, highest] = [first + 1, first + visible - 2];
      if (row < lowest || row > highest) this.#go(row < lowest ? row : row - visible + 2, total);
      return;
    }
    const top = row * rowHeight;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + rowHeight > this.#scroller.scrollTop + view) this.#scroller.scrollTop = top + rowHeight - view;
  }

  get #view(): number {
    return Math.max(this.#scroller.clientHeight - rowHeight, rowHeight);
  }

  #follow(scrollTop: number, total: number): void {
    const view = this.#view;
    const moved = scrollTop - this.#scrollTop;
    const range = maxHeight - view;
    const most = total - view / rowHeight;
    const isOn = Math.abs(moved) <= maxViewsOn * view && scrollTop > 0 && scrollTop < range - 1;
    if (moved !== 0) this.#above = isOn ? this.#above + moved / rowHeight : (scrollTop / range) * most;
    this.#above = Math.max(0, Math.min(this.#above, most));
    this.#scrollTop = scrollTop;
    const due = (this.#above / most) * range;
    // At its ends the bar could go no further, with rows still to come.
    const room = Math.min(scrollTop, range - scrollTop);
    const isAstray = Math.abs(due - scrollTop) > (room < 2 * maxViewsOn * view ? 1 : maxAstray);
    if (isAstray) this.#go(this.#above, total);
  }

  #go(above: number, total: number): void {
    const view = this.#view;
    const most = total - view / rowHeight;
    this.#above = Math.max(0, Math.min(above, most));
    this.#scroller.scrollTop = (this.#above / most) * (maxHeight - view);
    this.#scrollTop = this.#scroller.scrollTop;
  }
}
