import type { Change, Image, Representation, Value } from "../../../server/index.ts";
import type { Row, Text } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import { parseRow } from "../row-text.ts";
import type { Table } from "../table.ts";

/** How rows are read that were written while a table looked as a description says. */
export class ShapeReader {
  readonly table: Table;
  readonly collection: string;
  readonly #format: RecordFormat;
  readonly #members: ReturnType<RecordFormat["imageMembers"]>;
  readonly #keyPlaces: readonly number[];

  constructor(table: Table, format: RecordFormat) {
    this.table = table;
    this.collection = format.collectionPath(table);
    this.#format = format;
    this.#members = format.imageMembers(table);
    this.#keyPlaces = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
  }

  keyOf(row: readonly Text[]): Text[] {
    return this.#keyPlaces.map((place) => row[place] ?? null);
  }

  urlOf(row: readonly Text[]): string {
    return this.#format.recordUrl(this.table, this.keyOf(row));
  }

  imageOf(row: readonly Text[]): Image {
    const image: Record<string, Value> = Object.create(null);
    for (const { name, place, toImage } of this.#members) image[name] = toImage(row[place] ?? null);
    return image;
  }

  represent(row: readonly Text[]): Representation {
    return this.#format.represent(this.table, row);
  }

  isSameKey(one: readonly Text[], other: readonly Text[]): boolean {
    return this.#keyPlaces.every((place) => one[place] === other[place]);
  }
}

/** What a change was made of. */
interface ChangeParts {
  readonly position: number;
  readonly kind: Change["kind"];
  readonly group: string | undefined;
  readonly bytes: number;
  readonly before?: readonly Text[] | undefined;
  readonly after?: readonly Text[] | undefined;
}

/** A row of the journal as a change. Its URL and images are made when they are asked for. */
export class PostgresChange implements Change {
  readonly position: number;
  readonly kind: Change["kind"];
  /** The transaction's id; `undefined` for what the journal itself noticed. */
  readonly group: string | undefined;
  readonly collection: string;
  readonly bytes: number;
  readonly #shape: ShapeReader;
  readonly #before: readonly Text[] | undefined;
  readonly #after: readonly Text[] | undefined;
  #url: string | undefined;
  #beforeImage: Image | undefined;
  #afterImage: Image | undefined;
  #representation: Representation | undefined;

  constructor({ position, kind, group, bytes, before, after }: ChangeParts, shape: ShapeReader) {
    this.position = position;
    this.kind = kind;
    this.group = group;
    this.bytes = bytes;
    this.collection = shape.collection;
    this.#shape = shape;
    this.#before = before;
    this.#after = after;
  }

  get url(): string {
    const row = this.#after ?? this.#before;
    this.#url ??= row ? this.#shape.urlOf(row) : "";
    return this.#url;
  }

  get before(): Image | undefined {
    this.#beforeImage ??= this.#before && this.#shape.imageOf(this.#before);
    return this.#beforeImage;
  }

  get after(): Image | undefined {
    this.#afterImage ??= this.#after && this.#shape.imageOf(this.#after);
    return this.#afterImage;
  }

  represent(): Representation {
    if (!this.#after) throw new TypeError(`A ${this.kind} has no record to show.`);
    this.#representation ??= this.#shape.represent(this.#after);
    return this.#representation;
  }

  representBefore(): Representation | undefined {
    return this.kind === "update" && this.#before ? this.#shape.represent(this.#before) : undefined;
  }
}

const kinds: Readonly<Record<string, Change["kind"]>> = { c: "create", u: "update", d: "delete" };

/**
 * A row of the journal as changes: two where a key was changed.
 *
 * @param row - position, xid, kind, old image, new image, bytes
 */
export function readChanges(row: Row, shape: ShapeReader): PostgresChange[] {
  const [place, xid, letter, old, fresh, size] = row;
  const position = Number(place);
  const group = xid ?? undefined;
  const bytes = Number(size);
  const kind = kinds[letter ?? ""] ?? "reset";
  if (kind === "reset") return [new PostgresChange({ position, kind, group, bytes }, shape)];
  const before = old == null ? undefined : parseRow(old);
  const after = fresh == null ? undefined : parseRow(fresh);
  if (kind !== "update" || !before || !after || shape.isSameKey(before, after)) {
    return [new PostgresChange({ position, kind, group, bytes, before, after }, shape)];
  }
  // In the middle of such a transaction two records may have one key, and what is told last need not be the one that stays.
  if (shape.table.isKeyDeferrable) return [new PostgresChange({ position, kind: "reset", group, bytes }, shape)];
  return [
    new PostgresChange({ position: position - 1, kind: "delete", group, bytes: bytes / 2, before }, shape),
    new PostgresChange({ position, kind: "create", group, bytes: bytes / 2, after }, shape),
  ];
}
