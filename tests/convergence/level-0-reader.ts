import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { Replica } from "../../src/testing/index.ts";
import { ConnectionRecord } from "./connection-record.ts";
import { Followed } from "./followed.ts";
import { LiveStream } from "./live-stream.ts";
import type { Held, Reader } from "./reader.ts";
import type { Peer, Surroundings } from "./surroundings.ts";
import { rowIn, type Target } from "./views.ts";

/** How far apart pings are looked for. */
const pingSampleMs = 5_000;

/** One connection of a Level 0 client: the messages wait until the GET that follows the opening is answered. */
class Level0Connection {
  readonly record: ConnectionRecord;
  readonly stream: LiveStream;
  readonly records: Map<string, string> = new Map();
  peer: Peer | undefined;
  hasState = false;
  /** Whether the GET had no answer of the database's: the server went, or the database was on its way back. */
  hasFailed = false;
  isRecord: boolean;
  #pings = 0;
  #isOver = false;
  readonly #surroundings: Surroundings;
  readonly #waiting: HttpResponse[] = [];

  constructor(surroundings: Surroundings, name: string, target: Target) {
    this.#surroundings = surroundings;
    this.isRecord = target.view.record !== undefined;
    this.record = new ConnectionRecord(name, 0, surroundings.now, pingSampleMs);
    this.stream = new LiveStream(this.record, target.view, Followed.asked(surroundings));
    surroundings.streams.push(this.stream);
    void this.#open(target);
  }

  /** Notes that something came: a ping, seen by its count. */
  sample(): void {
    const pings = this.peer?.pings ?? 0;
    if (pings > this.#pings) this.record.signs.push(this.#surroundings.now);
    this.#pings = pings;
  }

  end(): void {
    this.#isOver = true;
    this.stream.isActive = false;
    this.#surroundings.connections.push(this.record.end(this.#surroundings.now, this.peer));
    this.peer?.disconnect();
  }

  async #open({ target, view }: Target): Promise<void> {
    const onMessage = (message: HttpResponse) => this.#receive(message);
    const peer = await this.#surroundings.connect({ level: 0, target, fields: [], onMessage });
    this.peer = peer;
    if (this.#isOver) {
      peer.disconnect();
      return;
    }
    if (peer.closing) return;
    const { head, isHeadExact } = this.#surroundings;
    const response = await this.#surroundings.get(target);
    if (!response || response.status >= 500) {
      this.hasFailed = true;
      return;
    }
    const eventId = fieldValue(response.fields, "event-id");
    const position = eventId === undefined ? undefined : this.#surroundings.mark(eventId)?.position;
    const openedHead = position ?? (isHeadExact ? head : undefined);
    if (openedHead !== undefined) this.stream.openedHead = openedHead;
    if (response.status === 200) {
      const snapshot = new Replica(view.url);
      snapshot.take(response);
      for (const [url, text] of snapshot.records) this.records.set(url, text);
    }
    this.hasState = true;
    for (const message of this.#waiting) this.#apply(message);
  }

  #receive(message: HttpResponse): void {
    if (this.#isOver) return;
    const { status, fields, body } = message;
    const at = this.#surroundings.now;
    this.record.signs.push(at);
    const url = fieldValue(fields, "content-location");
    const row = status === 201 || status === 202 ? { row: rowIn(JSON.parse(String(body))) } : {};
    const names = fields.map(([name]) => name).join();
    if (names !== "Content-Type,Content-Location") this.record.strays.push(`a message with ${names}`);
    this.stream.entries.push({ at, head: this.#surroundings.horizon, status, ...(url ? { url } : {}), ...row });
    if (this.hasState) this.#apply(message);
    else this.#waiting.push(message);
  }

  #apply({ status, fields, body }: HttpResponse): void {
    const url = fieldValue(fields, "content-location") ?? "";
    const document: unknown = status === 204 ? undefined : JSON.parse(String(body));
    if (status === 204) this.records.delete(url);
    else this.records.set(url, JSON.stringify(this.isRecord ? document : Object.values(document as object)[0]));
  }
}

/** A client at Level 0: opens, GETs, and applies what comes; after any close, or a GET that fails, it does so again. */
export class Level0Reader implements Reader {
  readonly name: string;
  readonly #surroundings: Surroundings;
  readonly #target: Target;
  #connection: Level0Connection | undefined;
  #connections = 0;

  constructor(surroundings: Surroundings, name: string) {
    this.#surroundings = surroundings;
    this.name = name;
    this.#target = surroundings.drawTarget();
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get isCaughtUp(): boolean {
    return this.#connection === undefined || this.#connection.hasState;
  }

  connect(): void {
    this.#connection = new Level0Connection(this.#surroundings, `${this.name}.${++this.#connections}`, this.#target);
  }

  disconnect(): void {
    this.#connection?.end();
    this.#connection = undefined;
  }

  pause(): void {
    const connection = this.#connection;
    if (!connection?.peer) return;
    connection.record.isSteady = false;
    connection.peer.pause();
  }

  resume(): void {
    this.#connection?.peer?.resume();
  }

  change(): void {
    // A Level 0 client has nothing to say; what it says all the same is ignored.
    this.#connection?.peer?.send("hello");
  }

  look(): void {
    this.#connection?.sample();
    const { peer, hasFailed = false } = this.#connection ?? {};
    if (!hasFailed && peer?.closing === undefined) return;
    peer?.resume();
    this.disconnect();
  }

  positions(): { url: string; position: number }[] {
    return [];
  }

  finish(): void {
    if (this.#connection) this.#connection.stream.isOpenAtEnd = this.#connection.stream.isActive;
  }

  held(): Held[] {
    const { name } = this;
    const connection = this.#connection;
    return connection?.hasState ? [{ name, target: this.#target, records: connection.records }] : [];
  }
}
