import { shown } from "./fault.ts";

/** A line of what passed between the two. */
export interface Line {
  readonly by: "check" | "peer";
  readonly text: string;
}

const most = 60;

/** What passed between the checker and its peer in one case. */
export class Transcript {
  readonly #lines: Line[] = [];
  #left = 0;

  sent(text: string): void {
    this.#add({ by: "check", text: shown(text) });
  }

  came(text: string): void {
    this.#add({ by: "peer", text: shown(text) });
  }

  /** The beginning; of one that is long, with a line that says how much is left out. */
  get lines(): readonly Line[] {
    if (this.#left === 0) return this.#lines;
    return [...this.#lines, { by: "check", text: `… and ${this.#left} more` }];
  }

  #add(line: Line): void {
    if (this.#lines.length < most) this.#lines.push(line);
    else this.#left += 1;
  }
}
