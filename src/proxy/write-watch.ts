import { staleUrls } from "../node/index.ts";
import { pairs, type RawFields } from "./fields.ts";

/** Watches a request that may write, and tells what it made stale: once its answer is complete, or whatever ended it. */
export class WriteWatch {
  readonly #target: string;
  readonly #changed: (urls: readonly string[]) => void;
  #status: number | undefined;
  #fields: RawFields = [];
  #isOver = false;

  constructor(target: string, changed: (urls: readonly string[]) => void) {
    this.#target = target;
    this.#changed = changed;
  }

  /** The answer's head came. */
  headed(status: number, fields: RawFields): void {
    this.#status = status;
    this.#fields = fields;
  }

  /** The answer's body takes longer than its head: the write may be seen before its end. */
  lasts(): void {
    setImmediate(() => {
      if (!this.#isOver) this.#tell();
    });
  }

  /** The answer ended, or nothing more will come of it. Twice is fine. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell();
  }

  #tell(): void {
    const urls = staleUrls({ target: this.#target, status: this.#status, fields: pairs(this.#fields) });
    if (urls.length > 0) this.#changed(urls);
  }
}
