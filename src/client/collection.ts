import type { Problem } from "../protocol/index.ts";
import { type LiveContext, LiveView, type ReadyOptions } from "./live.ts";
import { localProblem, ProblemError } from "./problem.ts";
import { nameOf, noUrl, temporaryUrl } from "./row-urls.ts";
import type { Status } from "./status.ts";
import type { Conflict } from "./write.ts";

/** Options of an update or destroy. */
export interface WriteOptions<Row> {
  /**
   * Writes only where the record is still the version that the writer saw: the row that is given, or what is shown now
   * where a URL is given, or the record itself. By `If-Match` where a strong `ETag` is known, else compared by a GET before.
   * Where it is another: {@link ConflictError}, or what `onConflict` decides. Default false: the last write wins, member by
   * member.
   */
  readonly ifUnchanged?: boolean;
  /**
   * The row as the writer saw it, as when a form was opened: the write is guarded as with `ifUnchanged`, by this version,
   * whatever has been shown since. A row that the client gave, or a whole copy of one; anything else is refused with a TypeError. Default: none.
   */
  readonly base?: Row | undefined;
  /** Gets both versions; gives the members to write over the server's version, or nothing to give up. */
  readonly onConflict?: (conflict: Conflict<Row>) => Partial<Row> | undefined | Promise<Partial<Row> | undefined>;
}

/** What is to be seen of a collection; the same object until something changes. */
export interface CollectionSnapshot<Row> {
  /**
   * The rows in the server's order; each keeps its identity until it changes. One that is shown ahead of time has only what
   * `create` was given: members that the server fills in are optional in the row's type.
   */
  readonly rows: readonly Row[];
  /**
   * True where there are more than the server gives at once, or than `limit` asks for: its 200 has a `Link` with
   * `rel="next"` [R-SUB-5]. False where the server does not tell.
   */
  readonly hasMore: boolean;
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
  /**
   * Follows the URL, and calls the listener whenever the snapshot is another; while writes are not settled, also where it
   * turns out to be the same. Where the view had failed, it is asked for again. Returns a function that ends it.
   */
  subscribe(listener: () => void): () => void;
  /**
   * Resolves once the first answer is here; follows the URL meanwhile. Where the view had failed, it is asked for again.
   *
   * @throws ProblemError where it is refused, or `timeoutMs` have passed
   */
  ready(options?: ReadyOptions): Promise<Snapshot>;
}

/**
 * A list that stays equal to its GET. Writes are shown at once; they resolve with the record as the server answers it,
 * and are taken back where it refuses.
 */
export interface Collection<Row, New = Partial<Row>> extends Live<CollectionSnapshot<Row>> {
  /** Creates a record. @throws ProblemError where the server refuses, TypeError where its answer is lost and it promises no `idempotency-key` */
  create(values: New): Promise<Row>;
  /** Changes members of a record. @throws ProblemError, ConflictError, TypeError */
  update(row: Row | string, changes: Partial<Row>, options?: WriteOptions<Row>): Promise<Row>;
  /** Destroys a record. @throws ProblemError, ConflictError, TypeError */
  destroy(row: Row | string, options?: WriteOptions<Row>): Promise<void>;
  /**
   * The URL of a row that this client gave, also an older one; a `urn:uuid:` before the server has created it.
   *
   * @throws TypeError for any other, and for one that has no URL: its key is missing, empty, `.` or `..`, a whole number
   * beyond 2^53, or that of a row before it, or the server does not know where its record is [R-FLD-4, R-FLD-12]
   */
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

const noRows: readonly unknown[] = [];

/** What is said of a document that is no list, and of which: the same object while it is so. */
interface Trouble {
  readonly isRecord: boolean;
  readonly unfit: string | undefined;
  readonly status: Status;
}

function noListProblem(url: string, isRecord: boolean, unfit: string | undefined): Problem {
  const place = JSON.stringify(unfit);
  const detail =
    unfit === undefined
      ? `${url} answers no list of records: follow it by record(), or tell the server (option records) where its rows are.`
      : `${url} answers ${isRecord ? "no list" : "nothing"} at ${place}, where the server's option records says that the list is: mend either.`;
  return localProblem(422, detail);
}

/** A live collection. All that it does is bound, so that it can be handed on. */
export class LiveCollection<Row, New> extends LiveView<CollectionSnapshot<Row>> implements Collection<Row, New> {
  #trouble: Trouble | undefined;
  #told: Problem | undefined;

