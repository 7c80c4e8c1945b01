import { counted } from "../counted.ts";
import { changedMembers } from "../rows/cell-text.ts";
import type { Row, RowSource } from "../rows/row-source.ts";
import type { Entry } from "./entry.ts";

/** How long a message may wait for its row, in milliseconds. */
const maxHeldBackMs = 2_500;

interface PlacedRow {
  readonly index: number;
  readonly row: Row;
}

interface Noted {
  readonly entry: Entry;
  readonly before: PlacedRow | undefined;
}

/** The record in a message's body: the body's one member that is an object, or the body itself. */
function recordIn(body: string): Row | undefined {
  try {
    const json = JSON.parse(body) as unknown;
    if (typeof json !== "object" || json === null) return undefined;
    const values = Object.values(json);
    const [only] = values;
    const isEnvelope = values.length === 1 && typeof only === "object" && only !== null && !Array.isArray(only);
    return (isEnvelope ? only : json) as Row;
  } catch {
    return undefined;
  }
}

/** Finds out what each message did to the rows that are shown. */
export class Effects {
  readonly #noted: Noted[] = [];
  #source: RowSource | undefined;
  #rows: Map<string, PlacedRow> | undefined;
  /** Whether something was asked to be followed, and not all of it has come. */
  #isOpening = false;

  /** Looks at other rows from now on. */
  watch(source: RowSource | undefined): void {
    this.#source = source;
    this.#rows = undefined;
  }

  /** Notes a message before its rows are changed by it. */
  note(entry: Entry): void {
    if (entry.kind === "out" && entry.start === "SUBSCRIBE") this.#isOpening = true;
    if (entry.kind !== "in") return;
    if (entry.status === 304) this.#noteBookmark(entry);
    this.#noted.push({ entry, before: this.#find(entry.url) });
  }

  /** Says what the messages did that were noted. Gives those that changed rows. */
  settle(): Entry[] {
    this.#rows = undefined;
    const noted = this.#noted.splice(0);
    const settled: Entry[] = [];
    for (const one of noted) {
      const { entry, before } = one;
      // The client may wait for the answer to its own write before it shows a new row.
      const isHeldBack = entry.isChange && entry.status === 201 && !this.#find(entry.url);
      if (isHeldBack && performance.now() - entry.moment < maxHeldBackMs) this.#noted.push(one);
      else {
        entry.effect = this.#effectOf(entry, before) || entry.effect;
        if (entry.isChange) settled.push(entry);
      }
    }
    return settled;
  }

  #noteBookmark(entry: Entry): void {
    if (/^Stale: /im.test(entry.text)) return;
    const isAnswer = /^Request-ID: /im.test(entry.text.split("\r\n\r\n", 1)[0] ?? "");
    if (isAnswer) entry.effect = "goes on where it was";
    else if (this.#isOpening) {
      entry.effect = "caught up";
      this.#isOpening = false;
    } else entry.effect = "heartbeat: nothing new up to here";
  }

  #find(url: string): PlacedRow | undefined {
    const source = this.#source;
    if (!source || url === "") return undefined;
    if (!this.#rows) {
      this.#rows = new Map();
      for (const [index, row] of source.known()) {
        const known = source.urlOf(row);
        if (known !== undefined) this.#rows.set(known, { index, row });
      }
    }
    return this.#rows.get(url);
  }

  #effectOf({ status, url, text, isChange }: Entry, before: PlacedRow | undefined): string {
    const after = this.#find(url);
    if (status === 200 && url === "") return "the server's limits and promises";
    if (status === 200 && this.#source?.isWindowed) return "a part: the rows that are looked at";
    if (status === 200) return this.#source ? `the whole: ${counted(this.#source.total, "row")}` : "the whole";
    if (!isChange) return "";
    if (status === 204) return before ? `left, was at ${before.index + 1}` : "left";
    if (status === 201) return after ? `entered at ${after.index + 1}` : "entered";
    const head = text.indexOf("\r\n\r\n");
    const record = recordIn(text.slice(head + 4));
    const isPatch = /^Content-Type: application\/merge-patch\+json/im.test(text.slice(0, head));
    const names = record ? (isPatch ? Object.keys(record) : before ? changedMembers(before.row, record) : []) : [];
    const changed =
      names.length > 0 ? `changed ${names.slice(0, 4).join(", ")}${names.length > 4 ? " …" : ""}` : "changed";
    const hasMoved = before && after && before.index !== after.index;
    return hasMoved ? `${changed}; moved from ${before.index + 1} to ${after.index + 1}` : changed;
  }
}
