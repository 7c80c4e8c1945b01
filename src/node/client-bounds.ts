import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { createProblem, type Field, type HttpResponse, problemResponse } from "../protocol/index.ts";
import type { Clock, HubLimits } from "../server/index.ts";
import { sha256 } from "./sha256.ts";

/** Where a client is, and who says so. */
export interface ClientAddress {
  /** An IP address; anything else is nobody's. */
  readonly address: string | undefined;
  /** True where a front that is believed has said it. Else it may be a front's own. */
  readonly isTold: boolean;
}

/** What is read of a request to find out where its client is. */
export type AddressedRequest = Pick<IncomingMessage, "headers" | "socket">;

/** Where the transport says that a client is: it may be a front. */
export function transportAddress({ socket }: Pick<IncomingMessage, "socket">): ClientAddress {
  return { address: socket.remoteAddress, isTold: false };
}

const minuteMs = 60_000;
/** What a client is told to wait, in seconds: connections end at any time, a minute at its end. */
const retryAfter = { connections: 10, handshakes: 60 } as const;
/** More addresses than these are not remembered within a minute. */
const mostAddresses = 100_000;

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const read = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(head), tail === undefined ? [] : read(tail)];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array.from({ length: zeros }, () => 0), ...last];
}

/**
 * What counts as one client's address: an IPv4 address, the first half of an IPv6 one, since whoever has one has all of
 * that; `undefined` where it is none.
 */
export function networkOf(address: string): string | undefined {
  const [bare = ""] = address.toLowerCase().split("%");
  const four = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (four !== undefined) return isIP(four) === 4 ? four : undefined;
  if (isIP(bare) !== 6) return undefined;
  // An IPv4 address at the end stands for two groups, which are not of the network.
  const six = bare.includes(".") ? `${bare.slice(0, bare.lastIndexOf(":"))}:0:0` : bare;
  const network = groupsOf(six).slice(0, 4);
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}

const innerNetworks =
  /^(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

/** True for what a front in the same house would have: counted, it would stand for all its clients. */
function isInner(network: string): boolean {
  return innerNetworks.test(network) || /^(?:0:0:0:0|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/.test(network);
}

/** The network that stands for one client alone, as far as is known; `undefined` where it may stand for many. */
export function clientNetwork({ address = "", isTold }: ClientAddress): string | undefined {
  const network = networkOf(address);
  return network === undefined || (!isTold && isInner(network)) ? undefined : network;
}

function tooMany(detail: string, seconds: number): HttpResponse {
  return problemResponse(createProblem(429, detail), [["Retry-After", String(seconds)]]);
}

/** Counts what there is of each name. */
class Tally {
  readonly #counts: Map<string, number> = new Map();

  of(name: string | undefined): number {
    return name === undefined ? 0 : (this.#counts.get(name) ?? 0);
  }

  add(name: string | undefined, change: 1 | -1): void {
    if (name === undefined) return;
    const count = this.of(name) + change;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }

  get size(): number {
    return this.#counts.size;
  }

  clear(): void {
    this.#counts.clear();
  }
}

/** Bounds the WebSockets and streams of one address, and of one who shows the same credentials [R-SEC-14]. */
export class ClientBounds {
  readonly #limits: Pick<
    HubLimits,
    "maxConnectionsPerAddress" | "maxConnectionsPerCredential" | "maxHandshakesPerMinute"
  >;
  readonly #clock: Clock;
  readonly #ofAddress: Tally = new Tally();
  readonly #ofCredential: Tally = new Tally();
  readonly #handshakes: Tally = new Tally();
  #minuteEndsAt = 0;

  constructor(limits: HubLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts one who comes in. Gives the refusal, or what is to be called once the connection is gone; twice is fine. */
  enter(address: ClientAddress, fields: readonly Field[]): HttpResponse | (() => void) {
    const { maxConnectionsPerAddress, maxConnectionsPerCredential } = this.#limits;
    const counted = clientNetwork(address);
    const credential = maxConnectionsPerCredential > 0 ? credentialOf(fields) : undefined;
    const handshakes = this.#refuseHandshakes(counted);
    if (handshakes) return handshakes;
    if (maxConnectionsPerAddress > 0 && this.#ofAddress.of(counted) >= maxConnectionsPerAddress) {
      return tooMany("There are as many connections from this address as the server takes.", retryAfter.connections);
    }
    if (credential !== undefined && this.#ofCredential.of(credential) >= maxConnectionsPerCredential) {
      return tooMany(
        "There are as many connections with these credentials as the server takes.",
        retryAfter.connections,
      );
    }
    this.#ofAddress.add(counted, 1);
    this.#ofCredential.add(credential, 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#ofAddress.add(counted, -1);
      this.#ofCredential.add(credential, -1);
    };
  }

  #refuseHandshakes(network: string | undefined): HttpResponse | undefined {
    const { maxHandshakesPerMinute } = this.#limits;
    if (maxHandshakesPerMinute === 0 || network === undefined) return undefined;
    const now = this.#clock.now();
    if (now >= this.#minuteEndsAt || this.#handshakes.size >= mostAddresses) {
      this.#handshakes.clear();
      this.#minuteEndsAt = now + minuteMs;
    }
    this.#handshakes.add(network, 1);
    if (this.#handshakes.of(network) <= maxHandshakesPerMinute) return undefined;
    return tooMany("This address opens more connections in a minute than the server takes.", retryAfter.handshakes);
  }
}

/** Names those who show the same `Authorization` and `Cookie`; `undefined` where there are none. */
function credentialOf(fields: readonly Field[]): string | undefined {
  const shown = fields.filter(([name]) => /^(?:authorization|cookie)$/i.test(name)).map(([, value]) => value);
  return shown.length === 0 ? undefined : Buffer.from(sha256(JSON.stringify(shown))).toString("base64");
}
