import type { StreamKind } from "../../src/protocol/index.ts";
import { Followed, type Wish } from "./followed.ts";
import { Level1Connection } from "./level-1-connection.ts";
import type { Held, Reader } from "./reader.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";

/** A client at Level 1: what it follows outlives its connections. */
export class Level1Reader implements Reader {
  readonly name: string;
  readonly #surroundings: Surroundings;
  readonly #stream: StreamKind | undefined;
  readonly #own: Followed | undefined;
  readonly #followed: Map<string, Followed> = new Map();
  /** What it wants in band, on each connection anew. */
  readonly #wanted: Set<Followed> = new Set();
  #connection: Level1Connection | undefined;
  #connections = 0;
  /** True until everything wanted was asked for on this connection. */
  #owesRequests = false;
  #isRight = false;

  /** @param stream - what it has instead of a WebSocket: then nothing in band */
  constructor(surroundings: Surroundings, name: string, stream?: StreamKind) {
    this.#surroundings = surroundings;
    this.name = name;
    this.#stream = stream;
    if (stream || surroundings.random.chance(0.7)) this.#own = this.#follow(surroundings.drawTarget());
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get isCaughtUp(): boolean {
    const connection = this.#connection;
    if (!connection || this.#owesRequests) return false;
    const isPending = [...this.#followed.values()].some((followed) => connection.isPending(followed));
    const { own } = connection;
    const isOpen = !own || own.stream.entries.length > 0 || !own.stream.isActive;
    return isOpen && !isPending && connection.lines.every(({ stream }) => stream.isCaughtUp);
  }

  connect(isRight = false): void {
    this.#isRight = isRight;
    const wish = this.#own ? this.#wish(this.#own) : { fields: [], asked: Followed.asked(this.#surroundings) };
    const name = `${this.name}.${++this.#connections}`;
    this.#connection = new Level1Connection(this.#surroundings, name, this.#own, wish, this.#stream);
    this.#owesRequests = true;
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

  look(): void {
    const connection = this.#connection;
    if (!connection?.peer) return;
    if (connection.peer.closing) {
      connection.peer.resume();
      this.disconnect();
    } else if (this.#owesRequests) {
      this.#owesRequests = false;
      for (const followed of this.#wanted) this.#subscribe(connection, followed, followed.target.target);
    }
  }

  change(): void {
    const connection = this.#connection;
    const { random } = this.#surroundings;
    if (!connection?.peer || connection.peer.closing || this.#stream) return;
    const [...lines] = connection.lines;
    if (lines.length > 0 && random.chance(0.35)) {
      const { followed } = random.pick(lines);
      if (connection.isPending(followed)) return;
      this.#wanted.delete(followed);
      connection.unsubscribe(followed, { fields: [], asked: Followed.asked(this.#surroundings) });
      return;
    }
    const target = this.#surroundings.drawTarget();
    const followed = this.#followed.get(target.view.url) ?? this.#follow(target);
    if (connection.isPending(followed)) return;
    if (followed !== this.#own) this.#wanted.add(followed);
    this.#subscribe(connection, followed, target.target);
  }

  positions(): { url: string; position: number }[] {
    return (this.#connection?.lines ?? []).map(({ stream: { view, entries } }) => {
      return { url: view.url, position: entries.findLast(({ mark }) => mark)?.mark?.position ?? -1 };
    });
  }

  finish(): void {
    for (const { stream } of this.#connection?.lines ?? []) stream.isOpenAtEnd = true;
  }

  held(): Held[] {
    const lines = this.#connection?.lines ?? [];
    return lines.flatMap(({ followed: { target, replica, hasState } }) =>
      hasState ? [{ name: this.name, target, records: replica.records }] : [],
    );
  }

  #follow(target: Target): Followed {
    const followed = new Followed(this.#surroundings, target, this.#followed.size % 2 === 0);
    this.#followed.set(target.view.url, followed);
    return followed;
  }

  #wish(followed: Followed): Wish {
    return this.#isRight ? followed.wishRight() : followed.wish(this.#surroundings.random);
  }

  #subscribe(connection: Level1Connection, followed: Followed, target: string): void {
    const isThere = connection.find(followed) !== undefined;
    const wish = isThere ? { fields: [], asked: Followed.asked(this.#surroundings) } : this.#wish(followed);
    connection.subscribe(followed, wish, target);
  }
}
