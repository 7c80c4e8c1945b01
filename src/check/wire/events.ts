import { StringDecoder } from "node:string_decoder";

/** An event of an event stream. */
export interface ServerEvent {
  readonly name: string;
  /** The value of its `id`; absent where it has none. */
  readonly id: string | undefined;
  readonly data: string;
  /** How many fields `event`, `id` and `data` it has. */
  readonly counts: Readonly<Record<string, number>>;
  /** Its lines, as they came. */
  readonly text: string;
}

/** Reads an event stream by WHATWG HTML §9.2. */
export class EventReader {
  readonly #decoder: StringDecoder = new StringDecoder("utf8");
  #rest = "";
  #lines: string[] = [];
  /** How many comments came. */
  comments = 0;
  /** The values of `retry`. */
  readonly retries: string[] = [];

  add(bytes: Buffer): ServerEvent[] {
    this.#rest += this.#decoder.write(bytes);
    const found: ServerEvent[] = [];
    // A CR at the end may be the first half of a line's end.
    for (let end = /\r\n|\r(?!$)|\n/.exec(this.#rest); end; end = /\r\n|\r(?!$)|\n/.exec(this.#rest)) {
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (line !== "") this.#lines.push(line);
      else found.push(...this.#dispatch());
    }
    return found;
  }

  #dispatch(): ServerEvent[] {
    const lines = this.#lines;
    this.#lines = [];
    const counts: Record<string, number> = {};
    const data: string[] = [];
    let name = "";
    let id: string | undefined;
    for (const line of lines) {
      const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      counts[field] = (counts[field] ?? 0) + 1;
      if (field === "") this.comments += 1;
      else if (field === "event") name = value;
      else if (field === "id") id = value;
      else if (field === "data") data.push(value);
      else if (field === "retry") this.retries.push(value);
    }
    return data.length === 0 ? [] : [{ name, id, data: data.join("\n"), counts, text: lines.join("\n") }];
  }
}

/** The message in an event, as bytes of a message; `undefined` where it has no head. */
export function messageIn({ data }: ServerEvent): Buffer | undefined {
  const end = data.indexOf("\n\n");
  if (end < 0) return undefined;
  const lines = data.slice(0, end).split("\n");
  const isCoded = /^content-transfer-encoding: *base64$/i.test(lines.at(-1) ?? "");
  const head = `${(isCoded ? lines.slice(0, -1) : lines).join("\r\n")}\r\n\r\n`;
  const body = data.slice(end + 2);
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body, isCoded ? "base64" : "utf8")]);
}
