import { readFileSync } from "node:fs";

/** What RFC 6455 says in the sections that cases are about. */
const rfc6455: Readonly<Record<string, string>> = {
  "RFC6455-4.1": "The client must send a handshake with a Sec-WebSocket-Key of 16 random bytes and version 13.",
  "RFC6455-4.2.1": "A server must refuse a handshake that is not one, or of another version.",
  "RFC6455-4.2.2":
    "The server must answer with Upgrade, Connection and a Sec-WebSocket-Accept that is made of the key.",
  "RFC6455-5.1": "A client must mask all frames, a server none; who gets one that is wrong must close.",
  "RFC6455-5.2": "Reserved bits and opcodes must not be used unless an extension gives them a meaning.",
  "RFC6455-5.4": "The fragments of a message must not be interleaved with those of another.",
  "RFC6455-5.5": "All control frames must have a payload of 125 bytes or less and must not be fragmented.",
  "RFC6455-5.5.1": "A close frame must be answered by one, and nothing may be sent behind it.",
  "RFC6455-5.5.2": "A ping must be answered by a pong with the same payload.",
  "RFC6455-7.4": "Only codes that are defined or registered, and 3000 to 4999, may be in a close frame.",
  "RFC6455-8.1": "A text that is not valid UTF-8 must fail the connection.",
};

/** The paragraphs of the specification by their ids, each as one line. */
function paragraphs(): Map<string, string> {
  const text = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
  const found = new Map<string, string>();
  for (const paragraph of text.split(/\n\n/)) {
    const [, id, rest = ""] = /^\*\*\[(R-[A-Z0-9]+-[0-9]+)\]\*\* ([\s\S]*)$/.exec(paragraph) ?? [];
    if (id !== undefined) found.set(id, rest.replaceAll("\n", " "));
  }
  return found;
}

/** What requirements say, from the specification that comes with this package. */
export class Requirements {
  readonly #texts: Map<string, string>;

  constructor() {
    this.#texts = new Map([...paragraphs(), ...Object.entries(rfc6455)]);
  }

  /** The text of a requirement; empty where there is none. */
  textOf(id: string): string {
    return this.#texts.get(id) ?? "";
  }

  /** Every id of PROTOCOL.md, in order. */
  get ids(): string[] {
    return [...this.#texts.keys()].filter((id) => id.startsWith("R-"));
  }
}
