import { createProblem, type Field, formatItems, problemResponse } from "../protocol/index.ts";
import {
  type Bookmark,
  type Change,
  type Clock,
  createMemoryJournal,
  type DirectView,
  type Image,
  type MemoryJournal,
  type MemoryJournalOptions,
  type NewChange,
  type Origin,
  type OriginRequest,
  type OriginResponse,
  type Representation,
} from "../server/index.ts";

/** A record of a memory store: its `id` and whatever else. */
export type StoredRow = Image & { readonly id: number };

/** What can be done in a transaction. */
export interface StoreWriter {
  /** Creates or replaces the record at the row's id. */
  put(collection: string, row: StoredRow): void;
  /** Removes a record; nothing happens where there is none. */
  remove(collection: string, id: number): void;
}

/** A tiny REST service in memory: `/{collection}`, `/{collection}/{id}`, equality filters. */
export interface MemoryStore {
  readonly origin: Origin;
  readonly journal: MemoryJournal;
  /** Runs `write` as one transaction; where it throws, nothing happened, and it throws on. */
  transaction(write: (writer: StoreWriter) => void): Bookmark;
  /** The rows of a collection by id, as a GET would list them. */
  rows(collection: string): readonly StoredRow[];
}

/** How a store is made. */
export interface MemoryStoreOptions extends Omit<MemoryJournalOptions, "represent" | "representBefore"> {
  readonly collections: readonly string[];
  /** With `latencyMs`: whose time passes while an answer is on its way. */
  readonly clock?: Clock;
  /** How long an answer takes after its state was read. Default: none. */
  readonly latencyMs?: () => number;
}

function etagOf(body: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < body.length; at += 1) hash = Math.imul(hash ^ body.charCodeAt(at), 0x01000193) >>> 0;
  return `"${hash.toString(36)}-${body.length.toString(36)}"`;
}

function representRow(row: Image | undefined): Representation & { readonly body: string; readonly etag: string } {
  const body = JSON.stringify({ record: row ?? null });
  return { contentType: "application/json", body, etag: etagOf(body) };
}

class InMemoryStore implements MemoryStore {
  readonly journal: MemoryJournal;
  readonly origin: Origin;
  readonly #options: MemoryStoreOptions;
  readonly #tables: Map<string, Map<number, StoredRow>>;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.#tables = new Map(options.collections.map((name) => [name, new Map<number, StoredRow>()]));
    this.journal = createMemoryJournal({
      ...options,
      represent: ({ after }: Change) => representRow(after),
      representBefore: ({ before }: Change) => representRow(before),
    });
    this.origin = async (request) => {
      const answer = this.#answer(request);
      const { clock, latencyMs } = this.#options;
      const delay = latencyMs?.() ?? 0;
      if (clock && delay > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, delay));
      return answer;
    };
  }

  rows(collection: string): readonly StoredRow[] {
    return [...this.#table(collection).values()].sort((a, b) => a.id - b.id);
  }

  transaction(write: (writer: StoreWriter) => void): Bookmark {
    const changes: NewChange[] = [];
    const undo: (() => void)[] = [];
    const writer: StoreWriter = {
      put: (name, row) => {
        const table = this.#table(name);
        const before = table.get(row.id);
        table.set(row.id, row);
        undo.push(() => (before ? table.set(row.id, before) : table.delete(row.id)));
        const place = { collection: `/${name}`, url: `/${name}/${row.id}`, after: row };
        changes.push(before ? { kind: "update", before, ...place } : { kind: "create", ...place });
      },
      remove: (name, id) => {
        const table = this.#table(name);
        const before = table.get(id);
        if (!before) return;
        table.delete(id);
        undo.push(() => table.set(id, before));
        changes.push({ kind: "delete", collection: `/${name}`, url: `/${name}/${id}`, before });
      },
    };
    try {
      write(writer);
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
    return this.journal.commit(changes);
  }

  #table(name: string): Map<number, StoredRow> {
    const table = this.#tables.get(name);
    if (!table) throw new RangeError(`There is no collection ${JSON.stringify(name)}.`);
    return table;
  }

  #answer({ method, target }: OriginRequest): OriginResponse {
    const [path = "", query = ""] = target.split("?");
    const [, name = "", id, ...rest] = path.split("/");
    const table = this.#tables.get(name);
    if (!table || rest.length > 0) return problemResponse(createProblem(404, `There is nothing at ${path}.`));
    if (method !== "GET" && method !== "HEAD") return problemResponse(createProblem(405, "Only reads."));
    const { head } = this.journal;
    if (id !== undefined) {
      const row = table.get(Number(id));
      if (!row) return problemResponse(createProblem(404, `There is no record ${path}.`));
      const { contentType, body, etag } = representRow(row);
      const fields: Field[] = [
        ["Content-Type", contentType],
        ["Items", formatItems({ record: "/record" })],
        ["ETag", etag],
      ];
      return {
        status: 200,
        fields,
        body,
        view: { ...head, url: path, collection: `/${name}`, record: path, equals: [] },
      };
    }
    return this.#list(name, query, head);
  }

  #list(name: string, query: string, head: Bookmark): OriginResponse {
    const filters = [...new URLSearchParams(query)].sort(([a], [b]) => (a < b ? -1 : 1));
    const equals: DirectView["equals"] = filters.map(([column, text]) => [
      column,
      /^-?\d+$/.test(text) ? Number(text) : text,
    ]);
    const rows = this.rows(name).filter((row) => equals.every(([column, value]) => row[column] === value));
    const body = JSON.stringify({ [name]: rows });
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Items", formatItems({ list: `/${name}`, record: "/record", url: `/${name}/{id}` })],
      ["ETag", etagOf(body)],
    ];
    const canonical = filters.map(([column, text]) => `${encodeURIComponent(column)}=${encodeURIComponent(text)}`);
    const url = canonical.length > 0 ? `/${name}?${canonical.join("&")}` : `/${name}`;
    return { status: 200, fields, body, view: { ...head, url, collection: `/${name}`, equals } };
  }
}

/** Makes a store with empty collections. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new InMemoryStore(options);
}
