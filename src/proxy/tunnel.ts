import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ExchangeControl, ExchangeHandler } from "./exchange.ts";
import { clientFields, pairs, rawText } from "./fields.ts";

const aborted = new Error("The client closed the connection.");
const notTaken = new Error("The upstream did not change protocols.");

/** What becomes of a tunnel that the upstream does not take. */
export type Refused =
  /** The upstream's answer is passed on, as any. */
  | { readonly kind: "answer"; readonly answer: () => ExchangeHandler }
  /** It is dropped, and somebody else has the client: `otherwise` is called. */
  | { readonly kind: "otherwise"; readonly otherwise: () => void; readonly waitMs: number };

function join(one: Socket, other: Socket): void {
  one.on("error", () => other.destroy());
  one.on("close", () => other.destroySoon());
  one.pipe(other);
}

/** One upgraded connection, passed through to the upstream both ways; or what comes instead. */
export class Tunnel implements ExchangeHandler {
  readonly #request: IncomingMessage;
  readonly #socket: Socket;
  readonly #head: Buffer;
  readonly #refused: Refused;
  readonly #timer: NodeJS.Timeout | undefined;
  #control: ExchangeControl | undefined;
  #answer: ExchangeHandler | undefined;
  #isOver = false;

  constructor(request: IncomingMessage, socket: Socket, head: Buffer, refused: Refused) {
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    this.#refused = refused;
    if (refused.kind === "otherwise") this.#timer = setTimeout(() => this.#giveUp(), refused.waitMs);
    socket.on("close", () => {
      if (!this.#isOver) this.#leave();
    });
  }

  onRequestStart(control: ExchangeControl): void {
    this.#control = control;
    if (this.#isOver) control.abort(aborted);
  }

  onRequestUpgrade(control: ExchangeControl, status: number, _fields: unknown, upstream: Socket): void {
    const socket = this.#socket;
    clearTimeout(this.#timer);
    this.#isOver = true;
    if (socket.destroyed) {
      upstream.destroy();
      return;
    }
    const fields = pairs(clientFields(rawText(control.rawHeaders), false));
    fields.push(["Connection", "Upgrade"], ["Upgrade", this.#request.headers.upgrade ?? ""]);
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.write(`HTTP/1.1 ${status} Switching Protocols\r\n${lines}\r\n`, "latin1");
    if (this.#head.length > 0) upstream.write(this.#head);
    join(socket, upstream);
    join(upstream, socket);
  }

  onResponseStart(control: ExchangeControl, status: number, fields: unknown, reason?: string): void {
    if (this.#refused.kind === "answer") this.#pass(control).onResponseStart(control, status, fields, reason);
    else if (status >= 200) this.#giveUp();
  }

  onResponseData(control: ExchangeControl, chunk: Buffer): void {
    this.#answer?.onResponseData(control, chunk);
  }

  onResponseEnd(control: ExchangeControl, trailers: unknown): void {
    this.#answer?.onResponseEnd(control, trailers);
  }

  onResponseError(control: ExchangeControl, error: Error): void {
    if (this.#refused.kind === "otherwise") this.#giveUp();
    else if (!this.#socket.destroyed) this.#pass(control).onResponseError(control, error);
  }

  /** What passes the upstream's plain answer on. */
  #pass(control: ExchangeControl): ExchangeHandler {
    if (!this.#answer && this.#refused.kind === "answer") {
      this.#isOver = true;
      this.#answer = this.#refused.answer();
      this.#answer.onRequestStart(control);
    }
    return this.#answer ?? this;
  }

  /** Leaves the upstream, and the client to somebody else. */
  #giveUp(): void {
    if (this.#isOver || this.#refused.kind === "answer") return;
    const { otherwise } = this.#refused;
    this.#leave();
    otherwise();
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#control?.abort(notTaken);
  }
}
