import { createProblem, type Field, fieldValue, formatItems, problemResponse } from "../../src/protocol/index.ts";
import { createHub, type Hub, type OriginRequest, type OriginResponse } from "../../src/server/index.ts";
import { createMemoryStore, type MemoryStore, type Random, type StoredRow } from "../../src/testing/index.ts";
import type { Network } from "./network.ts";

/** What a service is like. */
export interface ServiceOptions {
  readonly flavour: "direct" | "derived";
  /** Whether it keeps the promise of Idempotency-Key. */
  readonly isIdempotent: boolean;
  /** Whether it wants a token. */
  readonly wantsToken: boolean;
  /** Whether it offers streams over plain HTTP. */
  readonly hasStreams: boolean;
  /** How many subscriptions a connection may have. Default: the hub's. */
  readonly maxSubscriptions?: number | undefined;
}

interface Request {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: string;
}

/** @param before - the row as it was before the write */
export type Overtaking = (name: string, id: number, before: StoredRow | undefined) => void;

type Columns = Readonly<Record<string, string | number | null>>;

const json: Field = ["Content-Type", "application/json"];

function problem(status: number, ...fields: Field[]): Answer {
  const { body, fields: own } = problemResponse(createProblem(status, `It is ${status}.`));
  return { status, fields: [...own, ...fields], body: String(body) };
}

function tagOf(target: string, body: string): string {
  const { tag = `destroy ${target}` } = body === "" ? {} : (JSON.parse(body) as Columns);
  return String(tag);
}

/** A REST service over a store, with a hub in front of it, that does what a test tells it to. */
export class Service {
  readonly store: MemoryStore;
  readonly options: ServiceOptions;
  /** How often each own write was carried out, by its tag; what was refused. */
  readonly applied: Map<string, number> = new Map();
  readonly refused: Set<string> = new Set();
  /** The tags of writes that came with a token that is none. */
  readonly turnedAway: Set<string> = new Set();
  token = "t0";
  /** Answers to give instead, first come first served: to subscriptions, and to writes. */
  readonly refuseReads: Answer[] = [];
  readonly refuseWrites: Answer[] = [];
  /** What every read is refused with, over HTTP as well. */
  turnsAway: number | undefined;
  /** What whoever follows this URL is told for a while, and whether GETs of it are as well. */
  putsOff: { readonly target: string; readonly answer: Answer; readonly alsoGets: boolean } | undefined;
  /** Whether the answer to a create says where the record is. */
  tellsLocation = true;
  /** What others do right after own writes, first come first served, ahead of every look. */
  readonly overtakings: Overtaking[] = [];
  /** The URLs of records that were destroyed, and that somebody created again. */
  readonly revived: Set<string> = new Set();
  /** Whether the id of the newest record that was destroyed is that of the next one, as in SQLite. */
  reusesIds = false;
  /** The path at and below which documents are cut off in their midst. */
  spoiled: string | undefined;
  /** How long the document that a look found is on its way to the hub. */
  lookMs = 0;
  /** How often a GET of the well-known URL is answered with 503. */
  refusePromises = 0;
  readonly #network: Network;
  readonly #random: Random;
  readonly #keys: Map<string, Answer> = new Map();
  #version = 0;
  #nextId = 1;

  constructor(network: Network, options: ServiceOptions) {
    this.#network = network;
    this.#random = network.random;
    this.options = options;
    this.store = createMemoryStore({ collections: ["a", "b"], segment: "m", maxChanges: 500 });
  }

  /** Starts a hub. */
  start(): Hub {
    const { flavour, isIdempotent, hasStreams, maxSubscriptions } = this.options;
    const hub = createHub({
      origin: (request) => this.#origin(request),
      clock: this.#network.clock,
      promises: isIdempotent ? ["idempotency-key"] : [],
      hasStreams,
      limits: maxSubscriptions === undefined ? {} : { maxSubscriptions },
      ...(flavour === "direct" ? { journal: this.store.journal } : { derived: { coalesceMs: 20, refreshMs: 5_000 } }),
      onError: (error) => {
        throw error;
      },
    });
    this.#network.hub = hub;
    return hub;
  }

