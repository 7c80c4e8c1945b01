import {
  chooseDeltas,
  type Field,
  fieldValue,
  type HttpResponse,
  type StreamKind,
  utf8Length,
  wellKnownPath,
} from "../../src/protocol/index.ts";
import { isDelta } from "../../src/testing/index.ts";
import { ConnectionRecord } from "./connection-record.ts";
import type { Followed, Wish } from "./followed.ts";
import type { Entry } from "./history.ts";
import { LiveStream } from "./live-stream.ts";
import type { Peer, Surroundings } from "./surroundings.ts";
import { rowIn, rowsIn } from "./views.ts";

/** A subscription on this connection and what the client keeps of it. */
interface Line {
  readonly stream: LiveStream;
  readonly followed: Followed;
}

interface Pending {
  readonly method: "SUBSCRIBE" | "UNSUBSCRIBE";
  readonly followed: Followed;
  readonly wish: Wish;
}

/** One connection of a client at Level 1: sends requests, tells messages apart, records them. */
export class Level1Connection {
  readonly record: ConnectionRecord;
  readonly own: Line | undefined;
  peer: Peer | undefined;
  readonly #surroundings: Surroundings;
  readonly #lines: Map<string, Line> = new Map();
  readonly #pending: Map<string, Pending> = new Map();
  #requests = 0;
  #isOver = false;
  /** Whether deltas were asked for, at any time. */
  #takesDeltas = false;

  constructor(surroundings: Surroundings, name: string, own: Followed | undefined, wish: Wish, stream?: StreamKind) {
    this.#surroundings = surroundings;
    this.record = new ConnectionRecord(name, 1, surroundings.now);
    this.own = own && { followed: own, stream: this.#begin(own, wish, false) };
    const onMessage = (message: HttpResponse) => this.#receive(message);
    const target = own?.target.target ?? wellKnownPath;
    const accept: Field[] = own ? [own.accept(wish.fields, false)] : [];
    this.#noteAccept(accept);
    const fields = [...wish.fields, ...accept];
    void surroundings.connect({ level: 1, target, fields, onMessage, stream }).then((peer) => {
      this.peer = peer;
      if (this.#isOver) peer.disconnect();
    });
  }

  /** Every subscription that it has, in band or not. */
  get lines(): Line[] {
    const all = [...(this.own ? [this.own] : []), ...this.#lines.values()];
    return all.filter(({ stream }) => stream.isActive);
  }

  /** True where a request about it is not answered yet. */
  isPending(followed: Followed): boolean {
    return [...this.#pending.values()].some((pending) => pending.followed === followed);
  }

  find(followed: Followed): Line | undefined {
    return this.lines.find((line) => line.followed === followed);
  }

  subscribe(followed: Followed, wish: Wish, target: string): void {
    const accept = followed.accept(wish.fields, this.find(followed) !== undefined);
    this.#noteAccept([accept]);
    this.#send("SUBSCRIBE", target, [...wish.fields, accept], { method: "SUBSCRIBE", followed, wish });
  }

  unsubscribe(followed: Followed, wish: Wish): void {
    this.#send("UNSUBSCRIBE", followed.target.view.url, [], { method: "UNSUBSCRIBE", followed, wish });
  }

  end(): void {
    this.#isOver = true;
    this.#surroundings.connections.push(this.record.end(this.#surroundings.now, this.peer));
    this.peer?.disconnect();
  }

  #noteAccept(fields: readonly Field[]): void {
    this.#takesDeltas ||= chooseDeltas(fields).takesDeltas;
  }

  #send(method: string, target: string, fields: readonly Field[], pending: Pending): void {
    const id = String(++this.#requests);
    this.#pending.set(id, pending);
    this.peer?.request(method, target, [["Request-ID", id], ...fields]);
  }

  #begin(followed: Followed, wish: Wish, isInBand: boolean): LiveStream {
    const readsBefore = this.#surroundings.reads;
    const stream = new LiveStream(this.record, followed.target.view, wish.asked, { isInBand, readsBefore });
    this.#surroundings.streams.push(stream);
    return stream;
  }

  #receive(message: HttpResponse): void {
    if (this.#isOver) return;
    const { record, own } = this;
    record.signs.push(this.#surroundings.now);
    const requestId = fieldValue(message.fields, "request-id");
    const label = fieldValue(message.fields, "subscription");
    if (requestId !== undefined) this.#answer(requestId, label, message);
    else if (label !== undefined) this.#takeFor(this.#lines.get(label), message);
    else if (message.status === 304) this.#bookmark(message);
    else if (own || record.signs.length > 1) this.#takeFor(own, message);
  }

  /** A 304 without a name: the handshake's own, and once that is caught up everyone's that is. */
  #bookmark(message: HttpResponse): void {
    const own = this.own?.stream.isActive ? this.own : undefined;
    const wasCaughtUp = own?.stream.isCaughtUp ?? true;
    if (own) this.#take(own, message, wasCaughtUp ? { isShared: true } : {});
    if (own && !own.stream.isCaughtUp) return;
    const epoch = this.#mark(message)?.epoch;
    for (const line of this.#lines.values()) {
      const last = line.stream.entries.findLast(({ mark }) => mark)?.mark;
      if (line.stream.isActive && line.stream.isCaughtUp && last?.epoch === epoch) {
        this.#take(line, message, { isShared: true });
      }
    }
  }

  #answer(id: string, label: string | undefined, message: HttpResponse): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending) {
      this.record.strays.push(`an answer to ${id}`);
      return;
    }
    const { followed, method, wish } = pending;
    const line = this.find(followed);
    if (method === "UNSUBSCRIBE") {
      if (message.status === 204 && line) line.stream.isActive = false;
      return;
    }
    if (message.status < 400 && label !== followed.target.view.url) {
      this.record.strays.push(`${message.status} for ${label} in answer to a SUBSCRIBE ${followed.target.target}`);
    } else if (line && message.status < 400) {
      this.#take(line, message, { isAnswer: true });
    } else if (!line) {
      const begun: Line = { followed, stream: this.#begin(followed, wish, true) };
      this.#lines.set(followed.target.view.url, begun);
      this.#take(begun, message);
    }
  }

  #takeFor(line: Line | undefined, message: HttpResponse): void {
    if (line?.stream.isActive) this.#take(line, message);
    else this.record.strays.push(`${message.status} ${JSON.stringify(message.fields)}`);
  }

