import { formatEventId, type RocketError } from "../../../protocol/index.ts";
import type { Batch, Bookmark, Change } from "../../../server/index.ts";
import { inRead } from "../read-transaction.ts";
import type { Schema } from "../schema.ts";
import { isBusy } from "../sqlite-error.ts";
import { type FileOptions, JournalFile } from "./file.ts";
import { QuietMoment } from "./quiet.ts";
import { type RowMark, startMark } from "./rows.ts";
import { hasSegment } from "./segments.ts";

/** What a follower needs to know. */
export interface FollowerOptions extends FileOptions {
  /** How long nothing must have been committed after a change of the schema until triggers are mended, in milliseconds. */
  readonly quietMs: number;
}

/** Who is told what the follower finds. */
export interface FollowerEvents {
  readonly onBatch: (batch: Batch) => void;
  readonly onSchema: (schema: Schema) => void;
  readonly onReplaced: () => void;
  /** Told once where the file was removed or renamed: it is still read. */
  readonly onMissing: (error: RocketError) => void;
}

/**
 * Why it is looked. `tick`: by itself, and leaves a new schema alone until it is quiet. `asked`: somebody needs to know
 * the schema. `write`: Rocket itself is about to write, and triggers must be right.
 */
export type LookReason = "tick" | "asked" | "write";

type Found = "nothing" | "arm" | "schema" | "lost" | Batch;

/** How often the file itself is looked at. */
const fileCheckMs = 50;
/** How much is given to the tail at once, about. */
const maxBatchBytes = 32 * 1024 * 1024;
/** How often those who watch begin anew while triggers are not mended yet, in milliseconds. */
const doubtMs = 250;
/** How often the schema may change under one attempt to read. */
const maxRounds = 100;

/** Reads what was committed since it read last, in one read transaction, and notices when the thread is lost. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #events: FollowerEvents;
  #file: JournalFile;
  #mark: RowMark;
  readonly #quiet: QuietMoment;
  #dataVersion: unknown;
  #isLost = false;
  #isMissing = false;
  #checkedAt: number;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  /** @throws what {@link JournalFile} throws */
  constructor(options: FollowerOptions, events: FollowerEvents) {
    const { opened: _, ...others } = options;
    // Another file that takes this one's place is opened anew.
    this.#options = others;
    this.#events = events;
    this.#quiet = new QuietMoment(options.clock, options.quietMs);
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

  /** Whether a migration runs, or its end is waited for: all looks may be rarer. */
  get isUnquiet(): boolean {
    return this.#quiet.isAwaited || this.#file.isPaused;
  }

  /** Whether what is committed may be written elsewhere, or unseen by triggers: the file is gone, or a migration runs. */
  get isBlind(): boolean {
    return this.#isMissing || this.#file.isPaused;
  }

  /** Gives everything new to `onBatch`. @throws an error that `isBusy` tells; RocketError */
  advance(reason: LookReason): void {
    this.#reopenIfReplaced();
    for (let round = 0; round < maxRounds; round += 1) {
      const found = this.#look(reason);
      if (found === "nothing") return;
      if (found === "arm") {
        this.#arm(reason);
      } else if (found === "schema") {
        this.#file.readSchema();
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

  /** Mends triggers. Where the lock can't be had, what was written meanwhile is still told. */
  #arm(reason: LookReason): void {
    try {
      const { schema } = this.#file;
      this.#file.rearm();
      // What was committed there is nobody's step.
      this.#dataVersion = undefined;
      this.#quiet.noteOwn(this.#file.schema.version);
      // What is left has time: others may write first.
      if (reason !== "write" && this.#file.armedVersion !== this.#file.schema.version) this.#quiet.putOff();
      if (this.#file.schema !== schema) this.#events.onSchema(this.#file.schema);
    } catch (error) {
      if (reason === "write" || !isBusy(error)) throw error;
      this.#quiet.putOff();
    }
  }

  /** What a schema that the triggers were not made for asks for now. */
  #judge(version: number, reason: LookReason): "arm" | "schema" | undefined {
    if (version === this.#file.armedVersion && !this.#file.isAbandoned) {
      this.#quiet.end();
    } else {
      this.#file.requireTables();
      this.#quiet.note(version);
      if (reason === "write" || this.#quiet.hasCome) return "arm";
    }
    return reason !== "tick" && version !== this.#file.schema.version ? "schema" : undefined;
  }

  #look(reason: LookReason): Found {
    const { reader, rows } = this.#file;
    const readVersion = (): unknown => reader.prepare("PRAGMA data_version").all()[0]?.[0];
    const isDue = this.isUnquiet && (this.#quiet.hasCome || reason !== "tick");
    const mustLook = isDue || this.#isLost || this.#file.isAbandoned;
    const isSame = readVersion() === this.#dataVersion;
    if (!mustLook && isSame) return "nothing";
    if (!isSame && this.#dataVersion !== undefined) this.#quiet.noteCommit();
    return inRead(reader, () => {
      // The first read fixes the state that the rest of the transaction sees.
      const [schemaVersion] = reader.prepare("PRAGMA schema_version").all()[0] ?? [];
      const task = this.#judge(Number(schemaVersion), reason);
      if (task) return task;
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
      if (this.#isTooSoon(changes, Number(schemaVersion), reason)) return "nothing";
      this.#mark = head;
      if (end.position === head.position) return { ...this.head, after, changes };
      // More than fits into memory was written at once: whoever watches it begins anew.
      return { ...this.head, after, changes: rows.resetsAfter(after, head) };
    });
  }

  /** Whether it is too soon for those who watch to begin anew once more, at a schema that has no triggers of its own yet. */
  #isTooSoon(changes: readonly Change[], version: number, reason: LookReason): boolean {
    if (version === this.#file.armedVersion || !changes.some(({ kind }) => kind === "reset")) return false;
    const now = this.#options.clock.now();
    if (reason === "tick" && now - this.#doubtedAt < doubtMs) {
      // So that the next look finds them again.
      this.#dataVersion = undefined;
      return true;
    }
    this.#doubtedAt = now;
    return false;
  }

  #reopenIfReplaced(): void {
    const now = this.#options.clock.now();
    if (now - this.#checkedAt < fileCheckMs) return;
    const { trouble } = this.#file;
    if (trouble && !this.#isMissing) this.#events.onMissing(trouble);
    this.#isMissing = trouble !== undefined;
    const file = this.#file.isReplaced ? new JournalFile(this.#options) : undefined;
    this.#checkedAt = now;
    if (!file) return;
    this.#file.close();
    this.#file = file;
    this.#mark = startMark;
    this.#dataVersion = undefined;
    this.#isLost = true;
    this.#quiet.end();
    this.#events.onReplaced();
    this.#events.onSchema(file.schema);
  }
}