  /** Writes in one transaction, as somebody else. */
  write(changes: readonly { readonly name: string; readonly id?: number; readonly columns?: Columns }[]): void {
    const urls = changes.map(({ name, id }) => (id === undefined ? `/${name}` : `/${name}/${id}`));
    for (const { name, id, columns } of changes) if (columns) this.#noteRevived(name, id);
    this.store.transaction((writer) => {
      for (const { name, id, columns } of changes) {
        if (!columns && id !== undefined) writer.remove(name, id);
        else if (columns) writer.put(name, this.#row(name, id ?? this.#newId(name), columns));
      }
    });
    this.#network.hub?.changed(urls);
  }

  /** Makes a record what it was before, version and all: who did not look meanwhile sees no difference. */
  restore(name: string, id: number, before: StoredRow | undefined): void {
    // What tells each change shows that it went back.
    if (this.options.flavour === "direct" && before) return;
    if (before) this.#noteRevived(name, id);
    this.store.transaction((writer) => {
      if (before) writer.put(name, before);
      else writer.remove(name, id);
    });
    this.#network.hub?.changed([`/${name}/${id}`]);
  }

  rows(name: string): readonly StoredRow[] {
    return this.store.rows(name);
  }

  /** The rows that a GET of the target returns now; `undefined` where there is nothing. */
  expected(target: string): readonly StoredRow[] | undefined {
    const [path = "", query = ""] = target.split("?");
    const [, name = "", id] = path.split("/");
    const wanted = [...new URLSearchParams(query)];
    const rows = this.rows(name).filter(
      (row) =>
        (id === undefined || row.id === Number(id)) && wanted.every(([key, value]) => String(row[key]) === value),
    );
    return id !== undefined && rows.length === 0 ? undefined : rows;
  }

  /** Answers a request over HTTP. */
  async answer({ method, target, headers, body }: Request): Promise<Answer> {
    const { hub, kind } = this.#network;
    if (this.options.wantsToken && target !== "/.well-known/rocket" && !this.#isAllowed(headers.get("authorization"))) {
      if (method !== "GET") this.turnedAway.add(tagOf(target, body));
      return problem(401);
    }
    if (target === "/.well-known/rocket") {
      if (this.refusePromises > 0) {
        this.refusePromises -= 1;
        return problem(503);
      }
      const known = kind === "level-1" && hub ? hub.wellKnown() : undefined;
      return known ? { status: 200, fields: known.fields, body: String(known.body) } : problem(404);
    }
    if (method !== "GET") return this.#answerWrite({ method, target, headers, body });
    if (this.turnsAway !== undefined) return problem(this.turnsAway);
    if (this.putsOff?.alsoGets && this.putsOff.target === target) return this.putsOff.answer;
    const {
      status,
      fields,
      body: content,
      view: _view,
    } = this.#spoil(target, await this.store.origin({ method, target, fields: [], body: "" }));
    const etag = fieldValue(fields, "etag");
    if (etag !== undefined && etag === headers.get("if-none-match")) return { status: 304, fields: [json], body: "" };
    const own = kind === "level-1" ? fields : fields.filter(([name]) => name !== "Items");
    return { status, fields: own, body: String(content) };
  }

  #spoil(target: string, answer: OriginResponse): OriginResponse {
    const isSpoiled = this.spoiled !== undefined && target.startsWith(this.spoiled);
    return isSpoiled ? { ...answer, status: 200, fields: [json, ...answer.fields], body: '{"b":[' } : answer;
  }

