import { FilterError, type JsonPath, parseJsonPath } from "../../filter/index.ts";
import { formatSteps, partName } from "./json-part.ts";
import { Refusal, shorten } from "./refusal.ts";

/** A part of what `select` names, as it stands there. */
export type SelectPart =
  | { readonly kind: "all" }
  | {
      readonly kind: "column";
      readonly alias: string | undefined;
      readonly name: string;
      readonly aggregate: string | undefined;
      /** Where in the column's JSON, where the name has arrows that stand in no quotes. */
      readonly path?: JsonPath | undefined;
    }
  | {
      readonly kind: "embed";
      readonly alias: string | undefined;
      readonly name: string;
      /** What stands behind `!`. */
      readonly hints: readonly string[];
      readonly parts: readonly SelectPart[];
      /** Whether what is shown of it stands in the outer record. */
      readonly isSpread?: boolean;
    };

/** How many parts a `select` may have. */
const maxParts = 256;
/** How deep records may stand in others. */
const maxEmbedded = 5;

const plainName = /^[^,():!"\\.]+(?:\.[^,():!"\\.]+)*$/;
/** What goes on until a sign that ends it, or an arrow. */
const upToSign = /(?:[^,():!-]|-(?!>))*/y;
/** Arrows with what stands behind them, in double quotes or up to a sign. */
const arrows = /(?:->>?(?:"(?:[^"\\]|\\.)*"|(?:[^,():!"-]|-(?!>))*))+/sy;
const aggregates: ReadonlySet<string> = new Set(["count", "sum", "avg", "min", "max"]);

/** Reads one `select`. */
class SelectReader {
  readonly #text: string;
  #at = 0;
  #count = 0;
  /** The path that the last name is. */
  #path: JsonPath | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  read(): SelectPart[] {
    const parts = this.#parts(0);
    if (this.#at < this.#text.length) throw this.#error("nothing more was expected");
    return parts;
  }

