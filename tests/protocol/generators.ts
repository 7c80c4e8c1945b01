import type { Body } from "../../src/protocol/index.ts";
import { dataOf, messageVectors } from "./vectors.ts";

/** A source of chance that repeats from its seed (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  /** True in one of `count` cases. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("There is nothing to pick from.");
    return item;
  }
}

/** Pieces that parsers disagree about. */
const nasty = [
  ..."\r\n\t :;,#%/?\"'\\\0\v\f\x1b\x7f\x80\x85\xa0\xff",
  ..."\u0100\u2028\u2029\ufeff\u0660\u{1f3b8}",
  "\r\n",
  "\n\n",
  "\r\n\r\n",
  "\r\r\n",
  "\n\r",
  " \r\n",
  "\r\n ",
  "\r\n\t",
  " :",
  ": ",
  "\ud800",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.1 200 OK\r\n",
  "GET / HTTP/1.1\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 5\r\n",
  "content-length:1e1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Proxy-Connection: upgrade\r\n",
  "Host: a\r\n",
  "Expect: 100-continue\r\n",
  "Keep-Alive: x\r\n",
  "Set-Cookie: a=b\r\n",
  "__proto__: x\r\n",
  "//",
  "http://a/",
  "*",
  "+1",
  "0x",
  "-1",
  "1e3",
] as const;

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "SUBSCRIBE", "UNSUBSCRIBE"] as const;
const targets = [
  "/",
  "/artists",
  "/artists/1?x=y&z=%20",
  "/a,b;c=d/!$'()*+@",
  "//a/b",
  '/<>"[]{}|\\^`~',
  "/?#",
] as const;
const statuses = [200, 201, 202, 204, 304, 308, 401, 404, 410, 422, 429, 500, 503, 299, 599] as const;
const reasons = ["OK", "", "Created", "Not Modified", "a b", " lead", "trail ", "\xe4\xff", "a\tb"] as const;
const names = [
  "Content-Type",
  "Event-ID",
  "Request-ID",
  "X",
  "x-y_z",
  "~!#$%&'*+-.^_`|",
  "Cookie",
  "Date",
  "ETag",
] as const;
const spaces = ["", " ", " ", " ", "\t", "  ", " \t "] as const;
const values = [
  "application/json",
  "",
  "1",
  "a b",
  "a\tb",
  'W/"x"',
  "\x80\xff\xa0",
  "x,y ; z",
  "\u00e9:\u00e9",
  ":",
] as const;
const bodies = ["", "", "{}", '{"a":"\u00e4\u{1f3b8}"}', "\r\n\r\n", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] as const;

/** A message by the grammar, often a valid one, now and then with something nasty in it. */
export function grammarMessage(chance: Chance, kind: "request" | "response", nastiness: number): string {
  const bit = (): string => (chance.oneIn(nastiness) ? chance.pick(nasty) : "");
  const end = (): string => (chance.oneIn(4) ? "\n" : "\r\n") + bit();
  const body = chance.pick(bodies);
  const isBodyless = kind === "response" && chance.oneIn(3);
  const status = isBodyless ? chance.pick([204, 304]) : chance.pick(statuses);
  const start =
    kind === "request"
      ? `${chance.pick(methods)}${bit()} ${chance.pick(targets)}${bit()} HTTP/1.1${bit()}`
      : `HTTP/1.1${bit()} ${status}${bit()} ${chance.pick(reasons)}${bit()}`;
  let head = start + end();
  for (let count = chance.below(5); count > 0; count -= 1) {
    head += `${chance.pick(names)}${bit()}:${chance.pick(spaces)}${chance.pick(values)}${bit()}${chance.pick(spaces)}${end()}`;
  }
  const content = isBodyless ? "" : body;
  if (chance.oneIn(3)) head += `Content-Length: ${new TextEncoder().encode(content).length}${end()}`;
  return head + end() + content;
}

/** A text as the bytes of a binary frame: the head's octets, the body in UTF-8. Beyond U+00FF a head's octet is cut. */
export function bytesOfText(text: string): Uint8Array {
  const split = /\n\r?\n/.exec(text);
  const bodyStart = split ? split.index + split[0].length : text.length;
  const head = Buffer.from(text.slice(0, bodyStart), "latin1");
  return new Uint8Array(Buffer.concat([head, Buffer.from(text.slice(bodyStart), "utf8")]));
}

const corpus = messageVectors.map(dataOf);
const textCorpus = corpus.filter((data) => typeof data === "string");
const binaryCorpus = corpus.map((data) => (typeof data === "string" ? bytesOfText(data) : data));

/** A text that was cut, doubled, spliced with another or had something nasty put in, a few times. */
export function mutatedText(chance: Chance): string {
  let text = chance.pick(textCorpus);
  for (let count = chance.below(4); count >= 0; count -= 1) {
    const at = chance.below(text.length + 1);
    const to = Math.min(text.length, at + chance.below(8));
    const other = chance.pick(textCorpus);
    text = chance.pick([
      text.slice(0, at) + chance.pick(nasty) + text.slice(at),
      text.slice(0, at) + chance.pick(nasty) + text.slice(to),
      text.slice(0, at) + text.slice(to),
      text.slice(0, to) + text.slice(at),
      text.slice(0, at) + String.fromCharCode(chance.below(0x180)) + text.slice(at + 1),
      text.slice(0, at) + other.slice(chance.below(other.length + 1)),
    ]);
  }
  return text;
}

/** The same for bytes. */
export function mutatedBytes(chance: Chance): Uint8Array {
  const bytes = [...chance.pick(binaryCorpus)];
  for (let count = chance.below(4); count >= 0; count -= 1) {
    const at = chance.below(bytes.length + 1);
    const inserted = chance.oneIn(2) ? [chance.below(256)] : [...Buffer.from(chance.pick(nasty), "latin1")];
    bytes.splice(at, chance.below(4), ...(chance.oneIn(3) ? [] : inserted));
  }
  return Uint8Array.from(bytes);
}

/** Anything: mostly mutations and grammar, some noise. */
export function anyInput(chance: Chance): Body {
  switch (chance.below(6)) {
    case 0:
    case 1:
      return mutatedText(chance);
    case 2:
      return mutatedBytes(chance);
    case 3:
      return grammarMessage(chance, chance.oneIn(2) ? "request" : "response", 8);
    case 4:
      return bytesOfText(grammarMessage(chance, chance.oneIn(2) ? "request" : "response", 8));
    default: {
      const noise = Array.from({ length: chance.below(24) }, () => chance.pick(nasty)).join("");
      return chance.oneIn(2) ? noise : Uint8Array.from({ length: chance.below(48) }, () => chance.below(256));
    }
  }
}
