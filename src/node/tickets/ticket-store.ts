import { randomBytes } from "node:crypto";
import type { Field } from "../../protocol/index.ts";
import type { Clock } from "../../server/index.ts";
import { sha256 } from "../sha256.ts";

/** How long a ticket may be used, in milliseconds. */
export const ticketMs = 30_000;

/**
 * What all tickets may hold together in bytes, and those of one address; how many are there of one who shows the same credentials.
 */
const bounds = { bytes: 4 * 1024 * 1024, perAddress: 1024 * 1024, perOwner: 100 } as const;
/** About what a ticket costs beside its texts. */
const ticketBytes = 500;

/** What a ticket is good for: one request for this, from there. */
export interface TicketUse {
  readonly host: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** The web origin of the page that asks; empty for the host's own. */
  readonly page: string;
}

interface Ticket extends TicketUse {
  /** The credentials that it stands for. */
  readonly fields: readonly Field[];
  readonly owner: string;
  /** From where it was asked for, where that is one client's address. */
  readonly network: string | undefined;
  readonly bytes: number;
  readonly endsAt: number;
}

function digestOf(text: string): string {
  return Buffer.from(sha256(text)).toString("base64");
}

/** The tickets of this process. They are found by their hashes, so that how long that takes says nothing of them. */
export class TicketStore {
  readonly #clock: Clock;
  /** By their hashes, those first that end first. */
  readonly #tickets: Map<string, Ticket> = new Map();
  readonly #counts: Map<string, number> = new Map();
  readonly #bytesOf: Map<string, number> = new Map();
  #bytes = 0;
  #isSweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#tickets.size;
  }

  /**
   * Makes one. Gives the status where there is no room: 429 where it is that client's, else 503.
   *
   * @param network - from where it is asked for, where that is one client's address
   */
  mint(use: TicketUse, fields: readonly Field[], network?: string): string | 429 | 503 {
    this.#sweep();
    const owner = digestOf(JSON.stringify(fields));
    const texts = [use.host, use.target, use.page, ...fields.flat()];
    const bytes = texts.reduce((sum, text) => sum + 2 * text.length, ticketBytes);
    const count = this.#counts.get(owner) ?? 0;
    const bytesThere = network === undefined ? 0 : (this.#bytesOf.get(network) ?? 0);
    if (count >= bounds.perOwner || bytesThere + bytes > bounds.perAddress) return 429;
    if (this.#bytes + bytes > bounds.bytes) return 503;
    const ticket = randomBytes(32).toString("base64url");
    const endsAt = this.#clock.now() + ticketMs;
    this.#tickets.set(digestOf(ticket), { ...use, fields, owner, network, bytes, endsAt });
    if (network !== undefined) this.#bytesOf.set(network, bytesThere + bytes);
    this.#counts.set(owner, count + 1);
    this.#bytes += bytes;
    this.#sweepLater();
    return ticket;
  }

  /** The credentials that a ticket stands for, where it is good for that use. It is used up by this call in any case. */
  redeem(ticket: string, use: TicketUse): readonly Field[] | undefined {
    const digest = digestOf(ticket);
    const found = this.#tickets.get(digest);
    if (!found) return undefined;
    this.#drop(digest, found);
    const isGood = found.endsAt > this.#clock.now();
    const isSame = found.host === use.host && found.target === use.target && found.page === use.page;
    return isGood && isSame ? found.fields : undefined;
  }

  #drop(digest: string, { owner, network = "", bytes }: Ticket): void {
    this.#tickets.delete(digest);
    this.#bytes -= bytes;
    const bytesLeft = (this.#bytesOf.get(network) ?? bytes) - bytes;
    if (bytesLeft > 0) this.#bytesOf.set(network, bytesLeft);
    else this.#bytesOf.delete(network);
    const left = (this.#counts.get(owner) ?? 1) - 1;
    if (left > 0) this.#counts.set(owner, left);
    else this.#counts.delete(owner);
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [digest, ticket] of this.#tickets) {
      if (ticket.endsAt > now) return;
      this.#drop(digest, ticket);
    }
  }

  /** Credentials are not kept for longer than they can be of use. */
  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.setTimer(() => {
      this.#isSweeping = false;
      this.#sweep();
      if (this.size > 0) this.#sweepLater();
    }, ticketMs);
  }
}
