import { randomBytes } from "node:crypto";
import { isDelta, Replica } from "../../src/check/server/replica.ts";
import { Assembler } from "../../src/check/wire/assembler.ts";
import { closePayload, encodeFrame, FrameReader, opcodes } from "../../src/check/wire/frames.ts";
import { type Field, fieldValue, formatHead, readAnswer } from "../../src/check/wire/http.ts";
import { fieldOf, type Message, readMessage } from "../../src/check/wire/messages.ts";
import { addressOf, Wire } from "../../src/check/wire/wire.ts";
import { type Following, type Place, speed } from "./harness.ts";

/** What a client may get wrong. */
export type Mistake =
  | "forgets its position"
  | "invents a position"
  | "applies before the mark"
  | "moves its position by a 304 within a batch"
  | "keeps what no mark followed over a 200"
  | "keeps records over a 200"
  | "takes no 202 for what it does not have"
  | "ends at an unknown status"
  | "refuses binary"
  | "refuses LF"
  | "takes garbage"
  | "takes changes of no record"
  | "does not mask"
  | "comes back after everything"
  | "never comes back"
  | "comes back at once"
  | "does not look at Retry-After"
  | "waits for ever"
  | "sorts as JavaScript does"
  | "does not look at Item-Index"
  | "takes a delta for the record"
  | "applies any delta"
  | "does not come back for whole records"
  | "opens two connections at each refusal"
  | "trusts the echo";

const fatal = new Set([1000, 1002, 1003, 1007, 1009, 4408, 4413, 4429]);
const lasting = new Set([4408, 4413, 4429]);

/** A small client by the book, but for one mistake. It follows one URL by handshakes at it. */
export class ScriptedClient implements Following {
  readonly #url: URL;
  readonly #mistake: Mistake | undefined;
  #replica: Replica;
  #pending: Message[] = [];
  #position: string | undefined;
  #level: 0 | 1 = 1;
  #tries = 0;
  #isStopped = false;
  /** True once a delta did not fit. */
  #hasMisfit = false;
  #wire: Wire | undefined;
  #timers: NodeJS.Timeout[] = [];

  constructor({ url }: Place, mistake?: Mistake) {
    this.#url = new URL(url);
    this.#mistake = mistake;
    this.#replica = new Replica(this.#url.pathname);
    void this.#connect();
  }

  rows(): readonly unknown[] {
    if (!this.#does("sorts as JavaScript does")) return this.#replica.rows;
    const rank = (row: unknown) => String((row as { rank?: unknown }).rank);
    return this.#replica.rows.sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#wire?.destroy();
  }

  #does(mistake: Mistake): boolean {
    return this.#mistake === mistake;
  }

