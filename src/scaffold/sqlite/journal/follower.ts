import { formatEventId } from "../../../protocol/index.ts";
import type { Batch, Bookmark } from "../../../server/index.ts";
import { inRead } from "../read-transaction.ts";
import type { Schema } from "../schema.ts";
import { type FileOptions, JournalFile } from "./file.ts";
import { type RowMark, startMark } from "./rows.ts";
import { hasSegment } from "./segments.ts";

/** Who is told what the follower finds. */
export interface FollowerEvents {
  readonly onBatch: (batch: Batch) => void;
  readonly onSchema: (schema: Schema) => void;
  readonly onReplaced: () => void;
}

type Found = "nothing" | "schema" | "lost" | Batch;

/** How often the file itself is looked at. */
const fileCheckMs = 50;
/** How much is given to the tail at once, about. */
const maxBatchBytes = 32 * 1024 * 1024;
/** How often the schema may change under one attempt to read. */
const maxRounds = 20;

/** Reads what was committed since it read last, in one read transaction, and notices when the thread is lost. */
export class Follower {
  readonly #options: FileOptions;
  readonly #events: FollowerEvents;
  #file: JournalFile;
  #mark: RowMark;
  #dataVersion: unknown;
  #isLost = false;
  #checkedAt: number;

  /** @throws what {@link JournalFile} throws */
  constructor(options: FileOptions, events: FollowerEvents) {
    this.#options = options;
    this.#events = events;
    this.#file = new JournalFile(options);
    this.#mark = this.#file.start;
    this.#checkedAt = options.clock.now();
  }

  get file(): JournalFile {
    return this.#file;
  }

  get head(): Bookmark {
    return this.bookmark(this.#mark);
  }

  bookmark({ position, check }: RowMark): Bookmark {
    return { position, eventId: formatEventId(this.#file.segment, position, check) };
  }

  /** Gives everything new to `onBatch`. @throws an error that `isBusy` tells; RocketError */
  advance(): void {
    this.#reopenIfReplaced();
    for (let round = 0; round < maxRounds; round += 1) {
      const found = this.#look();
      if (found === "nothing") return;
      if (found === "schema") {
        this.#file.rearm();
        this.#events.onSchema(this.#file.schema);
      } else if (found === "lost") {
        this.#file.beginSegment();
        this.#isLost = true;
      } else {
        this.#events.onBatch(found);
      }
    }
  }

  close(): void {
    this.#file.close();
  }

  #look(): Found {
    const { reader, rows } = this.#file;
    if (this.#file.isAbandoned) return "schema";
    const readVersion = (): unknown => reader.prepare("PRAGMA data_version").all()[0]?.[0];
    if (!this.#isLost && readVersion() === this.#dataVersion) return "nothing";
    return inRead(reader, () => {
      // The first read fixes the state that the rest of the transaction sees.
      const [schemaVersion] = reader.prepare("PRAGMA schema_version").all()[0] ?? [];
      if (schemaVersion !== this.#file.schema.version) return "schema";
      const dataVersion = readVersion();
      const head = rows.head();
      if (this.#isLost) {
        this.#isLost = false;
        this.#mark = head;
        this.#dataVersion = dataVersion;
        return { ...this.head, after: head.position, changes: [], lost: true };
      }
      if (!hasSegment(reader, this.#file.segment) || !rows.has(this.#mark)) return "lost";
      this.#dataVersion = dataVersion;
      if (head.position === this.#mark.position) return "nothing";
      const after = this.#mark.position;
      const { changes, end } = rows.after(after, -1, maxBatchBytes);
      this.#mark = head;
      if (end.position === head.position) return { ...this.head, after, changes };
      // More than fits into memory was written at once: whoever watches it begins anew.
      return { ...this.head, after, changes: rows.resetsAfter(after, head) };
    });
  }

  #reopenIfReplaced(): void {
    const now = this.#options.clock.now();
    if (now - this.#checkedAt < fileCheckMs) return;
    const file = this.#file.isReplaced ? new JournalFile(this.#options) : undefined;
    this.#checkedAt = now;
    if (!file) return;
    this.#file.close();
    this.#file = file;
    this.#mark = startMark;
    this.#dataVersion = undefined;
    this.#isLost = true;
    this.#events.onReplaced();
    this.#events.onSchema(file.schema);
  }
}
