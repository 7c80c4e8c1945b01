import { type Field, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import type { Hub } from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer, Replica } from "../../../src/testing/index.ts";
import { openWebSocket } from "../../convergence/web-socket-peer.ts";

/** Whoever looks. */
export interface Looker {
  readonly name: string;
}

/** What each viewer was shown by a GET when, as a count of transitions. */
export interface ShownHistory<Viewer extends Looker> {
  /** How many transitions were begun, and how many are known to be committed. */
  readonly begun: number;
  readonly committed: number;
  documentNow(viewer: Viewer, target: string): string;
  /** The first moment from `since` on at which a GET would have shown the viewer this; `undefined`: none until now. */
  momentOf(viewer: Viewer, target: string, since: number, isIt: (document: string) => boolean): number | undefined;
}

/** Connects to a server process; each message goes to `onMessage`. */
export type Connect = (
  target: string,
  fields: readonly Field[],
  onMessage: (message: HttpResponse) => void,
) => Promise<{ disconnect(): void }>;

/** Connects to a hub in this process. */
export function connectTo(hub: Hub): Connect {
  return (target, fields, onMessage): Promise<MemoryPeer> => connectMemoryPeer(hub, target, { fields, onMessage });
}

/** Connects to a server at a URL. */
export function connectToUrl(url: string): Connect {
  return (target, given, onMessage) => {
    const fields = given.filter(([name]) => name !== "Host");
    return openWebSocket(url, { level: 1, target, fields, onMessage }, () => undefined);
  };
}

interface Shown {
  readonly id: number;
  readonly text: string;
}

function rowIn(value: unknown): Shown {
  const record = value as Partial<Shown>;
  return record.id === undefined ? (Object.values(value as object)[0] as Shown) : (record as Shown);
}

function rowsIn({ status, body }: HttpResponse): string[] {
  const value: unknown = JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  const list = status === 200 ? Object.values(value as object).find(Array.isArray) : undefined;
  return (list ?? [value]).map(rowIn).map(({ id, text }: Shown) => `${id}:${text}`);
}

/**
 * One viewer's subscription, held against what its own GETs would have shown:
 *
 * - Each row that comes was in a document that the viewer's GET gave at a moment since the last one that was told.
 * - Wherever a batch ends, all that the viewer has is such a document, and never an older one than was told before.
 * - What is said to be gone was there.
 * - A refusal is one that a GET would have met.
 */
export class LeakFollower<Viewer extends Looker = Looker> {
  readonly viewer: Viewer;
  readonly target: string;
  readonly faults: string[] = [];
  messages = 0;
  /** What came last, to be told with a fault. */
  readonly #last: string[] = [];
  /** The viewer's rights and rows were at least so new when the last message was made. */
  #since = 0;
  /** What was committed when it opened: once it is caught up, it has that. Until then it may go on from where it was. */
  #openedAt = 0;
  #replica: Replica;
  /** The URLs of what it was told, whether the batch has ended or not. */
  #told: Set<string> = new Set();
  #connection: { disconnect(): void } | undefined;
  /** Counts openings: what an earlier connection still brings is nobody's. */
  #opening = 0;
  #ended: string | undefined;
  readonly #history: ShownHistory<Viewer>;
  /** What it shows of itself when it opens. */
  who: Field;

  constructor(history: ShownHistory<Viewer>, viewer: Viewer, target: string, who: Field) {
    this.#history = history;
    this.viewer = viewer;
    this.target = target;
    this.who = who;
    this.#replica = this.#newReplica();
  }

  /** What came last, in words. */
  get last(): string {
    return `  ${this.#last.join("\n  ")}`;
  }

  /** What it has: rows, or the status by which it ended. */
  get document(): string {
    if (this.#ended !== undefined) return this.#ended;
    const rows = [...this.#replica.records.values()].map((text) => rowIn(JSON.parse(text)));
    return rows
      .toSorted((one, other) => one.id - other.id)
      .map(({ id, text }) => `${id}:${text}`)
      .join(" ");
  }

  /** Whether it has what a GET shows now. */
  get isCurrent(): boolean {
    const now = this.#history.documentNow(this.viewer, this.target);
    return this.document === now && (this.#ended !== undefined || this.#replica.isCaughtUp);
  }

  /** Whether it was refused, or its record is gone. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Follows the target at a process, from where it was. */
  async open(connect: Connect): Promise<void> {
    this.#connection?.disconnect();
    if (this.hasEnded) this.#replica = this.#newReplica();
    this.#ended = undefined;
    this.#opening += 1;
    const opening = this.#opening;
    this.#replica.disconnected();
    this.#openedAt = this.#history.committed;
    this.#told = new Set(this.#replica.records.keys());
    const { position } = this.#replica;
    const fields: Field[] = [["Host", "example.com"], this.who];
    if (position !== undefined) fields.push(["Last-Event-ID", position]);
    this.#connection = await connect(this.target, fields, (message) => {
      if (opening === this.#opening) this.#take(message);
    });
  }

  #newReplica(): Replica {
    return new Replica(this.target.split("?")[0] ?? "");
  }

  #take(message: HttpResponse): void {
    const { status } = message;
    this.messages += 1;
    this.#last.push(`${this.#opening}: ${status} ${String(message.body)}`);
    if (this.#last.length > 12) this.#last.shift();
    if (status >= 400) {
      this.#refuse(status);
      return;
    }
    if (status === 200) this.#since = Math.max(this.#since, this.#openedAt);
    if (status === 200 || status === 201 || status === 202)
      for (const row of rowsIn(message)) this.#checkRow(row, status);
    const url = fieldValue(message.fields, "content-location") ?? this.target;
    if (status === 201 || status === 202) this.#told.add(url);
    if (status === 204 && !this.#told.delete(url)) this.#fault(`the end of what it does not have: ${url}`);
    this.#replica.take(message);
    if (status === 200) this.#told = new Set(this.#replica.records.keys());
    if (this.#replica.isCaughtUp) this.#since = Math.max(this.#since, this.#openedAt);
    if (this.#replica.isGone) this.#end("404");
    else if (status === 200 || status === 304 || fieldValue(message.fields, "event-id") !== undefined)
      this.#checkAll(status);
  }

  #refuse(status: number): void {
    this.#since = Math.max(this.#since, this.#openedAt);
    // What passes by itself says nothing.
    if (status >= 500) this.#ended = String(status);
    else this.#end(String(status));
  }

  #end(document: string): void {
    this.#ended = document;
    this.#expect(`the end by ${document}`, (shown) => shown === document);
  }

  #checkAll(status: number): void {
    const { document } = this;
    this.#expect(`after a ${status}: ${document}`, (shown) => shown === document);
  }

  #checkRow(row: string, status: number): void {
    const { viewer, target } = this;
    if (this.#history.momentOf(viewer, target, this.#since, (shown) => shown.split(" ").includes(row)) !== undefined)
      return;
    this.#fault(`by a ${status}: ${row}`);
  }

  /** Moves to the first moment at which a GET would have shown that. */
  #expect(what: string, isIt: (document: string) => boolean): void {
    const moment = this.#history.momentOf(this.viewer, this.target, this.#since, isIt);
    if (moment === undefined) this.#fault(what);
    else this.#since = moment;
  }

  #fault(what: string): void {
    const { begun } = this.#history;
    this.faults.push(
      `${this.viewer.name} at ${this.target}, from ${this.#since} to ${begun}, was shown ${what}\n${this.last}`,
    );
  }
}
