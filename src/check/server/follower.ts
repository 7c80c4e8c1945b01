import { Fault, skip } from "../fault.ts";
import type { HttpAnswer } from "../wire/http.ts";
import { fieldOf, jsonOf, type Message } from "../wire/messages.ts";
import { Peer } from "./peer.ts";
import type { Replica } from "./replica.ts";
import type { Source } from "./source.ts";

/** A subscription that was begun by its handshake or its request for a stream, as a client follows it. */
export class Follower {
  readonly source: Source;
  readonly opening: Message;
  /** What came after the opening, up to the caught-up mark. */
  readonly missed: readonly Message[];
  readonly replica: Replica;
  readonly #get: () => Promise<HttpAnswer>;
  #position: string | undefined;

  private constructor(source: Source, opened: readonly Message[], replica: Replica, get: () => Promise<HttpAnswer>) {
    const [opening, ...missed] = opened as [Message, ...Message[]];
    this.source = source;
    this.opening = opening;
    this.missed = missed.slice(0, -1);
    this.replica = replica;
    this.#get = get;
    for (const message of opened) this.#apply(message);
  }

  /**
   * Reads the opening and what is behind it, up to the caught-up mark.
   *
   * @param replica - what an earlier connection held
   */
  static async begin(source: Source, replica: Replica, get: () => Promise<HttpAnswer>): Promise<Follower> {
    const opened: Message[] = [];
    const opening = await source.until("The opening: a 200 or 304.");
    if (opening.status !== 200 && opening.status !== 304) {
      throw new Fault("The opening: a 200 or 304.", `A ${opening.status} came.`);
    }
    opened.push(opening);
    const takes = (message: Message) => {
      opened.push(message);
      return message.status === 304;
    };
    await source.until('The 304 that says "caught up", after the opening.', takes);
    return new Follower(source, opened, replica, get);
  }

  /** The WebSocket. @throws Skip where it follows by a stream */
  get peer(): Peer {
    return this.source instanceof Peer ? this.source : skip("It is about WebSockets.");
  }

  /** The last position that was given. */
  get position(): string {
    return this.#position ?? "";
  }

  /** The next notification that fits; all before it are taken in, too. @throws Fault where none comes */
  until(expected: string, fits: (message: Message) => boolean): Promise<Message> {
    return this.source.until(expected, (message) => {
      this.#apply(message);
      return fits(message);
    });
  }

  /** Waits until what the stream gave equals a GET. @throws Fault where it does not come to that */
  async converge(expected: string): Promise<void> {
    for (;;) {
      const document = jsonOf(await this.#get());
      for (const message of this.source.rest()) this.#apply(message);
      const difference = this.replica.difference(document);
      if (difference === undefined) return;
      try {
        await this.until(expected, () => true);
      } catch {
        throw new Fault(expected, difference);
      }
    }
  }

  #apply(message: Message): void {
    this.#position = fieldOf(message, "event-id") ?? this.#position;
    if (fieldOf(message, "request-id") === undefined) this.replica.apply(message);
  }
}
