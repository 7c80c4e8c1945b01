import { Refusal, shorten } from "./refusal.ts";

/** A part of what `select` names, as it stands there. */
export type SelectPart =
  | { readonly kind: "all" }
  | {
      readonly kind: "column";
      readonly alias: string | undefined;
      readonly name: string;
      readonly aggregate: string | undefined;
    }
  | {
      readonly kind: "embed";
      readonly alias: string | undefined;
      readonly name: string;
      /** What stands behind `!`. */
      readonly hints: readonly string[];
      readonly parts: readonly SelectPart[];
    };

/** How many parts a `select` may have. */
const maxParts = 256;
/** How deep records may stand in others. */
const maxEmbedded = 5;

const plainName = /^[^,():!"\\.]+(?:\.[^,():!"\\.]+)*$/;
const aggregates: ReadonlySet<string> = new Set(["count", "sum", "avg", "min", "max"]);

/** Reads one `select`. */
class SelectReader {
  readonly #text: string;
  #at = 0;
  #count = 0;

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
    if (this.#text.startsWith("...", this.#at)) {
      throw new Refusal(400, 'In "select", "..." is not supported: an embedded record stands under its own name.');
    }
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

  #named(name: string, alias: string | undefined, depth: number): SelectPart {
    const hints: string[] = [];
    while (this.#passOver("!")) hints.push(this.#name());
    if (!this.#passOver("(")) {
      if (hints.length > 0) throw this.#error('"(" was expected');
      return { kind: "column", alias, name, aggregate: undefined };
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
    return this.#text[this.#at] === "." ? text + this.#upToSign() : text;
  }

  #upToSign(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[,():!]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
    const name = this.#text.slice(start, this.#at).trim();
    if (name === "") throw this.#error("a name was expected");
    if (/->/.test(name)) {
      throw new Refusal(400, `In "select", paths into JSON are not supported, as in "${shorten(name)}".`);
    }
    return name;
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
 * Reads a `select`, as PostgREST writes them: `id,label:name,albums!inner(title,songs(*)),plays.sum()`.
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
    return `${own}${name}${hints.join("")}(${part.parts.map(formatPart).join(",")})`;
  }
  const usual = part.aggregate ?? part.name;
  const alias = part.alias === undefined || part.alias === usual ? "" : `${formatName(part.alias)}:`;
  if (part.aggregate === undefined) return alias + name;
  return `${alias}${part.name === "" ? "" : `${name}.`}${part.aggregate}()`;
}

/** Parts as a `select` in canonical form. */
export function formatSelect(parts: readonly SelectPart[]): string {
  return parts.map(formatPart).join(",");
}
