import { fieldValue } from "../protocol/index.ts";
import { isDeepEqual } from "./deep-equal.ts";
import type { Http } from "./http.ts";
import type { LiveView } from "./live-view.ts";
import type { Outbox } from "./outbox.ts";
import { bodyJson, localProblem, ProblemError } from "./problem.ts";
import type { RowUrls } from "./row-urls.ts";
import type { Status } from "./status.ts";
import { type Conflict, ConflictError, temporaryUrl, type WriteKind } from "./write.ts";

/** Options of an update or destroy. */
export interface WriteOptions<Row> {
  /**
   * Writes only where the record is still as it is shown (`If-Match`). Where it is not: {@link ConflictError}, or what
   * `onConflict` decides. Default false: the last write wins, member by member.
   */
  readonly ifUnchanged?: boolean;
  /** Gets both versions; gives the members to write over the server's version, or nothing to give up. */
  readonly onConflict?: (conflict: Conflict<Row>) => Partial<Row> | undefined | Promise<Partial<Row> | undefined>;
}

/** What is to be seen of a collection; the same object until something changes. */
export interface CollectionSnapshot<Row> {
  /** The rows in the server's order; each keeps its identity until it changes. */
  readonly rows: readonly Row[];
  readonly status: Status;
}

/** What is to be seen of a record; the same object until something changes. */
export interface RecordSnapshot<Row> {
  /** `undefined` before the first answer, and once the record was destroyed. */
  readonly row: Row | undefined;
  readonly status: Status;
}

interface Live<Snapshot> {
  /** The URL: path and query. */
  readonly url: string;
  /** What is to be seen now. Fits React's `useSyncExternalStore`. */
  getSnapshot(): Snapshot;
  /** Follows the URL, and calls the listener whenever the snapshot is another. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Resolves once the first answer is here; follows the URL meanwhile. @throws ProblemError where it is refused */
  ready(): Promise<Snapshot>;
}

/**
 * A list that stays equal to its GET. Writes are shown at once; they resolve with the record as the server answers it,
 * and are taken back where it refuses.
 */
export interface Collection<Row, New = Partial<Row>> extends Live<CollectionSnapshot<Row>> {
  /** Creates a record. @throws ProblemError where the server refuses, TypeError where it can't be reached */
  create(values: New): Promise<Row>;
  /** Changes members of a record. @throws ProblemError, ConflictError, TypeError */
  update(row: Row | string, changes: Partial<Row>, options?: WriteOptions<Row>): Promise<Row>;
  /** Destroys a record. @throws ProblemError, ConflictError, TypeError */
  destroy(row: Row | string, options?: WriteOptions<Row>): Promise<void>;
  /** The URL of a row that this client gave, also an older one; a `urn:uuid:` before the server has created it. @throws TypeError for any other */
  urlOf(row: Row): string;
  /** A key of a row for lists: it stays the same when the server confirms a record that was created here. */
  keyOf(row: Row): string;
  /** True for a row that shows a write which the server has not confirmed. */
  isPending(row: Row): boolean;
}

/** A record that stays equal to its GET. */
export interface LiveRecord<Row> extends Live<RecordSnapshot<Row>> {
  /** Changes members of the record. @throws ProblemError, ConflictError, TypeError */
  update(changes: Partial<Row>, options?: WriteOptions<Row>): Promise<Row>;
  /** Destroys the record. @throws ProblemError, ConflictError, TypeError */
  destroy(options?: WriteOptions<Row>): Promise<void>;
  /** True while it shows a write that the server has not confirmed. */
  readonly isPending: boolean;
}

/** What live objects stand on. */
export interface LiveParts {
  readonly view: LiveView;
  /** What sends writes; resolves once its code is loaded. */
  readonly outbox: () => Promise<Outbox>;
  readonly urls: RowUrls;
  /** The key of a record's URL in lists. */
  readonly keyOf: (url: string) => string;
  readonly http: Http;
}

class LiveObject<Row, Snapshot extends object> implements Live<Snapshot> {
  readonly url: string;
  protected readonly parts: LiveParts;
  readonly #shape: (rows: readonly Row[], status: Status) => Snapshot;
  #from: unknown;
  #snapshot: Snapshot | undefined;

  constructor(parts: LiveParts, shape: (rows: readonly Row[], status: Status) => Snapshot) {
    this.parts = parts;
    this.url = parts.view.target;
    this.#shape = shape;
  }