  #after(callback: () => void, protocolMs: number): void {
    this.#timers.push(setTimeout(() => !this.#isStopped && callback(), protocolMs / speed));
  }

  async #connect(): Promise<void> {
    const fields: Field[] = [
      ["Host", this.#url.host],
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", randomBytes(16).toString("base64")],
    ];
    if (this.#level === 1) fields.push(["Sec-WebSocket-Protocol", "rocket.v1"]);
    const position = this.#does("invents a position") && this.#position ? "c9:9.9" : this.#position;
    if (position !== undefined && !this.#does("forgets its position")) fields.push(["Last-Event-ID", position]);
    if (!this.#hasMisfit) fields.push(["Accept", "application/json, application/merge-patch+json"]);
    const wire = await Wire.open(addressOf(this.#url), 5_000).catch((error: unknown) => {
      if (!this.#isStopped) throw error;
    });
    // The check may have ended meanwhile.
    if (!wire) return;
    this.#wire = wire;
    wire.write(formatHead(`GET ${this.#url.pathname} HTTP/1.1`, fields));
    const answer = await readAnswer(wire, "GET", 5_000);
    const echo = answer && fieldValue(answer.fields, "sec-websocket-protocol");
    if (this.#level === 1 && echo !== "rocket.v1" && !this.#does("trusts the echo")) {
      this.#level = 0;
      wire.destroy();
      void this.#connect();
    } else await this.#listen(wire);
  }

  async #listen(wire: Wire): Promise<void> {
    const frames = new FrameReader();
    const assembler = new Assembler("server");
    let last: Message | undefined;
    this.#pending = [];
    for (;;) {
      const limitMs = (last || this.#level === 0 ? 27_000 : 10_000) / speed;
      const bytes = await wire.read(this.#does("waits for ever") ? 2 ** 30 : limitMs);
      if (this.#isStopped) return;
      if (!bytes && !wire.isEnded && !last) return this.#fallBack();
      if (!bytes) return this.#ended(1006, undefined, wire);
      for (const frame of frames.add(bytes)) {
        const event = assembler.add(frame);
        if (event.kind === "ping") this.#write(wire, opcodes.pong, event.payload);
        else if (event.kind === "close") return this.#ended(event.code, last, wire);
        else if (event.kind === "message") {
          const message = readMessage(event.bytes, event.isText, "response");
          if (this.#isRefused(message)) return this.#refuse(wire);
          if (!last && this.#level === 1 && message.status < 300 && message.status !== 200) {
            if (!this.#does("trusts the echo")) return this.#fallBack();
          }
          last = message;
          this.#take(message);
        }
      }
    }
  }

  #write(wire: Wire, opcode: number, payload: Buffer): void {
    wire.write(encodeFrame({ opcode, payload, ...(this.#does("does not mask") ? { mask: "none" as const } : {}) }));
  }

  #isRefused(message: Message): boolean {
    if (this.#does("takes garbage")) return false;
    if (this.#does("ends at an unknown status") && message.status === 226) return true;
    if (this.#does("refuses binary") && !message.isText) return true;
    const isOfNone = [201, 202, 204].includes(message.status) && fieldOf(message, "content-location") === undefined;
    if (isOfNone && this.#replica.isList && !this.#does("takes changes of no record")) return true;
    return message.flaws.some(({ requirement }) => {
      // A receiver takes LF, though a sender may not send it.
      return requirement !== "R-MSG-4" || this.#does("refuses LF");
    });
  }

  #refuse(wire: Wire): void {
    this.#write(wire, opcodes.close, closePayload(1002));
    wire.socket.end();
  }

  /** Level 0, whatever was echoed: the snapshot is the client's to GET. */
  #fallBack(): void {
    this.#wire?.destroy();
    if (!this.#does("trusts the echo")) void fetch(this.#url).then((answer) => answer.text());
  }

  #take(message: Message): void {
    const { status } = message;
    const position = fieldOf(message, "event-id");
    if (status === 304) {
      const isWithin = this.#pending.length > 0 && !this.#does("moves its position by a 304 within a batch");
      if (!isWithin) this.#position = position ?? this.#position;
      return;
    }
    if (status === 200) {
      if (!this.#does("keeps what no mark followed over a 200")) this.#pending = [];
      this.#position = position;
      this.#apply(message);
      return;
    }
    if (status !== 226) this.#pending.push(message);
    if (position === undefined && !this.#does("applies before the mark")) return;
    const batch = this.#pending.splice(0);
    if (!this.#does("applies any delta") && !batch.every((one) => this.#replica.fits(one))) {
      this.#hasMisfit = true;
      this.#isStopped ||= this.#does("does not come back for whole records");
      this.#wire?.destroy();
      return;
    }
    this.#position = position ?? this.#position;
    for (const one of batch) this.#apply(one);
  }

  #apply(message: Message): void {
    const url = fieldOf(message, "content-location") ?? "";
    if (message.status === 202 && this.#does("takes no 202 for what it does not have") && !this.#replica.has(url))
      return;
    if (message.status === 200 && this.#does("keeps records over a 200") && this.#replica.rows.length > 0) return;
    const without = this.#does("does not look at Item-Index") ? "item-index" : "";
    const fields = message.fields.filter(([name]) => name.toLowerCase() !== without);
    if (!isDelta(message) || !this.#does("takes a delta for the record")) this.#replica.apply({ ...message, fields });
    else this.#replica.apply({ ...message, fields: fields.filter(([name]) => !/^content-type$/i.test(name)) });
  }

  #ended(code: number, last: Message | undefined, wire: Wire): void {
    wire.destroy();
    const isFatal = fatal.has(code) || (code >= 4300 && code < 4500);
    const stops =
      (isFatal && !lasting.has(code) && !this.#does("comes back after everything")) || this.#does("never comes back");
    if (stops) return;
    const askedMs = Number(fieldOf(last ?? ({ fields: [] } as never), "retry-after") ?? 0) * 1_000;
    const ownMs = this.#does("comes back at once") ? 0 : Math.random() * 500 * 2 ** this.#tries;
    this.#tries += 1;
    if (this.#does("opens two connections at each refusal")) void this.#connect();
    this.#after(
      () => void this.#connect(),
      this.#does("does not look at Retry-After") ? ownMs : Math.max(ownMs, askedMs),
    );
  }
}
