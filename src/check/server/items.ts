/** What an `Items` field says (R-FLD-2). */
export interface ItemsField {
  readonly list?: string;
  readonly record?: string;
  readonly url?: string;
  readonly link?: string;
}

const keyPattern = /[a-z*][a-z0-9_.*-]*/y;
const stringPattern = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const displayPattern = /%"((?:[ !#-$&-~]|%[0-9a-f]{2})*)"/y;
const parameterPattern = /[^,"]*/y;

/** Reads a dictionary of RFC 9651 whose values are strings; `undefined` where it is none. Parameters are left out. */
function parseDictionary(text: string): Map<string, string> | undefined {
  const members = new Map<string, string>();
  let at = 0;
  const next = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match?.[0];
  };
  for (;;) {
    const key = next(keyPattern);
    if (key === undefined || text[at] !== "=") return undefined;
    at += 1;
    const display = next(displayPattern);
    const plain = display === undefined ? next(stringPattern) : undefined;
    if (display !== undefined) members.set(key, decodeURIComponent(display.slice(2, -1)));
    else if (plain !== undefined) members.set(key, plain.slice(1, -1).replace(/\\(["\\])/g, "$1"));
    else return undefined;
    const parameters = next(parameterPattern) ?? "";
    if (/^[^; \t]/.test(parameters)) return undefined;
    if (at === text.length) return members;
    if (text[at] !== ",") return undefined;
    at += 1;
    while (text[at] === " " || text[at] === "\t") at += 1;
  }
}

/** Reads an `Items` field; `undefined` where it is malformed. */
export function parseItemsField(text: string): ItemsField | undefined {
  try {
    const members = parseDictionary(text);
    if (!members) return undefined;
    const known = ["list", "record", "url", "link"].flatMap((name) => {
      const value = members.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(known);
  } catch {
    // A display string of bytes that are no UTF-8.
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

/** A row's URL by a template (R-FLD-4); `undefined` for a row that has none. */
export function expandTemplate(template: string, row: unknown): string | undefined {
  let isWhole = true;
  const url = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = resolve(row, `/${decodeURIComponent(name).replaceAll("~", "~0").replaceAll("/", "~1")}`);
    if (!["string", "number", "boolean"].includes(typeof value) || /^\.{0,2}$/.test(String(value))) isWhole = false;
    if (typeof value === "number" && !isTold(value)) isWhole = false;
    return encodePart(String(value));
  });
  return isWhole ? url : undefined;
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
}

const partPattern = /^[ \t]*((?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)\.(asc|desc)(?:-(number|bytes))?$/;

/** Reads an `Item-Order` field; `undefined` where it is malformed. */
export function parseOrder(text: string): OrderPart[] | undefined {
  const parts = text.split(",").map((part): OrderPart | undefined => {
    const [, name = "", direction, how] = partPattern.exec(part) ?? [];
    if (direction === undefined) return undefined;
    const compared = how === "number" || how === "bytes" ? how : "as they are";
    return { name: decodeURIComponent(name), isDescending: direction === "desc", compared };
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
  return ["boolean", "number", "string"].indexOf(typeof value === "bigint" ? "number" : typeof value) + 1;
}

function compareValues(one: unknown, other: unknown, isBytes: boolean): number {
  const ranks = rank(one) - rank(other);
  if (ranks !== 0 || rank(one) === 0) return ranks;
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
  for (const { name, isDescending, compared } of order) {
    const member = (row: unknown) => {
      const value = (row as Record<string, unknown> | null)?.[name];
      return compared === "number" ? asNumber(value) : value;
    };
    const order = compareValues(member(one), member(other), compared === "bytes");
    if (order !== 0) return isDescending ? -order : order;
  }
  return 0;
}
