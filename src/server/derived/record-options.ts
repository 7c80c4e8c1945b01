import { RocketError } from "../../protocol/index.ts";
import type { RecordOptions } from "./record-rule.ts";

/** Where records are, by path. */
export type RecordsByPath = Readonly<Record<string, RecordOptions>>;

const members = new Set(["key", "link", "list"]);

function isNameGiven(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && value !== "" && !value.startsWith("/"));
}

/** What is wrong with an entry; `undefined` where it can be right. */
function troubleOf(path: string, entry: RecordOptions): string | undefined {
  if (!/^\/[^?#]*$/.test(path)) return "is no path: give one that begins with a slash, without a query.";
  if (typeof entry !== "object" || entry === null) return `must be an object, not ${String(entry)}.`;
  const unknown = Object.keys(entry).find((name) => !members.has(name));
  if (unknown !== undefined) return `has ${JSON.stringify(unknown)}; there are list, key and link.`;
  const { list, key, link } = entry;
  if (!isNameGiven(list)) return `has the list ${JSON.stringify(list)}: give the name of a member of the document.`;
  if (!isNameGiven(key)) return `has the key ${JSON.stringify(key)}: give the name of a member of a row.`;
  if (link !== undefined && !(typeof link === "string" && link.startsWith("/"))) {
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
  const what = key === undefined ? `a link of its own at ${JSON.stringify(link)}` : `${JSON.stringify(key)} of its own`;
  const advice = "Until the option is right, such a document is followed as a whole.";
  return new RocketError(
    "records-unfit",
    `records: what ${path} answers ${where} whose every row has ${what}. ${advice}`,
  );
}

/** The entries, each of which says once that a document was not as it tells. */
export function tellingRecords(records: RecordsByPath, tell: (error: RocketError) => void): RecordsByPath {
  const entries = Object.entries(records).map(([path, entry]) => {
    let isTold = false;
    const onUnfit = (): void => {
      if (!isTold) tell(unfit(path, entry));
      isTold = true;
    };
    return [path, { ...entry, onUnfit }] as const;
  });
  return Object.fromEntries(entries);
}
