import { randomBytes } from "node:crypto";
import { skip } from "../fault.ts";
import { type Field, fieldValue, type HttpAnswer } from "../wire/http.ts";
import { jsonOf, type Message } from "../wire/messages.ts";
import { type ItemsField, resolve, rowUrl } from "./items.ts";

/** The request that `--write` gives: what to send to make a change. `{random}` in its body is another text each time. */
export interface WritePlan {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** A record that was made for a case. */
export interface Written {
  readonly url: string;
  /** Tells whether a notification is about it, by the text that it was given. */
  readonly isIn: (message: Message) => boolean;
  readonly row: Readonly<Record<string, unknown>>;
  readonly answer: HttpAnswer;
}

/** What a writer needs. */
export interface WriterParts {
  readonly send: (method: string, target: string, body: string, fields?: readonly Field[]) => Promise<HttpAnswer>;
  /** Whether it may write at all, and by which request; `default` makes a record like those that are there. */
  readonly plan: WritePlan | "default" | undefined;
  readonly target: string;
  readonly items: ItemsField | undefined;
  readonly rows: readonly unknown[];
}

type Row = Record<string, unknown>;

function isOk({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** Names of members by which a URL is made: the server gives them. */
function keysOf(template = ""): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => decodeURIComponent(name));
}

/** Makes changes to the resource, where that was allowed, and takes its records away afterwards. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #made: Set<string> = new Set();
  /** Records that nobody knows where to find, in words. */
  readonly #lost: string[] = [];

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Where records are made. */
  get collection(): string {
    const { plan, target } = this.#parts;
    return typeof plan === "object" ? plan.target : (target.split("?")[0] ?? target);
  }

  /** Makes a record. @throws Skip where that may not be, or can't */
  async create(fields: readonly Field[] = []): Promise<Written> {
    const { plan, rows } = this.#parts;
    if (plan === undefined) skip("It needs a change, and --write was not given.");
    if (typeof plan === "object" && plan.method !== "POST")
      skip(`It makes a record, and --write has a ${plan.method}.`);
    if (plan === "default" && rows.length === 0) skip("There is no record to take as a pattern: give --write a POST.");
    const refusals: string[] = [];
    for (const { body, marker } of this.bodies()) {
      const answer = await this.#parts.send("POST", this.collection, body, fields);
      if (isOk(answer)) return await this.#written(answer, JSON.parse(body) as Row, marker);
      refusals.push(`${answer.status} ${answer.body.toString("utf8").slice(0, 200)}`);
    }
    skip(
      `No record could be made by POST ${this.collection}: ${refusals[0]}. Give one that works: --write 'POST /path {…}'.`,
    );
  }

  /** The bodies that may make a record, the likeliest first, each with a text that only it has. */
  *bodies(): Generator<{ readonly body: string; readonly marker: string | undefined }> {
    const { plan, items, rows } = this.#parts;
    const marker = `rocket-check-${randomBytes(6).toString("hex")}`;
    if (typeof plan === "object") {
      const body = plan.body.replaceAll("{random}", marker);
      yield { body, marker: body === plan.body ? undefined : marker };
      return;
    }
    const link = items?.link === undefined ? [] : [items.link.slice(1)];
    const left = new Set([...keysOf(items?.url), ...link, "id", "url"]);
    const pattern = Object.entries((rows.at(-1) ?? {}) as Row).filter(([name]) => !left.has(name));
    // One member is enough to know it by; which one may be any text, nobody says.
    for (const [name, value] of pattern) {
      if (typeof value !== "string") continue;
      yield { body: JSON.stringify({ ...Object.fromEntries(pattern), [name]: marker }), marker };
    }
    yield { body: JSON.stringify(Object.fromEntries(pattern)), marker: undefined };
  }

  /** Changes a record. @throws Skip where it can't be */
  async change(written: Written): Promise<HttpAnswer> {
    // A text that is a part of the record's URL is its key.
    const isKey = (text: string) => written.url.includes(encodeURIComponent(text));
    const name = Object.keys(written.row).find((key) => {
      const value = written.row[key];
      return typeof value === "string" && !isKey(value);
    });
    if (name === undefined) skip("The record has no text that could be changed.");
    const change = { [name]: `${String(written.row[name])} changed` };
    const patched = await this.#parts.send("PATCH", written.url, JSON.stringify(change));
    if (isOk(patched)) return patched;
    const put = await this.#parts.send("PUT", written.url, JSON.stringify({ ...written.row, ...change }));
    if (isOk(put)) return put;
    skip(`The record could not be changed: PATCH was answered ${patched.status}, PUT ${put.status}.`);
  }

