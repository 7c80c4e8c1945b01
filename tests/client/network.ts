import { decodeResponse, encodeResponse, type Field, fieldValue } from "../../src/protocol/index.ts";
import {
  type Connection,
  framesIn,
  type Handshake,
  type Hub,
  type Transport,
  webSocketFraming,
} from "../../src/server/index.ts";
import type { FakeClock, Random } from "../../src/testing/index.ts";
import type { FakeStream } from "./fake-stream.ts";

/** What lies between clients and the server, and what it does to them. */
export interface Network {
  readonly clock: FakeClock;
  readonly random: Random;
  /** Who answers; `undefined` while the server is down. */
  hub: Hub | undefined;
  /** `level-0` refuses subprotocols, `naive` echoes any and means none. */
  kind: "level-1" | "level-0" | "naive";
  isOffline: boolean;
  /** WebSockets don't pass; requests do. */
  isBlocked: boolean;
  /** Handshakes of WebSockets are answered by nobody, and don't fail; requests pass. */
  isHanging: boolean;
  latencyMs: () => number;
  readonly sockets: Set<FakeSocket>;
  /** Streams that are open. */
  readonly streams: Set<FakeStream>;
  /** Something on the way gives out no answer before it has all of it. */
  isBuffering: boolean;
  /** What clients sent in sockets. */
  readonly sent: string[];
  /** Called with each message before it arrives: gives what arrives instead. */
  mangle: (data: string | Uint8Array) => readonly (string | Uint8Array)[];
  /** Told of each connection that is made. */
  handshaken(): void;
  /** Counts what a client asks for; gives false where that is more than any has reason to. */
  count(what: string): boolean;
}

/** A WebSocket as browsers have it, over a network that a test rules. */
export class FakeSocket implements Transport {
  readonly framing: Transport["framing"] = webSocketFraming;
  readonly unsentBytes: number = 0;
  readonly takenBytes: number = 0;
  readyState = 0;
  protocol = "";
  binaryType = "blob";
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  readonly target: string;
  readonly level: 0 | 1;
  /** True from when on nothing passes, and nobody is told. */
  isDead = false;
  connection: Connection | undefined;
  /** Subscriptions that the world ends, by the id of its own request. */
  readonly endings: Map<string, { readonly status: number; readonly fields: readonly Field[] }> = new Map();
  readonly #network: Network;
  #down = 0;
  #up = 0;

  constructor(network: Network, url: string, protocols: readonly string[]) {
    this.#network = network;
    const { pathname, search } = new URL(url);
    this.target = pathname + search;
    this.level = protocols.length > 0 && network.kind === "level-1" ? 1 : 0;
    network.sockets.add(this);
    if (network.count("a handshake")) this.#later("up", () => void this.#shake(protocols));
  }

  /** What the server does. */
  write(bytes: Uint8Array): void {
    for (const { isText, payload } of framesIn(bytes)) {
      const data = isText ? new TextDecoder().decode(payload) : payload.slice();
      for (const one of this.#instead(data)) this.deliver(one);
    }
  }

  ping(): void {}

  setReading(): void {}

  abort(): void {
    this.fail(1006);
  }

  /** Both sides close by this name: the server with a reason. */
  close(code = 1000, reason?: string): void {
    if (reason !== undefined) this.fail(code);
    else if (this.readyState < 2) {
      this.readyState = 2;
      this.#later("up", () => {
        this.#over(code);
        this.connection?.closed();
      });
      // A browser waits for the answer of the other side, but not for ever.
      if (this.isDead) this.#over(1006);
    }
  }

  /** What the client does. */
  send(data: string | Uint8Array): void {
    if (this.readyState !== 1) throw new Error("The socket is not open.");
    this.#network.sent.push(String(data));
    this.#later("up", () => this.connection?.receive(data));
  }

  /** Brings something to the client, as a message of the server. */
  deliver(data: string | Uint8Array): void {
    this.#later("down", () => {
      if (this.readyState !== 1) return;
      if (typeof data !== "string" && this.binaryType !== "arraybuffer") throw new Error("A Blob would arrive.");
      this.onmessage?.({ data: typeof data === "string" ? data : data.slice().buffer });
    });
  }

  /** Ends it from the server's side; what was sent before still arrives. */
  fail(code: number): void {
    this.connection?.closed();
    this.#later("down", () => this.#over(code));
  }

  #instead(data: string | Uint8Array): readonly (string | Uint8Array)[] {
    if (this.level === 0) return [data];
    const message = decodeResponse(data);
    const ending = this.endings.get(fieldValue(message.fields, "request-id") ?? "");
    if (!ending) return this.#network.mangle(data);
    if (message.status !== 204) return [];
    const subscription = fieldValue(message.fields, "subscription") ?? "";
    const fields: Field[] = [["Subscription", subscription], ...ending.fields];
    return [encodeResponse({ status: ending.status, reason: "", fields, body: "" })];
  }

  async #shake(protocols: readonly string[]): Promise<void> {
    const { hub, isOffline, isBlocked, isHanging, kind } = this.#network;
    if (isHanging) return;
    if (!hub || isOffline || isBlocked) {
      this.fail(1006);
      return;
    }
    if (protocols.length > 0 && kind === "level-0") {
      // Chrome fails a handshake whose subprotocol is not echoed.
      this.fail(1006);
      return;
    }
    const isNaive = kind === "naive" && this.target === "/.well-known/rocket";
    const handshake: Handshake = { level: this.level, target: this.target, fields: [["Host", "example.com"]] };
    if (!isNaive && this.level === 0) {
      const opening = await hub.authorise(handshake);
      if (opening.kind === "refused") {
        this.fail(1006);
        return;
      }
      this.#open("");
      this.connection = hub.connect(this, handshake, opening);
      return;
    }
    this.#open(protocols[0] ?? "");
    if (isNaive) return;
    this.connection = hub.connect(this, handshake);
    this.#network.handshaken();
  }

  #open(protocol: string): void {
    this.#later("down", () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.protocol = protocol;
      this.onopen?.({});
    });
  }

  #over(code: number): void {
    if (this.readyState === 3) return;
    const wasOpening = this.readyState === 0;
    this.readyState = 3;
    this.#network.sockets.delete(this);
    if (wasOpening || code === 1006) this.onerror?.({});
    this.onclose?.({ code });
  }

  /** In order on each way, after some time. */
  #later(way: "up" | "down", action: () => void): void {
    const { clock, latencyMs } = this.#network;
    const at = Math.max(clock.now() + latencyMs(), way === "up" ? this.#up : this.#down);
    if (way === "up") this.#up = at;
    else this.#down = at;
    clock.setTimer(() => {
      if (!this.isDead) action();
    }, at - clock.now());
  }

  /** From now on nothing passes, and nobody is told: the client closes it, or the server, or nobody. */
  die(): void {
    this.isDead = true;
    this.connection?.closed();
    // At Level 0 only the platform notices, after a while.
    if (this.level === 0) this.#network.clock.setTimer(() => this.#over(1006), 5_000);
  }
}

/** The constructor of sockets on a network. */
export function socketsOn(network: Network): new (url: string, protocols?: string[]) => WebSocket {
  const open = function openSocket(url: string, protocols: string[] = []): FakeSocket {
    return new FakeSocket(network, url, protocols);
  };
  return open as unknown as new (
    url: string,
    protocols?: string[],
  ) => WebSocket;
}