  #isAllowed(authorization: string | null | undefined): boolean {
    return authorization === `Bearer ${this.token}`;
  }

  /** What the hub asks. */
  async #origin(request: OriginRequest): Promise<OriginResponse> {
    const { wantsToken, flavour } = this.options;
    if (wantsToken && !this.#isAllowed(fieldValue(request.fields, "authorization"))) {
      return this.#network.count("401 for a subscription") ? problem(401) : new Promise(() => {});
    }
    const refusal = this.turnsAway === undefined ? this.refuseReads.shift() : problem(this.turnsAway);
    if (refusal) return refusal;
    if (this.putsOff?.target === request.target) return this.putsOff.answer;
    const answer = this.#spoil(request.target, await this.store.origin(request));
    const { latencyMs, clock } = this.#network;
    const latency = latencyMs();
    const ms = latency > 0 && this.#random.chance(0.3) ? latency : this.lookMs;
    if (ms > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, ms));
    const { view, ...rest } = answer;
    if (flavour === "derived") return rest;
    const isList = view !== undefined && view.record === undefined;
    return isList ? { ...answer, fields: [...answer.fields, ["Item-Order", "id.asc"]] } : answer;
  }

  #answerWrite({ method, target, headers, body }: Request): Answer {
    const key = headers.get("idempotency-key");
    const known = key === null ? undefined : this.#keys.get(key);
    if (known && this.options.isIdempotent) return known;
    const values = body === "" ? {} : (JSON.parse(body) as Columns);
    const tag = tagOf(target, body);
    const refusal = this.refuseWrites.shift();
    if (refusal) {
      // Only "later" puts it off: a 500 is the server's own word on a write, as a 422 is.
      if (refusal.status !== 503) this.refused.add(tag);
      return refusal;
    }
    const answer = this.#carryOut(method, target, headers, values);
    if (answer.status >= 300) this.refused.add(tag);
    else {
      this.applied.set(tag, (this.applied.get(tag) ?? 0) + 1);
      if (key !== null) this.#keys.set(key, answer);
    }
    return answer;
  }

  #carryOut(method: string, target: string, headers: Headers, values: Columns): Answer {
    const [, name = "", text] = target.split("/");
    const id = text === undefined ? this.#newId(name) : Number(text);
    const before = this.rows(name).find((row) => row.id === id);
    if (method !== "POST" && !before) return problem(404);
    const match = headers.get("if-match");
    if (match !== null && before && match !== this.etag(before)) return problem(412);
    const { id: _id, ...old } = before ?? { id: 0 };
    const row = this.#row(name, id, { ...(old as Columns), ...values });
    const { eventId } = this.store.transaction((writer) => {
      if (method === "DELETE") writer.remove(name, id);
      else writer.put(name, row);
    });
    this.overtakings.shift()?.(name, id, before);
    this.#network.hub?.changed(method === "POST" ? [`/${name}`, `/${name}/${id}`] : [`/${name}/${id}`]);
    const position: Field[] =
      this.options.flavour === "direct" && this.#random.chance(0.8) ? [["Event-ID", eventId]] : [];
    if (method === "DELETE") return { status: 204, fields: position, body: "" };
    const items: Field[] = this.#random.chance(0.5) ? [["Items", formatItems({ record: "/record" })]] : [];
    const place: Field[] = this.tellsLocation ? [["Location", `/${name}/${id}`]] : [];
    const fields = [json, ...position, ...items, ...place];
    return {
      status: method === "POST" ? 201 : 200,
      fields,
      body: JSON.stringify({ record: row }),
    };
  }

  #noteRevived(name: string, id: number | undefined): void {
    if (id !== undefined && !this.rows(name).some((row) => row.id === id)) this.revived.add(`/${name}/${id}`);
  }

  #newId(name: string): number {
    if (!this.reusesIds) return this.#nextId++;
    return Math.max(0, ...this.rows(name).map(({ id }) => id)) + 1;
  }

  #row(_name: string, id: number, columns: Columns): StoredRow {
    this.#version += 1;
    // What stays as it is: deltas leave it out.
    const unchanged = id % 2 === 0 ? { unchanged: "c".repeat(120) } : {};
    return { color: "red", size: 1, tag: null, ...unchanged, ...columns, id, v: this.#version };
  }

  /** The validator that a GET of the record gives. */
  etag(row: StoredRow): string {
    const body = JSON.stringify({ record: row });
    let hash = 0x811c9dc5;
    for (let at = 0; at < body.length; at += 1) hash = Math.imul(hash ^ body.charCodeAt(at), 0x01000193) >>> 0;
    return `"${hash.toString(36)}-${body.length.toString(36)}"`;
  }
}

/** An answer that refuses. */
export const refusal: (status: number, ...fields: Field[]) => Answer = problem;
