import { conditionsOf, type Filter, match } from "../../filter/index.ts";
import type { Image, Value } from "../ports/journal.ts";
import { placesOf, type ViewPlace } from "./view-places.ts";

/** What a view asks of records beside equality, as their images decide it. */
export class ViewFilter {
  readonly #filter: Filter<string, Value>;
  readonly #columns: readonly string[];
  /** Columns that are compared with texts in order, or by their characters. */
  readonly #texts: readonly string[];
  /** Where the index has the view by it; `undefined` where every change has to be looked at. */
  readonly places: readonly ViewPlace[] | undefined;
  /** The visit that came here last. */
  #visit = 0;

  constructor(filter: Filter<string, Value>) {
    this.#filter = filter;
    const conditions = conditionsOf(filter);
    this.#columns = [...new Set(conditions.map(({ column }) => column))];
    const texts = conditions.filter((condition) => {
      if (condition.kind === "compare") return !/eq$/.test(condition.relation) && typeof condition.literal === "string";
      return condition.kind === "like";
    });
    this.#texts = [...new Set(texts.map(({ column }) => column))];
    this.places = placesOf(filter);
  }

  has(image: Image): boolean {
    return match(this.#filter, (column) => image[column] ?? null) === true;
  }

  /**
   * Whether an image has what it takes. A value that is too long may be missing; and where a text is no UTF-8, bytes stand
   * for it, which don't tell its place among texts.
   */
  isDecidedBy(image: Image): boolean {
    if (this.#columns.some((column) => image[column] === undefined)) return false;
    return !this.#texts.some((column) => image[column] instanceof Uint8Array);
  }

  /** Notes that a visit of the index came here; false where it had come before. */
  meet(visit: number): boolean {
    if (this.#visit === visit) return false;
    this.#visit = visit;
    return true;
  }

  /** Whether another one asks the same. */
  isSame(other: ViewFilter | undefined): boolean {
    return other !== undefined && textOf(this.#filter) === textOf(other.#filter);
  }
}

function textOf(filter: Filter<string, Value>): string {
  return JSON.stringify(filter, (_name, value: unknown) => {
    if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)))
      return `${typeof value} ${value}`;
    return value instanceof Uint8Array ? Array.from(value) : value;
  });
}
