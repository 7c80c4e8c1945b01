import {
  type Body,
  decodeResponse,
  encodeRequest,
  type Field,
  fieldValue,
  type HttpResponse,
} from "../../../src/protocol/index.ts";
import type { Connection, Framing, Transport } from "../../../src/server/index.ts";
import { targets, whoIs } from "./leak-app.ts";

/** A body that was written to somebody. */
export interface Sent {
  /** The connection. */
  readonly peer: unknown;
  readonly who: string;
  readonly target: string;
  readonly message: HttpResponse;
  /** The records that this subscription was shown before. */
  readonly known: ReadonlySet<string>;
  /** The user whom the connection's subscription is for. */
  readonly fields: readonly Field[];
}

interface Followed {
  fields: readonly Field[];
  readonly known: Set<string>;
}

const encoder = new TextEncoder();

/** Length and text, one after another. */
const framing: Framing = {
  frame(message: Body) {
    const bytes = typeof message === "string" ? encoder.encode(message) : message;
    const framed = new Uint8Array(bytes.length + 4);
    new DataView(framed.buffer).setUint32(0, bytes.length);
    framed.set(bytes, 4);
    return framed;
  },
};

/** A client that looks at what is written to it in the moment when it is written, whether it reads or not. */
export class LeakPeer implements Transport {
  readonly framing: Framing = framing;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly address: string;
  unsentBytes = 0;
  takenBytes = 0;
  isClosed = false;
  connection: Connection | undefined;
  readonly followed: Map<string, Followed> = new Map();
  /** Positions that were told, by target. */
  readonly positions: Map<string, string> = new Map();
  readonly #onSent: (sent: Sent) => void;
  readonly #asked: Map<string, { readonly target: string; readonly fields: readonly Field[] }> = new Map();
  #isPaused = false;
  #nextId = 1;

  constructor(target: string, fields: readonly Field[], address: string, onSent: (sent: Sent) => void) {
    this.target = target;
    this.fields = fields;
    this.address = address;
    this.#onSent = onSent;
    this.followed.set(target, { fields, known: new Set() });
  }

  write(bytes: Uint8Array): void {
    if (this.isClosed) return;
    if (this.#isPaused) this.unsentBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      this.#take(decodeResponse(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length))));
      at += 4 + length;
    }
  }

  ping(): void {}

  close(): void {
    this.isClosed = true;
  }

  abort(): void {
    this.disconnect();
  }

  setReading(): void {}

  subscribe(target: string, own: readonly Field[]): void {
    const id = `r${this.#nextId++}`;
    const replaced = own.some(([name]) => name === "Authorization") ? "authorization" : "";
    const kept = this.fields.filter(([name]) => name.toLowerCase() !== replaced);
    this.#asked.set(id, { target, fields: [...kept, ...own] });
    this.#request("SUBSCRIBE", target, [["Request-ID", id], ...own]);
  }

  unsubscribe(target: string): void {
    this.#request("UNSUBSCRIBE", target, [["Request-ID", `r${this.#nextId++}`]]);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.takenBytes += this.unsentBytes;
    this.unsentBytes = 0;
    this.connection?.drained();
  }

  disconnect(): void {
    this.isClosed = true;
    this.connection?.closed();
  }

  #request(method: string, target: string, fields: readonly Field[]): void {
    if (!this.isClosed) this.connection?.receive(encodeRequest({ method, target, fields }));
  }

  #take(message: HttpResponse): void {
    const asked = this.#asked.get(fieldValue(message.fields, "request-id") ?? "");
    const target = fieldValue(message.fields, "subscription") ?? asked?.target ?? this.target;
    if (asked && (message.status === 200 || message.status === 304)) {
      const known = this.followed.get(target)?.known ?? new Set();
      this.followed.set(target, { fields: asked.fields, known });
    }
    const followed = this.followed.get(target);
    const fields = asked?.fields ?? followed?.fields ?? this.fields;
    const known = followed?.known ?? new Set<string>();
    this.#onSent({ peer: this, who: whoIs(fields, this.address), target, message, known, fields });
    this.#learn(target, message, known);
  }

  #learn(target: string, { status, fields, body }: HttpResponse, known: Set<string>): void {
    const eventId = fieldValue(fields, "event-id");
    if (eventId !== undefined) this.positions.set(target, eventId);
    if (status === 201) known.add((fieldValue(fields, "content-location") ?? "").replace("#", "/"));
    if (status !== 200) return;
    known.clear();
    if (targets[target] === "record") known.add(target);
    else for (const { id } of JSON.parse(String(body)) as { id: number }[]) known.add(`${target}/${id}`);
  }
}
