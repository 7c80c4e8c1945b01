import type { Change, Image, Representation, Value } from "../../../server/index.ts";
import type { ImageMember, RecordFormat } from "../record-format.ts";
import type { SqlValue, Table } from "../schema.ts";
import { cutDelete, cutUpdate } from "./names.ts";

/** What a journal row says in its column `has`. Older programs take what they don't know for a reset. */
const kinds = {
  0: "reset",
  1: "delete",
  2: "create",
  3: "update",
  [cutUpdate]: "update",
  [cutDelete]: "delete",
} as const;

/** How the rows that one arm's triggers wrote are read. */
export class ArmReader {
  readonly table: Table;
  readonly collection: string;
  readonly #format: RecordFormat;
  readonly #members: readonly ImageMember[];
  readonly #keyPlaces: readonly number[];

  constructor(table: Table, format: RecordFormat) {
    this.table = table;
    this.collection = format.collectionPath(table);
    this.#format = format;
    this.#members = format.imageMembers(table);
    const { identity } = table;
    this.#keyPlaces =
      identity.kind === "rowid"
        ? [table.columns.length]
        : identity.columns.map((name) => table.columns.findIndex((column) => column.name === name));
  }

  keyOf(values: readonly SqlValue[]): SqlValue[] {
    return this.#keyPlaces.map((place) => values[place] ?? null);
  }

  urlOf(values: readonly SqlValue[]): string {
    return this.#format.recordUrl(this.table, this.keyOf(values), values);
  }

  /** @param isCut - whether texts and bytes are NULL that were too long */
  imageOf(values: readonly SqlValue[], isCut = false): Image {
    const image: Record<string, Value> = Object.create(null);
    for (const { name, place, toImage } of this.#members) {
      const affinity = this.table.columns[place]?.affinity;
      if (isCut && values[place] === null && (affinity === "text" || affinity === "blob")) continue;
      image[name] = toImage(values[place] ?? null);
    }
    return image;
  }

  represent(values: readonly SqlValue[]): Representation {
    return this.#format.represent(this.table, this.keyOf(values), values.slice(0, this.table.columns.length));
  }
}

/** A journal row as a change. Its URL and images are made when they are asked for. */
export class SqliteChange implements Change {
  readonly position: number;
  readonly kind: Change["kind"];
  readonly collection: string;
  readonly bytes: number;
  readonly #arm: ArmReader;
  readonly #row: readonly SqlValue[];
  readonly #newStart: number;
  readonly #oldStart: number;
  #url: string | undefined;
  #before: Image | undefined;
  #after: Image | undefined;
  #representation: Representation | undefined;

  /**
   * @param row - position, arm, has, chk, the new image and the old one
   * @param width - how many values each image has in `row`
   * @param bytes - about what the row holds
   */
  constructor(row: readonly SqlValue[], arm: ArmReader, width: number, bytes: number) {
    this.bytes = bytes;
    this.position = Number(row[0]);
    this.kind = kinds[row[2] as keyof typeof kinds] ?? "reset";
    this.collection = arm.collection;
    this.#arm = arm;
    this.#row = row;
    this.#newStart = 4;
    this.#oldStart = 4 + width;
  }

  get url(): string {
    if (this.kind === "reset") return "";
    this.#url ??= this.#arm.urlOf(this.kind === "delete" ? this.#old() : this.#new());
    return this.#url;
  }

  get before(): Image | undefined {
    if (this.kind !== "update" && this.kind !== "delete") return undefined;
    const isCut = this.#row[2] === cutUpdate || this.#row[2] === cutDelete;
    this.#before ??= this.#arm.imageOf(this.#old(), isCut);
    return this.#before;
  }

  get after(): Image | undefined {
    if (this.kind !== "update" && this.kind !== "create") return undefined;
    this.#after ??= this.#arm.imageOf(this.#new());
    return this.#after;
  }

  represent(): Representation {
    if (this.kind !== "update" && this.kind !== "create") {
      throw new TypeError(`A ${this.kind} has no record to show.`);
    }
    this.#representation ??= this.#arm.represent(this.#new());
    return this.#representation;
  }

  representBefore(): Representation | undefined {
    return this.#row[2] === 3 ? this.#arm.represent(this.#old()) : undefined;
  }

  #new(): readonly SqlValue[] {
    return this.#row.slice(this.#newStart, this.#oldStart);
  }

  #old(): readonly SqlValue[] {
    return this.#row.slice(this.#oldStart);
  }
}
