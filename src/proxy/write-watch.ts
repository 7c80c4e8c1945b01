import { staleUrls } from "../node/index.ts";
import type { Field } from "../protocol/index.ts";

/** Watches a request that may write, and tells what it made stale: once its answer is complete, or whatever ended it. */
export class WriteWatch {
  readonly #target: string;
  readonly #changed: (urls: readonly string[]) => void;
  #status: number | undefined;
  #fields: readonly Field[] = [];
  #isOver = false;

  constructor(target: string, changed: (urls: readonly string[]) => void) {
    this.#target = target;
    this.#changed = changed;
  }

  /** The answer's head came. Where its body takes longer, the write may be seen before its end. */
  headed(status: number, fields: readonly Field[]): void {
    this.#status = status;
    this.#fields = fields;
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
    const urls = staleUrls({ target: this.#target, status: this.#status, fields: this.#fields });
    if (urls.length > 0) this.#changed(urls);
  }
}
