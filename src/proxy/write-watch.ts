import { staleUrls } from "../node/index.ts";
import { type Field, fieldValue } from "../protocol/index.ts";
import { pairs, type RawFields } from "./fields.ts";

/** Who is told what requests made stale. */
export interface WriteListener {
  /** False while it is told in vain. */
  isHeard(): boolean;
  changed(urls: readonly string[], writer: readonly Field[]): void;
}

/** Watches a request that may write, and tells what it made stale: once its answer is complete, or whatever ended it. */
export class WriteWatch {
  readonly #target: string;
  readonly #asked: RawFields;
  readonly #listener: WriteListener;
  #status: number | undefined;
  #fields: RawFields = [];
  #isOver = false;

  /** @param asked - the request's fields, as they came */
  constructor(target: string, asked: RawFields, listener: WriteListener) {
    this.#target = target;
    this.#asked = asked;
    this.#listener = listener;
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
    // Who begins to follow from now on asks for a document behind this write.
    if (!this.#listener.isHeard()) return;
    const writer = pairs(this.#asked);
    const destination = fieldValue(writer, "destination");
    const urls = staleUrls({ target: this.#target, destination, status: this.#status, fields: pairs(this.#fields) });
    if (urls.length > 0) this.#listener.changed(urls, writer);
  }
}