  // Bound, so that they can be handed to useSyncExternalStore.
  readonly getSnapshot: () => Snapshot = () => {
    const from = this.parts.view.getSnapshot();
    if (this.#snapshot && this.#from === from) return this.#snapshot;
    this.#from = from;
    this.#snapshot = this.#shape(from.rows as readonly Row[], from.status);
    return this.#snapshot;
  };

  readonly subscribe: (listener: () => void) => () => void = (listener) => this.parts.view.subscribe(listener);

  ready(): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      let isDone = false;
      const look = (): void => {
        const { hasState, status } = this.parts.view.getSnapshot();
        // The first answer is followed by the word that this is all: until then it is "connecting".
        const isHere = hasState && status.state !== "connecting";
        if (isDone || (!isHere && !status.problem)) return;
        isDone = true;
        if (hasState) resolve(this.getSnapshot());
        else if (status.problem) reject(new ProblemError(status.problem));
        stop();
      };
      let stop = (): void => {};
      stop = this.subscribe(look);
      look();
      if (isDone) stop();
    });
  }

  protected async write(
    kind: WriteKind,
    url: string,
    values: object,
    options: WriteOptions<Row> = {},
  ): Promise<unknown> {
    const { view } = this.parts;
    const outbox = await this.parts.outbox();
    const etag = options.ifUnchanged ? await this.#etag(url, values) : undefined;
    const write = { id: crypto.randomUUID(), kind, view: view.target, url, values: { ...values }, etag };
    return outbox.add(write, options.onConflict as (conflict: Conflict) => unknown);
  }

  /** The validator of the record as it is shown. */
  async #etag(url: string, values: object): Promise<string> {
    const { view, http } = this.parts;
    const { replica } = view.feed;
    const known = replica.etags.get(url);
    if (known !== undefined) return known;
    const answer = await http.ask(url);
    const etag = fieldValue(answer.fields, "etag");
    const body = bodyJson(answer);
    const shown = replica.get(url);
    const isShown = [body, ...Object.values(body ?? {})].some((one) => isDeepEqual(one, shown));
    if (etag !== undefined && isShown) return etag;
    if (answer.status === 200 && etag === undefined) throw new TypeError(`The server gives no ETag for ${url}.`);
    // Whatever this names, it is not the version that is shown: the server refuses it, and the conflict is told.
    const problem = localProblem(412, "The record is not the one that is shown.");
    throw new ConflictError(problem, { url, mine: values, theirs: Object.values(body ?? {})[0] ?? undefined });
  }
}

class LiveCollection<Row, New> extends LiveObject<Row, CollectionSnapshot<Row>> implements Collection<Row, New> {
  constructor(parts: LiveParts) {
    super(parts, (rows, status) => ({ rows, status }));
  }

  async create(values: New): Promise<Row> {
    const url = this.url.split("?")[0] ?? "";
    return (await this.write("create", url, values as object)) as Row;
  }

  async update(row: Row | string, changes: Partial<Row>, options?: WriteOptions<Row>): Promise<Row> {
    return (await this.write("update", this.#urlOf(row), changes, options)) as Row;
  }

  async destroy(row: Row | string, options?: WriteOptions<Row>): Promise<void> {
    await this.write("destroy", this.#urlOf(row), {}, options);
  }

  urlOf(row: Row): string {
    return this.#urlOf(row);
  }

  keyOf(row: Row): string {
    return this.parts.keyOf(this.#urlOf(row));
  }

  isPending(row: Row): boolean {
    return this.parts.view.isPending(row);
  }

  #urlOf(row: Row | string): string {
    const url = typeof row === "string" ? row : this.parts.urls.get(row);
    if (url === undefined) throw new TypeError(`The row is none that this client gave.`);
    return url.startsWith(temporaryUrl) ? url : this.parts.http.target(url);
  }
}

class LiveOne<Row> extends LiveObject<Row, RecordSnapshot<Row>> implements LiveRecord<Row> {
  constructor(parts: LiveParts) {
    super(parts, ([row], status) => ({ row, status }));
  }

  get isPending(): boolean {
    return this.parts.view.isPending(this.getSnapshot().row);
  }

  async update(changes: Partial<Row>, options?: WriteOptions<Row>): Promise<Row> {
    return (await this.write("update", this.url, changes, options)) as Row;
  }

  async destroy(options?: WriteOptions<Row>): Promise<void> {
    await this.write("destroy", this.url, {}, options);
  }
}

/** Makes a live collection over a view. */
export function createCollection<Row, New>(parts: LiveParts): Collection<Row, New> {
  return new LiveCollection(parts);
}

/** Makes a live record over a view. */
export function createRecord<Row>(parts: LiveParts): LiveRecord<Row> {
  return new LiveOne(parts);
}