  /** Takes a record away. @throws Skip where it can't be */
  async destroy({ url }: Written): Promise<HttpAnswer> {
    const answer = await this.#parts.send("DELETE", url, "");
    if (!isOk(answer)) skip(`The record could not be deleted: DELETE was answered ${answer.status}.`);
    this.#made.delete(url);
    return answer;
  }

  /** Makes some change. @throws Skip where that may not be */
  async poke(): Promise<HttpAnswer> {
    const { plan, send } = this.#parts;
    if (typeof plan !== "object" || plan.method === "POST") return (await this.create()).answer;
    const [first] = this.bodies();
    const answer = await send(plan.method, plan.target, first?.body ?? plan.body);
    if (!isOk(answer)) skip(`The change of --write was answered ${answer.status}.`);
    return answer;
  }

  /** Takes away what was made. @returns what is still there: URLs, or what it is known by */
  async cleanUp(): Promise<string[]> {
    const left: string[] = this.#lost.splice(0);
    for (const url of this.#made) {
      const { status } = await this.#parts.send("DELETE", url, "");
      if (status >= 400 && status !== 404 && status !== 410) left.push(url);
    }
    this.#made.clear();
    return left;
  }

  async #written(answer: HttpAnswer, row: Row, marker: string | undefined): Promise<Written> {
    const url = this.#urlIn(answer) ?? (await this.#urlInList(marker));
    if (url === undefined) {
      // Whoever reads the report has to take it away.
      this.#lost.push(marker === undefined ? `one made by POST ${this.collection}` : `the one with ${marker}`);
      skip("Neither the answer to the POST nor the list says where the record is.");
    }
    this.#made.add(url);
    // Without a text of its own, it is the next record that comes.
    const isIn = ({ text, status }: Message) => status < 204 && (marker === undefined || text.includes(marker));
    return { url, answer, row, isIn };
  }

  /** The record's URL by the answer to its POST: a field, or the record in it, alone or in a member. */
  #urlIn(answer: HttpAnswer): string | undefined {
    const named = fieldValue(answer.fields, "location") ?? fieldValue(answer.fields, "content-location");
    if (named !== undefined) return pathOf(named, this.collection);
    const document = jsonOf(answer);
    const inside = typeof document === "object" && document !== null ? Object.values(document) : [];
    const { record } = this.#parts.items ?? {};
    const places = [...(record === undefined ? [] : [resolve(document, record)]), document, ...inside];
    for (const row of places) {
      const url = this.#urlOfRow(row);
      if (url !== undefined) return url;
    }
    const { id } = (places.find((row) => typeof row === "object" && row !== null && "id" in row) ?? {}) as Row;
    return id === undefined ? undefined : `${this.collection}/${String(id)}`;
  }

  /** The record's URL by the row of the list that has its text. */
  async #urlInList(marker: string | undefined): Promise<string | undefined> {
    if (marker === undefined) return undefined;
    const { items, send, target } = this.#parts;
    const rows = resolve(jsonOf(await send("GET", target, "")), items?.list);
    const row = Array.isArray(rows) ? rows.find((one) => JSON.stringify(one).includes(marker)) : undefined;
    return this.#urlOfRow(row);
  }

  /** A row's URL by what the list says of its rows, else by a link of its own. */
  #urlOfRow(row: unknown): string | undefined {
    if (typeof row !== "object" || row === null) return undefined;
    const { items, target } = this.#parts;
    const made = items && rowUrl(items, row, target);
    if (made !== undefined && !made.includes("#")) return made;
    const { url, href, self } = row as Row;
    const link = [url, href, self].find((one) => typeof one === "string");
    return typeof link === "string" ? pathOf(link, this.collection) : undefined;
  }
}

/** A link as path and query; `undefined` where it is none. */
function pathOf(link: string, target: string): string | undefined {
  const base = `http://host.invalid${target}`;
  if (!URL.canParse(link, base)) return undefined;
  const { pathname, search } = new URL(link, base);
  return pathname + search;
}