  /** @param url - its path and query */
  constructor(url: string, context: LiveContext) {
    super(url, context, (rows, status, hasMore) => {
      return { rows: (this.feed.replica.isRecord ? noRows : rows) as readonly Row[], hasMore, status };
    });
  }

  /** What answers no list is not shown as one: it is said, and the view goes on until there is a list [R-FLD-13]. */
  protected override get status(): Status {
    const { replica, status } = this.feed;
    const trouble = status.problem || !replica.isRecord ? undefined : this.#troubleNow();
    return trouble?.status ?? super.status;
  }

  override changed(): void {
    super.changed();
    const trouble = this.#troubleNow()?.status.problem;
    if (trouble && trouble !== this.#told) this.context.callbacks.report(new ProblemError(trouble), { stage: "view" });
    this.#told = trouble;
  }

  /** What keeps the document from being a list, or from being that which the server was told of. */
  #troubleNow(): Trouble | undefined {
    const { hasState, replica } = this.feed;
    const { isRecord, items } = replica;
    const { unfit } = items;
    if (!hasState || !(isRecord || unfit !== undefined)) return undefined;
    if (this.#trouble?.unfit !== unfit || this.#trouble?.isRecord !== isRecord) {
      const problem = noListProblem(this.url, isRecord, unfit);
      this.#trouble = { isRecord, unfit, status: { state: "failed", problem } };
    }
    return this.#trouble;
  }

  readonly create: Collection<Row, New>["create"] = (values) =>
    this.write("create", () => this.url.split("?")[0] ?? "", values);

  readonly update: Collection<Row, New>["update"] = (row, changes, options) =>
    this.write("update", () => this.urlOf(row), changes, options, row);

  readonly destroy: Collection<Row, New>["destroy"] = (row, options) =>
    this.write("destroy", () => this.urlOf(row), {}, options, row);

  readonly urlOf = (row: Row | string): string => {
    const url = typeof row === "string" ? row : this.context.urls.get(row as object);
    if (url === undefined) throw new TypeError("The row is none that this client gave.");
    if (url.startsWith(noUrl))
      throw new TypeError(
        "The row has no URL: its key is missing, empty, `.` or `..`, a number beyond 2^53, or another row's.",
      );
    if (url.includes(noUrl)) {
      throw new TypeError(
        `The row ${url} has no URL to write to, as far as the server has told by now. Where that stays so, give it a link, or say where it is by the server's option records.`,
      );
    }
    return url.startsWith(temporaryUrl) ? url : this.context.http.target(url);
  };

  readonly keyOf = (row: Row): string => {
    const url = this.context.urls.get(row as object);
    // A list may have a null among its rows.
    if (url === undefined) return typeof row === "string" || Object(row) === row ? this.urlOf(row) : noUrl + row;
    const name = nameOf(url);
    try {
      const target = this.urlOf(name);
      return this.context.outbox()?.giveKey(target) ?? target;
    } catch {
      // A row that can't be written to is shown all the same.
      return name;
    }
  };

  readonly isPending = (row: Row): boolean => this.overlay?.isPending(row) ?? false;
}

/** A live record. All that it does is bound, so that it can be handed on. */
export class LiveOne<Row> extends LiveView<RecordSnapshot<Row>> implements LiveRecord<Row> {
  /** @param url - its path and query */
  constructor(url: string, context: LiveContext) {
    super(url, context, ([row], status) => ({ row: row as Row | undefined, status }));
  }

  get isPending(): boolean {
    return this.overlay?.isPending(this.getSnapshot().row) ?? false;
  }

  readonly update: LiveRecord<Row>["update"] = (changes, options) =>
    this.write("update", this.#url, changes, options, this.getSnapshot().row);

  readonly destroy: LiveRecord<Row>["destroy"] = (options) =>
    this.write("destroy", this.#url, {}, options, this.getSnapshot().row);

  /** The record's URL in the server's own form, by which all views know it. */
  readonly #url = (): string => {
    const { recordUrl } = this.feed.replica;
    const isOther = recordUrl !== this.url.split("?")[0] && this.context.http.isTarget(recordUrl);
    return isOther ? recordUrl : this.url;
  };
}
