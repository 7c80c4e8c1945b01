import { decodeUrlPart, encodeUrlPart, parsePointer, RocketError } from "../../protocol/index.ts";
import { type RecordOptions, recordRuleOf, type StatedRule } from "./record-rule.ts";

/** Where records are, by path. */
export type RecordsByPath = Readonly<Record<string, RecordOptions>>;

const members = new Set(["key", "link", "list"]);

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !value.startsWith("/");
}

function isPointer(value: unknown): boolean {
  return typeof value === "string" && parsePointer(value) !== undefined;
}

/** What is wrong with an entry; `undefined` where it can be right. */
function troubleOf(path: string, entry: RecordOptions): string | undefined {
  if (!/^\/[^?#]*$/.test(path)) return "is no path: give one that begins with a slash, without a query.";
  if (typeof entry !== "object" || entry === null) return `must be an object, not ${String(entry)}.`;
  const unknown = Object.keys(entry).find((name) => !members.has(name));
  if (unknown !== undefined) return `has ${JSON.stringify(unknown)}; there are list, key and link.`;
  const { list, key, link } = entry;
  if (list !== undefined && !isName(list) && !isPointer(list)) {
    return `has the list ${JSON.stringify(list)}: give the name of a member of the document, or a JSON pointer, as "/_embedded/posts".`;
  }
  if (key !== undefined && !isName(key)) {
    return `has the key ${JSON.stringify(key)}: give the name of a member of a row. Deeper in it there can be a link.`;
  }
  if (link !== undefined && (link === "" || !isPointer(link))) {
    return `has the link ${JSON.stringify(link)}: give a JSON pointer into a row, as "/links/self".`;
  }
  if (key === undefined && link === undefined) return "needs a key or a link.";
  return key !== undefined && link !== undefined ? "has a key and a link: give one of them." : undefined;
}

/** @throws TypeError naming the entry that can't have an effect, and why */
export function checkRecords(records: RecordsByPath): void {
  for (const [path, entry] of Object.entries(records)) {
    const trouble = troubleOf(path, entry);
    if (trouble !== undefined) throw new TypeError(`records: ${JSON.stringify(path)} ${trouble}`);
  }
}

function unfit(path: string, { list, key, link }: RecordOptions): RocketError {
  const where = list === undefined ? "is no list" : `has no list ${JSON.stringify(list)}`;
  const what =
    key === undefined ? `a link of their own at ${JSON.stringify(link)}` : `${JSON.stringify(key)} of their own`;
  const advice =
    "Where nothing is there, the list is taken for empty; else, until the option is right, such a document is followed as a whole.";
  return new RocketError("records-unfit", `records: what ${path} answers ${where} whose rows have ${what}. ${advice}`);
}

function oddRow(path: string, { key, link }: RecordOptions): RocketError {
  const what = key === undefined ? `link at ${JSON.stringify(link)}` : JSON.stringify(key);
  return new RocketError(
    "records-unfit",
    `records: what ${path} answers has a row without a ${what} of its own that a URL can have. It is shown, and can't be written to.`,
  );
}

/** The entries for {@link recordRuleFor}, each of which says once of each kind that a document was not as it tells. */
export function tellingRecords(records: RecordsByPath, tell: (error: RocketError) => void): RecordsByPath {
  const entries = Object.entries(records).map(([path, entry]) => {
    const told = new Set<string>();
    const onUnfit = (what: "place" | "row"): void => {
      if (!told.has(what)) tell(what === "place" ? unfit(path, entry) : oddRow(path, entry));
      told.add(what);
    };
    return [comparablePath(path), { ...entry, onUnfit }] as const;
  });
  return Object.fromEntries(entries);
}

/** A path without a slash at its end, and with each part encoded in one way. */
function comparablePath(path: string): string {
  const parts = path.replace(/(?<=.)\/$/, "").split("/");
  return parts.map((part) => encodeUrlPart(decodeUrlPart(part) ?? part)).join("/");
}

/** The rule that the options have for a target; `undefined` where they have none. */
export function recordRuleFor(records: RecordsByPath, target: string): StatedRule | undefined {
  const options = records[comparablePath(target.split("?")[0] ?? "")];
  return options && recordRuleOf(options);
}
