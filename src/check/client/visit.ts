import { skip } from "../fault.ts";
import { type Field, formatHead } from "../wire/http.ts";
import type { Channel } from "./channel.ts";
import { HttpLink } from "./http-link.ts";
import { Link } from "./link.ts";

/** A record of a situation. */
export interface Row {
  readonly id: number;
  readonly [member: string]: unknown;
}

/** What is followed in a situation. */
export interface Resource {
  /** Path of the resource. */
  readonly target: string;
  /** Every position that was given out. */
  readonly given: Set<string>;
  /** The current one. */
  readonly position: string;
  /** The tag of what a GET answers now. */
  readonly etag: string;
  /** The next one. */
  advance(): string;
  /** What a GET answers now. */
  document(): { readonly fields: readonly Field[]; readonly body: string };
  /** The URL of a record. */
  urlOf(row: Row): string;
  /** Takes a change in. */
  put(status: number, row: Row): void;
}

/** How a client asks for a situation's resource. */
export interface VisitParts {
  readonly link: Channel;
  readonly stage: Resource;
  readonly level: 0 | 1;
  /** Absent where the handshake itself asks. */
  readonly requestId?: string;
  readonly lastEventId?: string;
  /** The target of a request over HTTP, with its query. */
  readonly asked?: string;
  /** The `If-None-Match` of a GET that waits. */
  readonly etag?: string;
  /** The `Accept` that it asks with. */
  readonly accept?: string;
}

const phrases: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  304: "Not Modified",
};

/** One subscription of the client: by a handshake at the resource, in band, or by a request over HTTP. */
export class Visit {
  readonly link: Channel;
  readonly lastEventId: string | undefined;
  readonly level: 0 | 1;
  /** Whether it asks for deltas. */
  readonly takesDeltas: boolean;
  /** When it came, by the process' clock. */
  readonly at: number = performance.now();
  readonly #stage: Resource;
  readonly #requestId: string | undefined;
  readonly #etag: string | undefined;
  /** The target that a request over HTTP has. */
  readonly asked: string;
  #isAnswered = false;

  constructor({ link, stage, level, requestId, lastEventId, etag, asked = "", accept = "" }: VisitParts) {
    this.takesDeltas = /(?:^|,)[ \t]*application\/merge-patch\+json[ \t]*(?:[,;]|$)/i.test(accept);
    this.link = link;
    this.level = level;
    this.lastEventId = lastEventId;
    this.#stage = stage;
    this.#requestId = requestId;
    this.#etag = etag;
    this.asked = asked;
  }

  /** The WebSocket. @throws Skip where it comes by another way */
  get socket(): Link {
    return this.link instanceof Link ? this.link : skip("The client does not come by a WebSocket.");
  }

  /** The answer over HTTP. @throws Skip where it comes by a WebSocket */
  get http(): HttpLink {
    return this.link instanceof HttpLink ? this.link : skip("The client comes by a WebSocket.");
  }

  /** Whether it names the state of now. */
  get isCurrent(): boolean {
    return this.lastEventId === this.#stage.position || this.#etag === this.#stage.etag;
  }

  /** False where a handshake asked for it. */
  get isInBand(): boolean {
    return this.#requestId !== undefined;
  }

  /** A message of this subscription. Its first one answers the request, where there was one. */
  format(status: number, fields: readonly Field[], body = ""): string {
    const { isInBand } = this;
    const all: Field[] = [...fields];
    if (isInBand && (status < 300 || status === 304 || this.#isAnswered))
      all.push(["Subscription", this.#stage.target]);
    if (this.#requestId !== undefined && !this.#isAnswered) all.push(["Request-ID", this.#requestId]);
    this.#isAnswered = true;
    const position = fields.find(([name]) => name === "Event-ID")?.[1];
    if (position !== undefined) this.#stage.given.add(position);
    return formatHead(`HTTP/1.1 ${status} ${phrases[status] ?? "Refused"}`, all) + body;
  }

  /**
   * The opening, and the mark of having caught up. A client that is where the stage is gets no snapshot. A patch stream has
   * none; a GET that waits is answered where it names another state.
   */
  open(): void {
    if (this.level === 0) return;
    if (this.link.way === "patches") this.http.begin();
    else if (this.link.way === "polls") {
      if (!this.isCurrent) this.snapshot();
    } else this.#open();
  }

  #open(): void {
    if (!this.isCurrent) this.snapshot();
    else this.link.send(this.format(304, [["Event-ID", this.#stage.position]]));
    this.mark();
  }

  /** The whole as a 200. */
  snapshot(): void {
    const { fields, body } = this.#stage.document();
    const tag: readonly Field[] = this.link.way === "polls" ? [["ETag", this.#stage.etag]] : [];
    this.link.send(this.format(200, [...fields, ...tag, ["Event-ID", this.#stage.position]], body));
  }

  /** A 304 with the position. */
  mark(): void {
    this.link.send(this.format(304, [["Event-ID", this.#stage.position]]));
  }

  /** The 304 that answers a GET which waited in vain. */
  unchanged(): void {
    const tag: Field = ["ETag", this.#stage.etag];
    this.link.send(this.format(304, [tag, ["Event-ID", this.#stage.position]]));
  }

  /** One change as a message; the stage has it from then on. @param isLast - whether it carries the position */
  change(status: 201 | 202 | 204, row: Row, isLast = true, more: readonly Field[] = []): string {
    this.#stage.put(status, row);
    return this.#changed(status, row, isLast, more);
  }

  /** As {@link change}, and sends it. */
  tell(status: 201 | 202 | 204, row: Row, isLast = true, more: readonly Field[] = []): void {
    this.link.send(this.change(status, row, isLast, more));
  }

  /** A change of a record that is told by a delta. @param row - the record after it */
  tellDelta(row: Row, patch: unknown, [base, etag]: readonly [base: string, etag: string]): void {
    this.#stage.put(202, row);
    const fields: Field[] = [
      ["Content-Type", "application/merge-patch+json"],
      ["Content-Location", this.#stage.urlOf(row)],
      ["Delta-Base", base],
      ["ETag", etag],
      ["Event-ID", this.#stage.advance()],
    ];
    this.link.send(this.format(202, fields, JSON.stringify({ item: patch })));
  }

  /** A change that is told again, and was taken in already. */
  again(status: 201 | 202 | 204, row: Row, isLast: boolean): void {
    this.link.send(this.#changed(status, row, isLast, []));
  }

  /** Refuses or ends the subscription with a problem or a redirect. */
  refuse(status: number, more: readonly Field[] = []): void {
    const body = JSON.stringify({
      type: "about:blank",
      title: "Refused",
      status,
      detail: "This is a situation of a check.",
    });
    const fields: Field[] = [["Content-Type", "application/problem+json"], ...more];
    if (this.link.answer(status, fields, status >= 400 ? body : "")) return;
    this.link.send(status >= 400 ? this.format(status, fields, body) : this.format(status, more));
    if (this.#requestId === undefined) this.link.close(4_000 + status);
  }

  #changed(status: number, row: Row, isLast: boolean, more: readonly Field[]): string {
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Content-Location", this.#stage.urlOf(row)],
      ...more,
      ...(isLast ? [["Event-ID", this.#stage.advance()] as const] : []),
    ];
    return this.format(status, fields, status === 204 ? "" : JSON.stringify({ item: row }));
  }
}