  #parts(depth: number): SelectPart[] {
    if (depth > maxEmbedded) throw new Refusal(400, `In "select", records are embedded more than ${maxEmbedded} deep.`);
    const parts: SelectPart[] = [];
    // What is embedded may show nothing, and only say which records there are.
    if (depth > 0 && this.#text[this.#at] === ")") return parts;
    do {
      this.#count += 1;
      if (this.#count > maxParts) throw new Refusal(400, `"select" names more than ${maxParts} columns.`);
      parts.push(this.#part(depth));
    } while (this.#passOver(","));
    return parts;
  }

  #part(depth: number): SelectPart {
    this.#passSpaces();
    if (this.#text.startsWith("...", this.#at)) return this.#spread(depth);
    if (this.#passOver("*")) return { kind: "all" };
    const first = this.#name();
    const alias = this.#text[this.#at] === ":" && this.#text[this.#at + 1] !== ":" ? first : undefined;
    if (alias !== undefined) this.#at += 1;
    const part = this.#named(alias === undefined ? first : this.#name(), alias, depth);
    if (this.#text.startsWith("::", this.#at)) {
      throw new Refusal(
        400,
        `In "select", casts as "::" are not supported; "${shorten(first)}" comes as its own type.`,
      );
    }
    this.#passSpaces();
    return part;
  }

  /** `...artists(name)` */
  #spread(depth: number): SelectPart {
    this.#at += "...".length;
    const part = this.#named(this.#name(), undefined, depth);
    const isEmbed = part.kind === "embed" && part.parts.length > 0;
    if (!isEmbed)
      throw this.#error('behind "..." an embedded record was expected, as in ...artists(name), which ended');
    this.#passSpaces();
    return { ...part, isSpread: true };
  }

  #named(name: string, alias: string | undefined, depth: number): SelectPart {
    const hints: string[] = [];
    while (this.#passOver("!")) hints.push(this.#name());
    if (!this.#passOver("(")) {
      if (hints.length > 0) throw this.#error('"(" was expected');
      return { kind: "column", alias, name, aggregate: undefined, path: this.#path };
    }
    if (this.#passOver(")") && hints.length === 0) {
      const dot = name.lastIndexOf(".");
      const aggregate = name.slice(dot + 1);
      if (aggregates.has(aggregate)) return { kind: "column", alias, name: name.slice(0, Math.max(dot, 0)), aggregate };
      return { kind: "embed", alias, name, hints, parts: [] };
    }
    if (this.#text[this.#at - 1] === ")") return { kind: "embed", alias, name, hints, parts: [] };
    const parts = this.#parts(depth + 1);
    if (!this.#passOver(")")) throw this.#error('")" was expected');
    return { kind: "embed", alias, name, hints, parts };
  }

  /** A name, in double quotes or up to a sign that ends it; behind quotes an aggregate may follow. */
  #name(): string {
    this.#passSpaces();
    this.#path = undefined;
    if (this.#text[this.#at] !== '"') return this.#upToSign();
    let text = "";
    this.#at += 1;
    while (!this.#passOver('"')) {
      this.#passOver("\\");
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('"\\"" was expected');
      text += character;
      this.#at += 1;
    }
    if (this.#text.startsWith("->", this.#at)) return this.#arrows(text);
    return this.#text[this.#at] === "." ? text + this.#upToSign() : text;
  }

  #upToSign(): string {
    upToSign.lastIndex = this.#at;
    const [found = ""] = upToSign.exec(this.#text) ?? [];
    this.#at += found.length;
    const name = found.trim();
    if (this.#text.startsWith("->", this.#at)) return this.#arrows(name);
    if (name === "") throw this.#error("a name was expected");
    return name;
  }

  /** The path behind a column's name; gives both. */
  #arrows(column: string): string {
    arrows.lastIndex = this.#at;
    const [found = ""] = arrows.exec(this.#text) ?? [];
    const text = found.trim();
    try {
      // A name with arrows of its own would be read as a part of the path.
      const path = parseJsonPath(`json${text}`);
      this.#path = path && { ...path, column, text: column + path.text.slice("json".length) };
    } catch (error) {
      if (error instanceof FilterError) throw new Refusal(400, `In "select": ${error.message}`);
      throw error;
    }
    this.#at += found.length;
    return column + text;
  }

  #passOver(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #passSpaces(): void {
    while (this.#passOver(" ")) {}
  }

  #error(what: string): Refusal {
    return new Refusal(400, `In "select", ${what} at character ${this.#at + 1}.`);
  }
}

/**
 * Reads a `select`, as PostgREST writes them: `id,label:name,data->>isbn,albums!inner(title,songs(*)),plays.sum()`.
 *
 * @throws Refusal 400 that says where it can't be read
 */
export function parseSelect(text: string): SelectPart[] {
  return new SelectReader(text).read();
}

function formatName(name: string): string {
  return plainName.test(name) && name === name.trim() && !name.includes("->") && !name.startsWith("*")
    ? name
    : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

function formatPart(part: SelectPart): string {
  if (part.kind === "all") return "*";
  const name = formatName(part.name);
  if (part.kind === "embed") {
    const own = part.alias === undefined || part.alias === part.name ? "" : `${formatName(part.alias)}:`;
    const hints = [...part.hints].filter((hint) => hint !== "left").map((hint) => `!${formatName(hint)}`);
    const spread = part.isSpread ? "..." : "";
    return `${spread}${own}${name}${hints.join("")}(${part.parts.map(formatPart).join(",")})`;
  }
  const { path } = part;
  const usual = path ? partName(path) : (part.aggregate ?? part.name);
  const alias = part.alias === undefined || part.alias === usual ? "" : `${formatName(part.alias)}:`;
  if (path) return alias + formatName(path.column) + formatSteps(path);
  if (part.aggregate === undefined) return alias + name;
  return `${alias}${part.name === "" ? "" : `${name}.`}${part.aggregate}()`;
}

/** Parts as a `select` in canonical form. */
export function formatSelect(parts: readonly SelectPart[]): string {
  return parts.map(formatPart).join(",");
}
