/** What stands for one column in a `select`: `name`, or `label:name`. */
const column = /^(?:([\w$ ]+):)?([\w$]+)$/;
const aggregate = /(?:^|[.:])(?:count|sum|avg|min|max)\(\)$/;

/** The parts of a `select`, between the commas that stand in no parentheses and no quotes. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let [start, depth, isQuoted] = [0, 0, false];
  for (let at = 0; at <= text.length; at += 1) {
    const sign = text[at] ?? ",";
    if (sign === '"') isQuoted = !isQuoted;
    if (sign === "(" && !isQuoted) depth += 1;
    if (sign === ")" && !isQuoted) depth -= 1;
    if (at < text.length && (sign !== "," || depth > 0 || isQuoted)) continue;
    parts.push(text.slice(start, at).trim());
    start = at + 1;
  }
  return parts;
}

/** What a list's `select` shows of its records, as far as its text tells: rows that are shown ahead of time look so, too. */
export class Selected {
  readonly #shown: Map<string, string[]> = new Map();
  readonly #hasAll: boolean;
  /** Whether its rows are no records: they stand for several. */
  readonly isGrouped: boolean;

  constructor(text: string) {
    const parts = partsOf(text);
    this.#hasAll = parts.includes("*");
    this.isGrouped = parts.some((part) => aggregate.test(part));
    for (const part of parts) {
      const [, as, name] = column.exec(part) ?? [];
      if (name !== undefined) this.#shown.set(name, [...(this.#shown.get(name) ?? []), as ?? name]);
    }
  }

  /** The member that shows a column; `undefined` where none does, or nobody can tell. */
  memberOf(name: string): string | undefined {
    const isOther = [...this.#shown].some(([other, members]) => other !== name && members.includes(name));
    return this.#shown.get(name)?.[0] ?? (this.#hasAll && !isOther ? name : undefined);
  }

  /** What is shown of a record's columns. */
  show(columns: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const shown: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(columns)) {
      const members = this.#shown.get(name) ?? [this.memberOf(name) ?? []].flat();
      for (const member of members) shown[member] = value;
    }
    return shown;
  }
}

/** What a list's URL selects; `undefined` where that is everything. */
export function selectedBy(target: string): Selected | undefined {
  const text = new URLSearchParams(target.split("?")[1] ?? "").get("select");
  return text === null || text === "*" ? undefined : new Selected(text);
}
