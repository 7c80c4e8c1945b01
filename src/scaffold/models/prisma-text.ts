import { invalidModel } from "./core-data.ts";

/** A value that an attribute is given: a text in quotes, a list, or a name, a number or a call by its name. */
export type PrismaValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly values: readonly PrismaValue[] }
  | { readonly kind: "name"; readonly name: string };

/** What an attribute is given: by its name, or by none where it stands first. */
export interface PrismaArgument {
  readonly name: string | undefined;
  readonly value: PrismaValue;
}

/** `@map("first_name")`, and with two signs where it is a block's own. */
export interface PrismaAttribute {
  readonly name: string;
  readonly arguments: readonly PrismaArgument[];
}

/** A field of a model. */
export interface PrismaField {
  readonly name: string;
  readonly type: string;
  readonly isList: boolean;
  readonly attributes: readonly PrismaAttribute[];
}

/** A block with fields: a model, a view, or a type. */
export interface PrismaBlock {
  readonly kind: string;
  readonly name: string;
  readonly fields: readonly PrismaField[];
  readonly attributes: readonly PrismaAttribute[];
}

/** Blocks whose lines are fields. Others are passed over. */
const blocksWithFields = new Set(["model", "view", "type"]);

interface Token {
  readonly kind: "name" | "text" | "sign" | "line" | "end";
  readonly text: string;
  readonly line: number;
}

/** Comments and blanks, lines, texts in quotes, attributes, names and numbers, and signs. */
const tokenPattern =
  /([^\S\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(\n)|"((?:[^"\\\n]|\\.)*)"|(@{1,2}[\w.]+|-?[\w.][\w.-]*)|([{}[\](),:=?!])/y;

function unescaped(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}

/** @param file - the file's name, for what is wrong in it */
function tokensOf(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const [, blank, end, quoted, name, sign] = tokenPattern.exec(text) ?? [];
    if (quoted !== undefined) tokens.push({ kind: "text", text: unescaped(quoted), line });
    else if (name !== undefined) tokens.push({ kind: "name", text: name, line });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, line });
    else if (end !== undefined) tokens.push({ kind: "line", text: end, line });
    else if (blank === undefined)
      invalidModel(`${file}, line ${line}: ${JSON.stringify(text[at])} stands nowhere in a Prisma schema.`);
    line += (end ?? blank ?? "").split("\n").length - 1;
  }
  return [...tokens, { kind: "end", text: "the end", line }];
}

/** Reads the blocks of a Prisma schema, as far as they name tables, columns and relations. */
class PrismaReader {
  readonly #tokens: readonly Token[];
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#tokens = tokensOf(text, file);
    this.#file = file;
  }

  read(): PrismaBlock[] {
    const blocks: PrismaBlock[] = [];
    for (;;) {
      this.#skipLines();
      if (this.#next.kind === "end") return blocks;
      const kind = this.#name();
      const name = this.#name();
      // `type Email = String` was a name for a type, once.
      if (this.#next.text !== "{") {
        this.#skipLine();
        continue;
      }
      if (blocksWithFields.has(kind)) blocks.push({ kind, name, ...this.#fields() });
      else this.#skipBlock();
    }
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "the end", line: 0 };
  }

  #fail(wanted: string): never {
    const { text, line, kind } = this.#next;
    const found = kind === "line" ? "the end of the line" : kind === "end" ? text : JSON.stringify(text);
    return invalidModel(`${this.#file}, line ${line}: ${wanted} was expected, and ${found} is there.`);
  }

  #is(sign: string): boolean {
    return this.#next.kind === "sign" && this.#next.text === sign;
  }

  #take(sign: string): boolean {
    const isThere = this.#is(sign);
    if (isThere) this.#at += 1;
    return isThere;
  }

  #require(sign: string): void {
    if (!this.#take(sign)) this.#fail(`"${sign}"`);
  }

  #name(): string {
    const { kind, text } = this.#next;
    if (kind !== "name" || text.startsWith("@")) this.#fail("A name");
    this.#at += 1;
    return text;
  }

  #skipLines(): void {
    while (this.#next.kind === "line") this.#at += 1;
  }

  #skipLine(): void {
    while (this.#next.kind !== "line" && this.#next.kind !== "end") this.#at += 1;
  }

  #skipBlock(): void {
    this.#require("{");
    while (!this.#is("}")) {
      if (this.#next.kind === "end") this.#fail('"}"');
      this.#at += 1;
    }
    this.#require("}");
  }

  #fields(): Pick<PrismaBlock, "fields" | "attributes"> {
    const fields: PrismaField[] = [];
    const attributes: PrismaAttribute[] = [];
    this.#require("{");
    for (;;) {
      this.#skipLines();
      if (this.#take("}")) return { fields, attributes };
      if (this.#next.text.startsWith("@@")) attributes.push(this.#attribute());
      else fields.push(this.#field());
      if (this.#next.kind !== "line" && !this.#is("}")) this.#fail("The end of the line");
    }
  }

  #field(): PrismaField {
    const name = this.#name();
    const type = this.#name();
    // `Unsupported("circle")`
    if (this.#is("(")) this.#arguments();
    const isList = this.#take("[");
    if (isList) this.#require("]");
    this.#take("?");
    const attributes: PrismaAttribute[] = [];
    while (this.#next.kind === "name" && this.#next.text.startsWith("@")) attributes.push(this.#attribute());
    return { name, type, isList, attributes };
  }

  #attribute(): PrismaAttribute {
    const name = this.#next.text.replace(/^@+/, "");
    this.#at += 1;
    return { name, arguments: this.#is("(") ? this.#arguments() : [] };
  }

  #arguments(): PrismaArgument[] {
    const given: PrismaArgument[] = [];
    this.#require("(");
    for (;;) {
      this.#skipLines();
      if (this.#take(")")) return given;
      const isNamed = this.#next.kind === "name" && this.#tokens[this.#at + 1]?.text === ":";
      const name = isNamed ? this.#name() : undefined;
      if (isNamed) this.#require(":");
      given.push({ name, value: this.#value() });
      this.#skipLines();
      if (!this.#take(",") && !this.#is(")")) this.#fail('"," or ")"');
    }
  }

  #value(): PrismaValue {
    this.#skipLines();
    const { kind, text } = this.#next;
    if (kind === "text") {
      this.#at += 1;
      return { kind, text };
    }
    if (this.#is("[")) return this.#list("[", "]");
    // What an index or a database's own attribute is given.
    if (this.#is("{")) return this.#list("{", "}");
    const name = this.#name();
    if (this.#is("(")) this.#arguments();
    return { kind: "name", name };
  }

  #list(open: string, close: string): PrismaValue {
    const values: PrismaValue[] = [];
    this.#require(open);
    for (;;) {
      this.#skipLines();
      if (this.#take(close)) return { kind: "list", values };
      values.push(this.#value());
      if (this.#take(":")) this.#value();
      this.#skipLines();
      if (!this.#take(",") && !this.#is(close)) this.#fail(`"," or "${close}"`);
    }
  }
}

/**
 * The models, views and types of a Prisma schema.
 *
 * @param file - its name, for what is wrong in it
 * @throws RocketError `model-invalid`
 */
export function parsePrisma(text: string, file: string): PrismaBlock[] {
  return new PrismaReader(text, file).read();
}
