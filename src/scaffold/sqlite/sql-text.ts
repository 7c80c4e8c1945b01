/** A word, literal, name or sign of a piece of SQL. */
export interface SqlToken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many parentheses are open around it; a parenthesis counts as outside. */
  readonly depth: number;
}

const pattern =
  /\s+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[A-Za-z0-9_$\u0080-\u{10ffff}]+|./gsu;

/** Takes SQL apart, without spaces and comments. */
export function tokenise(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let depth = 0;
  for (const match of sql.matchAll(pattern)) {
    const [text] = match;
    if (/^(?:\s|--|\/\*)/.test(text)) continue;
    if (text === ")") depth -= 1;
    tokens.push({ text, start: match.index, end: match.index + text.length, depth });
    if (text === "(") depth += 1;
  }
  return tokens;
}

/** Writes a name so that SQL can't take it for anything else. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that a token stands for. */
export function unquote(token: string): string {
  const quote = token[0];
  if (quote === "[") return token.slice(1, -1);
  if (quote !== '"' && quote !== "`" && quote !== "'") return token;
  return token.slice(1, -1).replaceAll(quote + quote, quote);
}

/** The parts, between commas, of the first list in parentheses; and what follows it. */
function firstList(sql: string): { readonly parts: SqlToken[][]; readonly rest: SqlToken[] } {
  const tokens = tokenise(sql);
  const open = tokens.findIndex((token) => token.text === "(");
  const close = tokens.findIndex((token, index) => index > open && token.text === ")" && token.depth === 0);
  const parts: SqlToken[][] = [[]];
  for (const token of tokens.slice(open + 1, close)) {
    if (token.text === "," && token.depth === 1) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return { parts, rest: tokens.slice(close + 1) };
}

function textOf(sql: string, tokens: readonly SqlToken[]): string {
  const [first] = tokens;
  const last = tokens.at(-1);
  return first && last ? sql.slice(first.start, last.end) : "";
}

/** The expressions of a table's generated columns, by the column's name, from its CREATE TABLE. */
export function generatedExpressions(createTable: string): Map<string, string> {
  const expressions = new Map<string, string>();
  for (const part of firstList(createTable).parts) {
    const at = part.findIndex(
      (token, index) => index > 0 && token.depth === 1 && /^as$/i.test(token.text) && part[index + 1]?.text === "(",
    );
    const [name] = part;
    if (at < 0 || !name) continue;
    const close = part.findIndex((token, index) => index > at + 1 && token.text === ")" && token.depth === 1);
    expressions.set(unquote(name.text), textOf(createTable, part.slice(at + 2, close)));
  }
  return expressions;
}

/** The options of a virtual table's module, from its CREATE VIRTUAL TABLE, by name in lower case: `content='songs'`. */
export function moduleOptions(createTable: string): Map<string, string> {
  return new Map(
    firstList(createTable).parts.flatMap(([name, sign, value, ...rest]) =>
      name && value && sign?.text === "=" && rest.length === 0 ? [[name.text.toLowerCase(), unquote(value.text)]] : [],
    ),
  );
}

/** The terms of an index and the condition of a partial one, from its CREATE INDEX. */
export function indexParts(createIndex: string): { readonly terms: string[]; readonly where: string | undefined } {
  const { parts, rest } = firstList(createIndex);
  const terms = parts.map((part) => {
    const isOrdered = /^(?:asc|desc)$/i.test(part.at(-1)?.text ?? "");
    return textOf(createIndex, isOrdered ? part.slice(0, -1) : part);
  });
  const [word, ...condition] = rest;
  return { terms, where: word && /^where$/i.test(word.text) ? textOf(createIndex, condition) : undefined };
}

/** The collations that SQL names, in lower case. */
export function collationNames(sql: string): Set<string> {
  const tokens = tokenise(sql);
  const names = tokens.filter((_, at) => tokens[at - 1]?.text.toLowerCase() === "collate");
  return new Set(names.map(({ text }) => unquote(text).toLowerCase()));
}

function isQuoted(token: SqlToken | undefined): boolean {
  return token?.text.startsWith('"') === true;
}

/** The quoted words of SQL that may be names of columns, or strings in SQLite's old way: no parts of a longer name. */
export function quotedWords(sql: string): SqlToken[] {
  const tokens = tokenise(sql);
  return tokens.filter((token, at) => {
    const before = tokens[at - 1]?.text.toLowerCase();
    const after = tokens[at + 1]?.text;
    const isPart = before === "." || after === "." || after === "(" || before === "collate" || before === "as";
    return isQuoted(token) && !isPart;
  });
}

/** Writes quoted words as strings; and one other as it is told. */
export function asStrings(
  sql: string,
  words: readonly SqlToken[],
  other?: { readonly word: SqlToken; readonly text: string },
): string {
  const changes = words.map((word) => ({ word, text: `'${unquote(word.text).replaceAll("'", "''")}'` }));
  if (other) changes.push({ ...other });
  let text = "";
  let end = 0;
  for (const change of changes.sort((one, two) => one.word.start - two.word.start)) {
    text += sql.slice(end, change.word.start) + change.text;
    end = change.word.end;
  }
  return text + sql.slice(end);
}

/** An expression over a table's columns in which each quoted word that is none of them is a string, as SQLite takes it. */
export function withStrings(sql: string, columns: readonly string[]): string {
  const names = new Set(columns.map((column) => column.toLowerCase()));
  return asStrings(
    sql,
    quotedWords(sql).filter(({ text }) => !names.has(unquote(text).toLowerCase())),
  );
}

const keyword = /^(?:null|true|false|current_(?:time|date|timestamp))$/i;

/** A DEFAULT as an expression. In a DEFAULT a bare or quoted name is a text; in an expression it would be a column. */
export function defaultExpression(sql: string | null): string {
  if (sql === null) return "NULL";
  const tokens = tokenise(sql);
  const [only] = tokens;
  const isName = tokens.length === 1 && only !== undefined && /^["`[A-Za-z_\u0080-\u{10ffff}]/u.test(only.text);
  if (isName && !keyword.test(only.text)) return `'${unquote(only.text).replaceAll("'", "''")}'`;
  return `(${withStrings(sql, [])})`;
}

/** The columns that a CREATE TABLE checks with `json_valid`, in lower case. */
export function jsonColumns(createTable: string): Set<string> {
  const tokens = tokenise(createTable);
  const names = tokens.filter(
    (_, at) => tokens[at - 1]?.text === "(" && tokens[at - 2]?.text.toLowerCase() === "json_valid",
  );
  return new Set(names.map(({ text }) => unquote(text).toLowerCase()));
}

/** The names of the foreign keys of a CREATE TABLE, in their order; `undefined` for one without a name. */
export function foreignKeyNames(createTable: string): (string | undefined)[] {
  const tokens = tokenise(createTable);
  const isWord = (at: number, word: string): boolean => tokens[at]?.text.toLowerCase() === word;
  return tokens.flatMap(({ text, depth }, at) => {
    if (text.toLowerCase() !== "references" || depth !== 1) return [];
    // That of a column stands right before, that of a table before FOREIGN KEY and its columns.
    const open = tokens.findLastIndex((token, index) => index < at && token.text === "(" && token.depth === 1);
    const isOfTable = tokens[at - 1]?.text === ")" && isWord(open - 1, "key") && isWord(open - 2, "foreign");
    const start = isOfTable ? open - 2 : at;
    return [isWord(start - 2, "constraint") ? unquote(tokens[start - 1]?.text ?? "") : undefined];
  });
}

/** A CHECK of a table. */
export interface Check {
  /** Absent where it has none. */
  readonly name?: string;
  /** Its expression. */
  readonly text: string;
  /** The words and names in it, in lower case. */
  readonly words: ReadonlySet<string>;
}

/** The CHECKs of a CREATE TABLE. */
export function checksOf(createTable: string): Check[] {
  const tokens = tokenise(createTable);
  const isWord = (at: number, word: string): boolean => tokens[at]?.text.toLowerCase() === word;
  return tokens.flatMap((token, at) => {
    if (!isWord(at, "check") || tokens[at + 1]?.text !== "(") return [];
    const end = tokens.findIndex((one, index) => index > at + 1 && one.text === ")" && one.depth === token.depth);
    const inside = tokens.slice(at + 2, end);
    const words = inside.filter(({ text }) => !text.startsWith("'")).map(({ text }) => unquote(text).toLowerCase());
    const check = { text: textOf(createTable, inside), words: new Set(words) };
    return [isWord(at - 2, "constraint") ? { ...check, name: unquote(tokens[at - 1]?.text ?? "") } : check];
  });
}

/**
 * The values that a CREATE TABLE lets columns have, where a CHECK lists them and asks nothing else: `CHECK (kind IN ('a', 'b'))`; by
 * columns in lower case.
 */
export function listedValues(createTable: string): Map<string, (string | number)[]> {
  return new Map(
    checksOf(createTable).flatMap(({ text }) => {
      const [name, word, open, ...rest] = tokenise(text);
      const isClosed = word?.text.toLowerCase() === "in" && open?.text === "(" && rest.pop()?.text === ")";
      const texts = rest.map((token) => token.text);
      const isList = texts.every((one, at) => (at % 2 === 1 ? one === "," : /^(?:'.*'|\d{1,15})$/s.test(one)));
      if (!name || !isClosed || !isList || texts.length % 2 === 0) return [];
      const values = texts
        .filter((_, at) => at % 2 === 0)
        .map((one) => (one.startsWith("'") ? unquote(one) : Number(one)));
      return [[unquote(name.text).toLowerCase(), values]];
    }),
  );
}

/** Whether SQLite says so of a CHECK: its name; its expression; where that begins with a quoted name, that alone. */
export function isBroken({ name, text }: Check, said: string): boolean {
  if (name !== undefined) return name === said;
  const [first] = tokenise(text);
  const isQuoted = first !== undefined && /^["'`[]/.test(first.text);
  return isQuoted ? unquote(first.text) === said : text === said.trim();
}

/** Whether SQL has a text as a literal. */
export function quotesText(sql: string, text: string): boolean {
  return tokenise(sql).some((token) => /^['"]/.test(token.text) && unquote(token.text) === text);
}

/** Whether SQL has `name` as a word or quoted name in it. */
export function mentions(sql: string, name: string): boolean {
  return tokenise(sql).some((token) => unquote(token.text).toLowerCase() === name.toLowerCase());
}

/** When a trigger fires, from its CREATE TRIGGER: `AFTER INSERT`. */
export function triggerEvent(createTrigger: string): string {
  return triggerParts(createTrigger)?.event ?? "";
}

/** What an INSTEAD OF trigger stands for, from its CREATE TRIGGER; `undefined` for any other trigger. */
export function insteadOf(createTrigger: string): "insert" | "update" | "delete" | undefined {
  const { rest = "" } = triggerParts(createTrigger) ?? {};
  const [, event] = /^INSTEAD\s+OF\s+(INSERT|UPDATE|DELETE)\b/i.exec(rest) ?? [];
  return event?.toLowerCase() as "insert" | "update" | "delete" | undefined;
}

/** A CREATE TRIGGER in parts: up to its name, and what follows; with when it fires. */
export function triggerParts(
  createTrigger: string,
): { readonly head: string; readonly rest: string; readonly event: string } | undefined {
  const tokens = tokenise(createTrigger);
  const words = tokens.map((token) => token.text.toUpperCase());
  const at = words.findIndex(
    (word, index) => index > 2 && /^(?:BEFORE|AFTER|INSTEAD|INSERT|UPDATE|DELETE)$/.test(word),
  );
  const first = tokens[at];
  if (!first) return undefined;
  const timing = words[at] ?? "";
  const isTimed = timing === "AFTER" || timing === "BEFORE";
  const event = isTimed ? `${timing} ${words[at + 1]}` : timing === "INSTEAD" ? "INSTEAD" : `BEFORE ${timing}`;
  return { head: createTrigger.slice(0, first.start), rest: createTrigger.slice(first.start), event };
}
