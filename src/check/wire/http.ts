import type { Wire } from "./wire.ts";

/** A name and a value. */
export type Field = readonly [name: string, value: string];

/** An HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  /** Start line and fields, as they came. */
  readonly head: string;
}

/** The first value of a field. */
export function fieldValue(fields: readonly Field[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  return fields.find(([one]) => one.toLowerCase() === wanted)?.[1];
}

/** A head as it stands on the wire. */
export function formatHead(start: string, fields: readonly Field[]): string {
  return `${[start, ...fields.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`;
}

/** Splits a head that begins with `HTTP/1.x`. */
function parseHead(head: string): { readonly status: number; readonly fields: Field[] } {
  const [start = "", ...lines] = head.split("\r\n");
  const fields = lines.flatMap((line): Field[] => {
    const colon = line.indexOf(":");
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
  });
  return { status: Number(/^HTTP\/1\.[01] ([0-9]{3})/.exec(start)?.[1] ?? 0), fields };
}

/** Reads from a wire up to a deadline. */
class Reading {
  readonly #wire: Wire;
  readonly #endsAt: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(wire: Wire, limitMs: number) {
    this.#wire = wire;
    this.#endsAt = performance.now() + limitMs;
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#wire.read(this.#endsAt - performance.now());
    if (bytes) this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return bytes !== undefined;
  }

  async upTo(mark: string): Promise<string | undefined> {
    let at = this.#bytes.indexOf(mark);
    while (at < 0 && (await this.#more())) at = this.#bytes.indexOf(mark);
    if (at < 0) return undefined;
    return this.take(at + mark.length)
      .toString("latin1")
      .slice(0, -mark.length);
  }

  async count(length: number): Promise<Buffer> {
    while (this.#bytes.length < length && (await this.#more()));
    return this.take(length);
  }

  async all(): Promise<Buffer> {
    while (await this.#more());
    return this.take(this.#bytes.length);
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** Puts back what is not this answer's. */
  end(): void {
    this.#wire.unread(this.#bytes);
  }
}

async function chunks(reading: Reading): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt((await reading.upTo("\r\n")) ?? "0", 16);
    if (!(size > 0)) break;
    parts.push(await reading.count(size));
    await reading.upTo("\r\n");
  }
  return Buffer.concat(parts);
}

function bodyOf(reading: Reading, method: string, status: number, fields: readonly Field[]): Promise<Buffer> {
  if (method === "HEAD" || status === 101 || status === 204 || status === 304) return Promise.resolve(Buffer.alloc(0));
  if (/chunked/i.test(fieldValue(fields, "transfer-encoding") ?? "")) return chunks(reading);
  const length = fieldValue(fields, "content-length");
  return length === undefined ? reading.all() : reading.count(Number(length));
}

/** Reads an answer's head alone, and leaves the rest on the wire; `undefined` where none comes in time. */
export async function readHead(wire: Wire, limitMs: number): Promise<Omit<HttpAnswer, "body"> | undefined> {
  const reading = new Reading(wire, limitMs);
  const head = await reading.upTo("\r\n\r\n");
  reading.end();
  if (head === undefined) return undefined;
  const { status, fields } = parseHead(head);
  return status === 0 ? undefined : { status, fields, head };
}

/** Reads one answer; `undefined` where none comes in time, or something else does. Informational ones are left out. */
export async function readAnswer(wire: Wire, method: string, limitMs: number): Promise<HttpAnswer | undefined> {
  const reading = new Reading(wire, limitMs);
  for (;;) {
    const head = await reading.upTo("\r\n\r\n");
    if (head === undefined) return undefined;
    const { status, fields } = parseHead(head);
    if (status === 0) return undefined;
    if (status < 200 && status !== 101) continue;
    const body = await bodyOf(reading, method, status, fields);
    reading.end();
    return { status, fields, body, head };
  }
}
