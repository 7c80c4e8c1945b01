import {
  type Body,
  decodeResponse,
  fieldValue,
  type HttpResponse,
  notificationKind,
  ProtocolError,
  silenceMs,
} from "../protocol/index.ts";
import type { Clock } from "../server/index.ts";
import { Batch } from "./batch.ts";
import type { Dial, Dialing, Ending, Link } from "./link.ts";

/** How long a server has for its first message before it counts as one of Level 0. */
const firstMessageMs = 10_000;

/** What a session tells. */
export interface SessionListener {
  /** The level is known. At Level 1 this is right before the first message. */
  settled(level: 0 | 1, first: HttpResponse | undefined): void;
  /** A message that can be shown. */
  message(message: HttpResponse): void;
  /** The connection is over. `problem` is the one that came before the end. */
  ended(ending: Ending, problem: HttpResponse | undefined): void;
}

/** What a session needs. */
export interface SessionOptions {
  readonly dialing: Dialing;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly listener: SessionListener;
}

/** One connection: finds out its level, reads its messages, and notices when it has died. */
export class Session {
  readonly #clock: Clock;
  readonly #listener: SessionListener;
  readonly #link: Link;
  readonly #batch: Batch = new Batch();
  #level: 0 | 1 | undefined;
  #isProbing = false;
  #isOver = false;
  #cancelFirst: () => void = () => {};
  #cancelSilence: () => void = () => {};

  constructor({ dialing, dial, clock, listener }: SessionOptions) {
    this.#clock = clock;
    this.#listener = listener;
    this.#link = dial(dialing, {
      opened: () => this.#opened(dialing.level),
      received: (data) => this.#received(data),
      pinged: () => this.#heard(),
      ended: (ending) => this.#end(ending),
    });
  }

  /** Ends the connection; the listener hears nothing more. */
  stop(): void {
    this.#finish();
    this.#link.close(1000);
  }

  #opened(offered: 0 | 1): void {
    if (this.#isOver) return;
    if (offered === 0) this.#settle(0);
    else this.#cancelFirst = this.#clock.setTimer(() => this.#settle(0), firstMessageMs);
    this.#heard();
  }

  #received(data: Body): void {
    if (this.#isOver) return;
    try {
      this.#take(decodeResponse(data));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#link.close(error.closeCode);
      this.#end({ kind: "garbled", reason: `a message is no HTTP message of this protocol: ${error.message}` });
    }
  }

  #take(message: HttpResponse): void {
    const kind = notificationKind(message.status);
    const isChange = kind === "enter" || kind === "change" || kind === "leave";
    // A naive server echoes any subprotocol: only its first message tells [R-L1-3].
    if (this.#level === undefined) this.#settle(isChange ? 0 : 1, message);
    this.#heard();
    const isShown = (one: HttpResponse): void => {
      if (!this.#isOver) this.#listener.message(one);
    };
    if (this.#level === 0) isShown(message);
    else this.#batch.add(message).forEach(isShown);
    if (kind === "problem" && fieldValue(message.fields, "Request-ID") === undefined) this.#problem(message);
  }

  #problem(message: HttpResponse): void {
    if (this.#isOver) return;
    this.#link.close(1000);
    this.#end({ kind: "closed", code: 4000 + message.status, reason: message.reason }, message);
  }

  #settle(level: 0 | 1, first?: HttpResponse): void {
    this.#cancelFirst();
    this.#level = level;
    this.#listener.settled(level, first);
  }

  #heard(): void {
    this.#isProbing = false;
    this.#watch();
  }

  #watch(): void {
    this.#cancelSilence();
    if (!this.#isOver) this.#cancelSilence = this.#clock.setTimer(() => this.#silent(), silenceMs);
  }

  /** Level 1 promises messages; at Level 0 a server may be silent for ever, so it is asked for a pong. */
  #silent(): void {
    if (this.#level === 0 && !this.#isProbing) {
      this.#isProbing = true;
      this.#link.ping();
      this.#watch();
      return;
    }
    this.#link.abandon();
    this.#end({ kind: "closed", code: 1006, reason: "nothing came for too long" });
  }

  #end(ending: Ending, problem?: HttpResponse): void {
    if (this.#isOver) return;
    this.#finish();
    this.#listener.ended(ending, problem);
  }

  #finish(): void {
    this.#isOver = true;
    this.#cancelFirst();
    this.#cancelSilence();
  }
}
