/** A number of a JSON text that would be written otherwise, or be another one, as a double: it keeps its text. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Thrown for JSON whose arrays and objects stand in each other deeper than asked for. */
export class NestingError extends Error {}

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const backslash = 0x5c;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** As many digits are always the same as a double. */
const safeDigits = 15;

/** What stands around the value that is being read. A name is there for an object only. */
interface Around {
  readonly into: unknown[] | Record<string, unknown>;
  name: string;
}

function put({ into, name }: Around, value: unknown): void {
  if (Array.isArray(into)) into.push(value);
  else if (name !== "__proto__") into[name] = value;
  else Object.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads a text once, from its start to its end; it uses no stack of its own. */
class Reader {
  readonly #text: string;
  #at = 0;
  readonly #around: Around[] = [];
  depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    for (;;) {
      let value = this.#begin();
      // What was opened holds something: that comes first.
      if (value === undefined) continue;
      for (;;) {
        const around = this.#around.at(-1);
        if (!around) return this.#end(value);
        put(around, value);
        if (this.#goesOn(around)) break;
        value = around.into;
        this.#around.pop();
      }
    }
  }

  #fail(): never {
    throw new SyntaxError(`This is not JSON from character ${this.#at} on.`);
  }

  /** The code of the next character that is no space; `NaN` at the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at += 1;
    }
  }

  #end(value: unknown): unknown {
    this.#next();
    return this.#at === this.#text.length ? value : this.#fail();
  }

  /** Reads a value, or opens one that is not empty: then it is `undefined`. */
  #begin(): unknown {
    const code = this.#next();
    if (code === quote) return this.#string();
    if (code === openArray) return this.#open([], closeArray);
    if (code === openObject) return this.#open({}, closeObject);
    if (code === minus || isDigit(code)) return this.#number();
    if (code === 0x74) return this.#word("true", true);
    if (code === 0x66) return this.#word("false", false);
    return this.#word("null", null);
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
    return value;
  }

  #open(into: Around["into"], end: number): unknown {
    this.#at += 1;
    this.depth = Math.max(this.depth, this.#around.length + 1);
    if (this.#next() === end) {
      this.#at += 1;
      return into;
    }
    this.#around.push({ into, name: end === closeObject ? this.#name() : "" });
    return undefined;
  }

  #name(): string {
    if (this.#next() !== quote) this.#fail();
    const name = this.#string();
    if (this.#next() !== 0x3a) this.#fail();
    this.#at += 1;
    return name;
  }

  /** After a value: whether another one follows in what is around it. */
  #goesOn(around: Around): boolean {
    const isArray = Array.isArray(around.into);
    const code = this.#next();
    if (code !== comma && code !== (isArray ? closeArray : closeObject)) this.#fail();
    this.#at += 1;
    if (code !== comma) return false;
    if (!isArray) around.name = this.#name();
    return true;
  }

  #string(): string {
    const start = this.#at;
    let isPlain = true;
    for (let at = start + 1; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        // With what a backslash stands for: only the platform's reader has it in one word.
        return isPlain ? this.#text.slice(start + 1, at) : JSON.parse(this.#text.slice(start, at + 1));
      }
      // Also at the end, where it is NaN.
      if (!(code >= 0x20)) this.#fail();
      if (code !== backslash) continue;
      isPlain = false;
      at += 1;
    }
  }

  #digits(): void {
    const start = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at += 1;
    if (this.#at === start) this.#fail();
  }

  #number(): number | JsonNumber {
    const start = this.#at;
    if (this.#text.charCodeAt(start) === minus) this.#at += 1;
    if (this.#text.charCodeAt(this.#at) === zero) this.#at += 1;
    else this.#digits();
    const integerEnd = this.#at;
    if (this.#text.charCodeAt(this.#at) === 0x2e) {
      this.#at += 1;
      this.#digits();
    }
    if ((this.#text.charCodeAt(this.#at) | 0x20) === 0x65) {
      this.#at += 1;
      const sign = this.#text.charCodeAt(this.#at);
      if (sign === minus || sign === 0x2b) this.#at += 1;
      this.#digits();
    }
    const text = this.#text.slice(start, this.#at);
    const value = Number(text);
    if (this.#at === integerEnd && text.length <= safeDigits && text !== "-0") return value;
    return keepsText(text, value) ? value : new JsonNumber(text);
  }
}

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39;
}

function keepsText(text: string, number: number): boolean {
  return String(number) === text && (Number.isSafeInteger(number) || !Number.isInteger(number));
}

/**
 * Parses JSON (RFC 8259) in one pass; numbers that a double would change are {@link JsonNumber}s.
 *
 * @param maxDepth - how deep arrays and objects may stand in each other; as deep as they like by default
 * @throws SyntaxError where it is no JSON; NestingError where it is JSON that is nested deeper
 */
export function parseJson(text: string, maxDepth: number = Number.POSITIVE_INFINITY): unknown {
  const reader = new Reader(text);
  const json = reader.read();
  if (reader.depth > maxDepth) throw new NestingError(`This is nested ${reader.depth} levels deep.`);
  return json;
}
