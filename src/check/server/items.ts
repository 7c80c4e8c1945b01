/** What an `Items` field says (R-FLD-2). */
export interface ItemsField {
  readonly list?: string;
  readonly record?: string;
  readonly url?: string;
  readonly link?: string;
}

const keyPattern = /[a-z*][a-z0-9_.*-]*/y;
const stringPattern = /"(?:[ !#-[\]-~]|\\["\\])*"/y;
const displayPattern = /%"(?:[ !#-$&-~]|%[0-9a-f]{2})*"/y;
const otherPattern = /-?[0-9]{1,12}\.[0-9]{1,3}|@?-?[0-9]{1,15}|[A-Za-z*][\w!#$%&'*+.^`|~:/-]*|:[\w+/=]*:|\?[01]/y;

/** Reads a dictionary of RFC 9651 from its beginning; throws where it is none. */
class DictionaryReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/^ +/, "");
  }

  /** The members that are strings, and the names of the others. */
  read(): { readonly strings: Map<string, string>; readonly others: Set<string> } {
    const strings = new Map<string, string>();
    const others = new Set<string>();
    for (;;) {
      const key = this.#need(keyPattern);
      const value = this.#value();
      this.#parameters();
      strings.delete(key);
      others.delete(key);
      if (value === undefined) others.add(key);
      else strings.set(key, value);
      this.#take(/[ \t]*/y);
      if (this.#at === this.#text.length) return { strings, others };
      this.#need(/,[ \t]*/y);
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match?.[0];
  }

  #need(pattern: RegExp): string {
    const taken = this.#take(pattern);
    if (taken === undefined) throw new SyntaxError(`Something else is expected at ${this.#at}.`);
    return taken;
  }

  #value(): string | undefined {
    if (this.#take(/=/y) === undefined) return undefined;
    if (this.#take(/\( */y) === undefined) return this.#item();
    while (this.#take(/\)/y) === undefined) {
      this.#item();
      this.#parameters();
      this.#need(/ +|(?=\))/y);
    }
    return undefined;
  }

  #item(): string | undefined {
    const display = this.#take(displayPattern);
    if (display !== undefined) return decodeURIComponent(display.slice(2, -1));
    const plain = this.#take(stringPattern);
    if (plain !== undefined) return plain.slice(1, -1).replace(/\\(["\\])/g, "$1");
    this.#need(otherPattern);
    return undefined;
  }

  #parameters(): void {
    while (this.#take(/; */y) !== undefined) {
      this.#need(keyPattern);
      if (this.#take(/=/y) !== undefined) this.#item();
    }
  }
}

const names = ["list", "record", "url", "link"];

/** Reads an `Items` field; `undefined` where it is malformed. */
export function parseItemsField(text: string): ItemsField | undefined {
  try {
    const { strings, others } = new DictionaryReader(text).read();
    if (names.some((name) => others.has(name))) return undefined;
    const known = names.flatMap((name) => {
      const value = strings.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(known);
  } catch {
    return undefined;
  }
}

/** What a JSON pointer (RFC 6901) leads to; `undefined` where it leads nowhere. */
export function resolve(document: unknown, pointer = ""): unknown {
  if (pointer === "") return document;
  let value = document;
  for (const part of pointer.slice(1).split("/")) {
    if (typeof value !== "object" || value === null) return undefined;
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** False for a long whole number, of which a reader can't know its digits (R-FLD-4). */
function isTold(value: number): boolean {
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(String(value));
}

const expressionPattern = /\{((?:[\w.]|%[0-9A-Fa-f]{2})+)\}/g;

/** What a member's value is in a URL; `undefined` for one that gives none. */
function valueInUrl(row: unknown, name: string): string | undefined {
  const value = resolve(row, `/${decodeURIComponent(name).replaceAll("~", "~0").replaceAll("/", "~1")}`);
  if (typeof value === "number" && !isTold(value)) return undefined;
  return ["string", "number", "boolean"].includes(typeof value) ? encodePart(String(value)) : undefined;
}

/** A row's URL by a template (R-FLD-4); `undefined` for a row that has none. */
export function expandTemplate(template: string, row: unknown): string | undefined {
  if (/[{}]/.test(template.replace(expressionPattern, ""))) return undefined;
  try {
    const values = [...template.matchAll(expressionPattern)].map(([, name = ""]) => valueInUrl(row, name));
    if (values.includes(undefined)) return undefined;
    const url = template.replace(expressionPattern, () => values.shift() ?? "");
    const before = template.split("/");
    const [path = ""] = url.split("?");
    // URL parsers undo such parts.
    const isLost = path.split("/").some((part, at) => ["", ".", ".."].includes(part) && part !== before[at]);
    return isLost ? undefined : url;
  } catch {
    // A name of bytes that are no UTF-8.
    return undefined;
  }
}

/** The record's URL by what the row says: its template or its link, resolved against the subscription's URL (R-FLD-9). */
export function rowUrl({ url, link }: ItemsField, row: unknown, target: string): string | undefined {
  if (url !== undefined) return expandTemplate(url, row);
  const value = link === undefined ? undefined : resolve(row, link);
  if (typeof value !== "string") return undefined;
  const base = `http://host.invalid${target}`;
  if (!URL.canParse(value, base)) return undefined;
  const found = new URL(value, base);
  return found.pathname + found.search;
}

/** One member of an order, its direction, and how its values are compared. */
export interface OrderPart {
  readonly name: string;
  readonly isDescending: boolean;
  readonly compared: "as they are" | "number" | "bytes";
  /** Where null stands, whatever the direction. Default: it is lowest. */
  readonly nulls?: string | undefined;
}

const partPattern =
  /^[ \t]*((?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)\.(asc|desc)(?:-(number|bytes))?(?:-nulls(first|last))?[ \t]*$/;

/** Percent-encoded text; `undefined` where it is no UTF-8. */
function decodePart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Reads an `Item-Order` field; `undefined` where it is malformed. */
export function parseOrder(text: string): OrderPart[] | undefined {
  const parts = text.split(",").map((part): OrderPart | undefined => {
    const [, name = "", direction, how, nulls] = partPattern.exec(part) ?? [];
    const decoded = direction === undefined ? undefined : decodePart(name);
    if (decoded === undefined) return undefined;
    const compared = how === "number" || how === "bytes" ? how : "as they are";
    return { name: decoded, isDescending: direction === "desc", compared, nulls };
  });
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/** A value as it is compared with `-number`: what writes an integer is one. */
function asNumber(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" && /^-?[1-9][0-9]{15,18}$/.test(value) ? BigInt(value) : value;
}

function rank(value: unknown): number {
  if (value === null || value === undefined) return 0;
  // Arrays and objects come last.
  const place = ["boolean", "number", "string"].indexOf(typeof value === "bigint" ? "number" : typeof value);
  return place < 0 ? 4 : place + 1;
}

function compareValues(one: unknown, other: unknown, isBytes: boolean): number {
  const ranks = rank(one) - rank(other);
  if (ranks !== 0 || rank(one) === 0 || rank(one) === 4) return ranks;
  if (typeof one === "string") {
    // UTF-8 sorts by code point.
    const coding = isBytes ? "base64" : "utf8";
    return Buffer.compare(Buffer.from(one, coding), Buffer.from(String(other), coding));
  }
  // Exact between integers of any size and other numbers, too.
  const [low, high] = [one as number | bigint, other as number | bigint];
  return low < high ? -1 : Number(low > high);
}

/** Compares two rows by an order (R-FLD-6). */
export function compareRows(order: readonly OrderPart[], one: unknown, other: unknown): number {
  for (const { name, isDescending, compared, nulls } of order) {
    const member = (row: unknown) => {
      const value = (row as Record<string, unknown> | null)?.[name];
      return compared === "number" ? asNumber(value) : value;
    };
    const missing = Number((member(other) ?? null) === null) - Number((member(one) ?? null) === null);
    if (nulls !== undefined && missing !== 0) return nulls === "first" ? missing : -missing;
    const order = compareValues(member(one), member(other), compared === "bytes");
    if (order !== 0) return isDescending ? -order : order;
  }
  return 0;
}
