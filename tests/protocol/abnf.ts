/** Rules of RFC 5234, RFC 9110, RFC 3986 and RFC 9651 that the specification builds on. */
const known = `
ALPHA = %x41-5A / %x61-7A
DIGIT = %x30-39
HEXDIG = DIGIT / "A" / "B" / "C" / "D" / "E" / "F"
DQUOTE = %x22
SP = %x20
HTAB = %x09
CR = %x0D
LF = %x0A
VCHAR = %x21-7E
OCTET = %x00-FF
tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "\`" / "|" / "~" / DIGIT / ALPHA
token = 1*tchar
OWS = *( SP / HTAB )
obs-text = %x80-FF
unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
pchar = unreserved / "%" HEXDIG HEXDIG / "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "=" / ":" / "@"
sf-dictionary = *%x20-7E
`;

function escaped(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/** Texts are the same in any case, unless they are said to be as they stand. */
function literal(text: string, isExact: boolean): string {
  return [...text]
    .map((character) => {
      const cases = new Set(isExact ? [character] : [character.toLowerCase(), character.toUpperCase()]);
      return `[${[...cases].map((one) => escaped(one.codePointAt(0) ?? 0)).join("")}]`;
    })
    .join("");
}

function numeric(text: string): string {
  const [low = "", high] = text.split("-");
  if (high !== undefined) return `[${escaped(Number.parseInt(low, 16))}-${escaped(Number.parseInt(high, 16))}]`;
  return low
    .split(".")
    .map((one) => escaped(Number.parseInt(one, 16)))
    .join("");
}

const piece =
  /[ \n]+|(%s)?"([ !#-~]*)"|%x([0-9A-Fa-f]+(?:-[0-9A-Fa-f]+|(?:\.[0-9A-Fa-f]+)*))|([0-9]*\*[0-9]*|[0-9]+)|([A-Za-z][A-Za-z0-9-]*)|([([/])/y;

/** A grammar in ABNF, none of whose rules names itself. */
export class Grammar {
  readonly #rules: Map<string, string> = new Map();

  /** @throws SyntaxError where it is no ABNF, and where a rule is defined twice or not at all */
  constructor(text: string) {
    for (const rule of (known + text).replace(/(?<=\s);[^\n]*/g, "").split(/\n(?=\S)/)) {
      if (rule.trim() === "") continue;
      const [, name = "", elements] = /^\n*([A-Za-z][A-Za-z0-9-]*) *= *([\s\S]*)$/.exec(rule) ?? [];
      if (elements === undefined) throw new SyntaxError(`This is no rule: ${rule}`);
      if (this.#rules.has(name.toLowerCase())) throw new SyntaxError(`${name} is defined twice.`);
      this.#rules.set(name.toLowerCase(), elements);
    }
    for (const name of this.#rules.keys()) this.#sourceOf(name, []);
  }

  /** Whether a text is what a rule says. */
  matches(name: string, text: string): boolean {
    return new RegExp(`^${this.#sourceOf(name, [])}$`, "u").test(text);
  }

  #sourceOf(name: string, within: readonly string[]): string {
    const elements = this.#rules.get(name.toLowerCase());
    if (elements === undefined) throw new SyntaxError(`${name} is not defined.`);
    if (within.includes(name.toLowerCase())) throw new SyntaxError(`${name} names itself.`);
    return this.#compile(elements, [...within, name.toLowerCase()]);
  }

  /** @param within - the rules that these elements are a part of */
  #compile(elements: string, within: readonly string[]): string {
    let source = "";
    let repeat = "";
    let at = 0;
    const add = (element: string): void => {
      source += `(?:${element})${repeat}`;
      repeat = "";
    };
    while (at < elements.length) {
      piece.lastIndex = at;
      const match = piece.exec(elements);
      if (!match) throw new SyntaxError(`${within.at(-1)} is no ABNF at ${JSON.stringify(elements.slice(at))}.`);
      const [all, exact, text, number, times, rule, sign] = match;
      at += all.length;
      if (text !== undefined) add(literal(text, exact !== undefined));
      else if (number !== undefined) add(numeric(number));
      else if (rule !== undefined) add(this.#sourceOf(rule, within));
      else if (times !== undefined) repeat = quantifier(times);
      else if (sign === "/") source += "|";
      else if (sign !== undefined) {
        const end = groupEnd(elements, at - 1);
        if (sign === "[") repeat = "?";
        add(this.#compile(elements.slice(at, end), within));
        at = end + 1;
      }
    }
    return source;
  }
}

function quantifier(times: string): string {
  const [least = "", most = least] = times.split("*");
  return `{${least || "0"},${most}}`;
}

/** Where the group ends that begins at `from`. */
function groupEnd(text: string, from: number): number {
  let depth = 0;
  let isQuoted = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && /[([]/.test(character)) depth += 1;
    else if (!isQuoted && /[)\]]/.test(character)) depth -= 1;
    if (depth === 0) return at;
  }
  throw new SyntaxError(`A group has no end: ${text.slice(from)}`);
}
