import { type Filter, matchRow, parseFilter } from "../filter/index.ts";
import { compareByItemOrder, type ItemOrder, parseEventId } from "../protocol/index.ts";
import type { Feed } from "./feed.ts";
import type { Entry } from "./replica.ts";
import { type Selected, selectedBy } from "./selected.ts";

/** What a list's URL asks for. */
interface ListQuery {
  /** `undefined` where it is not known what it means. */
  readonly filter: Filter | undefined;
  readonly order: ItemOrder | undefined;
  readonly selected: Selected | undefined;
  readonly limit: number;
  readonly offset: number;
}

function parseOrder(text: string): ItemOrder {
  return text.split(",").map((part) => {
    const [, sorted = part, nulls] = /^(.*)\.nulls(first|last)$/s.exec(part) ?? [];
    const [, name = sorted, direction] = /^(.*)\.(asc|desc)$/s.exec(sorted) ?? [];
    return { name, descending: direction === "desc", nulls: nulls as "first" | "last" | undefined };
  });
}

/** What another server takes may be no filter of ours. */
function filterOf(parameters: URLSearchParams): Filter | undefined {
  try {
    return parseFilter([...parameters].filter(([name]) => !/^(?:order|select|limit|offset|after)$/.test(name)));
  } catch {
    return undefined;
  }
}

function queryOf(target: string): ListQuery {
  const parameters = new URLSearchParams(target.split("?")[1] ?? "");
  const order = parameters.get("order");
  const limit = parameters.get("limit");
  return {
    filter: filterOf(parameters),
    order: order ? parseOrder(order) : undefined,
    selected: selectedBy(target),
    limit: limit === null ? Number.POSITIVE_INFINITY : Number(limit),
    offset: Number(parameters.get("offset") ?? 0),
  };
}

/** Where rows that are shown ahead of time stand in a list: by its URL, and by the order that the server told. */
export class Placement {
  readonly #feed: Feed;
  readonly #query: ListQuery;
  #entries: Entry[];
  /** True where a row came or went, or moved: the window may have too many by now. */
  #isChanged = false;

  constructor(feed: Feed) {
    this.#feed = feed;
    this.#query = queryOf(feed.target);
    this.#entries = [...feed.replica.entries];
  }

  /** The list's rows and their URLs, as many as the window has. */
  get entries(): readonly Entry[] {
    const { limit } = this.#query;
    // Where the server gives more than is asked for, it does not know the window.
    const isWindow = this.#feed.replica.entries.length <= limit;
    return this.#isChanged && isWindow ? this.#entries.slice(0, limit) : this.#entries;
  }

  /** Whether a row is in the list's set; `undefined` where that can't be told. */
  has(row: unknown): boolean | undefined {
    const { isRecord, order } = this.#feed.replica;
    const { filter, selected } = this.#query;
    if (isRecord || !filter) return isRecord || undefined;
    return matchRow(filter, {
      value(name) {
        const member = selected ? selected.memberOf(name) : name;
        return member !== undefined && Object.hasOwn(Object(row), member)
          ? Reflect.get(Object(row), member)
          : undefined;
      },
      order(name) {
        const part = order?.find((one) => one.name === name);
        return part && part.as !== "bytes" ? (part.as ?? "json") : undefined;
      },
    });
  }

  remove(url: string): void {
    this.#isChanged = true;
    this.#entries = this.#entries.filter((entry) => entry.url !== url);
  }

  /**
   * Puts a row where it belongs, in the place of the one of the same URL.
   *
   * @param mayBeLast - false for one that is shown no longer where it stands behind all that the server gives of more
   */
  put(url: string, row: unknown, mayBeLast = true): void {
    const at = this.#entries.findIndex((entry) => entry.url === url);
    const before = this.#entries[at];
    const compare = this.#compare;
    if (before && (!compare || compare(before.row, row) === 0)) {
      this.#entries[at] = { url, row };
      return;
    }
    this.remove(url);
    const to = compare ? this.#entries.filter((entry) => compare(entry.row, row) <= 0).length : this.#entries.length;
    // What stands before a window's first row is on another page.
    if (to === 0 && this.#query.offset > 0 && this.#entries.length > 0 && !before) return;
    const isBeyond = to === this.#entries.length && this.#feed.replica.hasMore;
    if (isBeyond && !before && !mayBeLast) return;
    this.#entries.splice(to, 0, { url, row });
  }

  /** The order that the URL asks for, by the members that show it; `undefined` where the rows don't. */
  get #shownOrder(): ItemOrder | undefined {
    const { order, selected } = this.#query;
    if (!selected) return order;
    const shown = order?.map((part) => ({ ...part, name: selected.memberOf(part.name) ?? "" }));
    return shown?.some(({ name }) => name === "") ? undefined : shown;
  }

  get #compare(): ((a: unknown, b: unknown) => number) | undefined {
    const { position, replica } = this.#feed;
    // A direct view without an order has one that its rows don't tell.
    const isDirect = position !== undefined && parseEventId(position)?.kind === "direct";
    const order = replica.order ?? (isDirect ? undefined : this.#shownOrder);
    if (!order || replica.isRecord) return undefined;
    const compare = compareByItemOrder(order);
    const keys = order.map(({ name }) => name).filter((name) => replica.items.url?.includes(`{${name}}`));
    return (a, b) => compare(withKeys(a, keys), withKeys(b, keys));
  }
}

/** A row whose key the server has still to make stands as if that were the greatest. */
function withKeys(row: unknown, keys: readonly string[]): unknown {
  const missing = keys.filter((key) => !Object.hasOwn(Object(row), key));
  if (missing.length === 0) return row;
  return { ...(row as object), ...Object.fromEntries(missing.map((key) => [key, Number.POSITIVE_INFINITY])) };
}