  /** The message as a whole; notes what must not be told by a delta [R-DELTA-1] [R-DELTA-6]. */
  #wholeOf({ stream, followed }: Line, message: HttpResponse): HttpResponse | undefined {
    if (!isDelta(message)) return message;
    const whole = followed.wholeOf(message);
    this.record.deltas += 1;
    if (!whole) this.record.strays.push(`a delta of ${JSON.stringify(message.fields)} that does not fit`);
    if (!this.#takesDeltas) this.record.strays.push("a delta that nobody asked for");
    if (!stream.isCaughtUp) this.record.strays.push("a delta before it is caught up");
    return whole;
  }

  #take(line: Line, given: HttpResponse, flags: Partial<Entry> = {}): void {
    const { stream, followed } = line;
    const message = this.#wholeOf(line, given);
    if (!message) return;
    if (stream.entries.length === 0) stream.settleAsked(this.#surroundings);
    stream.take({ ...this.#entry(stream, message), ...flags }, this.#surroundings.reads);
    // The answer to a second SUBSCRIBE stands outside of what it may interrupt, unless it gives a position.
    if (!flags.isAnswer || this.#mark(message)) followed.take(message);
    const isRecordGone = message.status === 204 && stream.view.record !== undefined;
    const isRefused = message.status >= 300 && message.status !== 304;
    if (isRefused) followed.forget();
    if (isRefused || isRecordGone) stream.isActive = false;
  }

  #mark({ fields }: HttpResponse): Entry["mark"] {
    const eventId = fieldValue(fields, "event-id");
    return eventId === undefined ? undefined : this.#surroundings.mark(eventId);
  }

  #entry({ view, asked, entries }: LiveStream, message: HttpResponse): Entry {
    const { status, fields, body } = message;
    const url = fieldValue(fields, "content-location");
    const eventId = fieldValue(fields, "event-id");
    const mark = this.#mark(message);
    if (status === 200) {
      this.record.largestSnapshotBytes = Math.max(this.record.largestSnapshotBytes, utf8Length(String(body)) + 512);
    }
    if (status === 304 && entries.length === 0 && asked.lastEventId === undefined && asked.held === undefined) {
      this.record.strays.push("a 304 that opens what nothing was held of");
    }
    return {
      at: this.#surroundings.now,
      head: this.#surroundings.horizon,
      status,
      ...(url === undefined ? {} : { url }),
      ...(eventId === undefined ? {} : { eventId }),
      ...(mark ? { mark } : {}),
      ...(status === 200 ? { rows: rowsIn(view, String(body)) } : {}),
      ...(status === 201 || status === 202 ? { row: rowIn(JSON.parse(String(body))) } : {}),
    };
  }
}
