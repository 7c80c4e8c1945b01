/** A statement of a script. */
export interface Statement {
  /** Without what stands before it, and without its semicolon. */
  readonly text: string;
  /** The first of its words, in capitals, a blank between them; an apostrophe stands for what is none. Without comments. */
  readonly words: string;
  /** The line that it begins at, from 1. */
  readonly line: number;
}

/** Whose SQL it is. */
export type Sql = "sqlite" | "postgres";

/** What SQL is made of: blanks and comments, texts and names in quotes, words, and signs. */
const patterns: Readonly<Record<Sql, RegExp>> = {
  sqlite:
    /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[A-Za-z0-9_$\u0080-\u{10ffff}]+|./gsu,
  postgres:
    /\s+|--[^\n]*|\/\*|(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|(?<![\w$\u0080-\u{10ffff}])\$(?:[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_\u0080-\u{10ffff}]*)?\$|[A-Za-z0-9_$\u0080-\u{10ffff}]+|./gsu,
};

/** Where a comment of PostgreSQL ends, which may have others in it. */
function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (const match of text.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return start + match.index + 2;
  }
  return text.length;
}

/** Where a token ends: a comment of PostgreSQL, and a text between dollar signs, go further than their first sign. */
function endOf(text: string, token: string, start: number, sql: Sql): number {
  const end = start + token.length;
  if (sql === "sqlite") return end;
  if (token === "/*") return commentEnd(text, start);
  if (!/^\$.*\$$/s.test(token)) return end;
  const close = text.indexOf(token, end);
  return close < 0 ? text.length : close + token.length;
}

/** Knows whether a semicolon ends a statement, from the words of the statement so far. */
class StatementEnd {
  readonly #words: string[] = [];
  /** How many bodies or choices are open, in a function's own body of SQL. */
  #depth = 0;

  note(word: string): void {
    const before = this.#words.at(-1);
    this.#words.push(word);
    if (word === "ATOMIC" && before === "BEGIN") this.#depth += 1;
    else if (this.#depth > 0 && word === "CASE") this.#depth += 1;
    else if (this.#depth > 0 && word === "END") this.#depth -= 1;
  }

  /** The first words. */
  get start(): string {
    return this.#words.slice(0, 12).join(" ");
  }

  /** A trigger of SQLite has statements of its own, up to an END that stands alone. */
  isEnd(sql: Sql): boolean {
    if (sql === "postgres") return this.#depth === 0;
    const isTrigger = /^CREATE (?:TEMP(?:ORARY)? )?TRIGGER\b/.test(this.#words.slice(0, 3).join(" "));
    return !isTrigger || (this.#words.at(-1) === "END" && this.#words.at(-2) === ";");
  }
}

/** Takes a script apart into its statements. */
export function splitStatements(text: string, sql: Sql): Statement[] {
  const statements: Statement[] = [];
  const pattern = patterns[sql];
  pattern.lastIndex = 0;
  let start: number | undefined;
  let last = 0;
  let end = new StatementEnd();
  const close = (): void => {
    if (start !== undefined) {
      const line = text.slice(0, start).split("\n").length;
      statements.push({ text: text.slice(start, last), words: end.start, line });
    }
    start = undefined;
    end = new StatementEnd();
  };
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [token] = match;
    pattern.lastIndex = endOf(text, token, match.index, sql);
    if (/^(?:\s|--|\/\*)/.test(token)) continue;
    if (token === ";" && end.isEnd(sql)) {
      close();
      continue;
    }
    start ??= match.index;
    last = pattern.lastIndex;
    end.note(/^\w/.test(token) || token === ";" ? token.toUpperCase() : "'");
  }
  close();
  return statements;
}
