import type { Checked } from "../case.ts";
import { demand, shown, skip } from "../fault.ts";
import { Transcript } from "../transcript.ts";
import { type Field, fieldValue, type HttpAnswer } from "../wire/http.ts";
import { Follower } from "./follower.ts";
import { type Handshake, type HandshakeOptions, shakeHands } from "./handshake.ts";
import { Peer } from "./peer.ts";
import { Replica } from "./replica.ts";
import { exchange, type RequestOptions, request } from "./request.ts";
import { type Site, wellKnownOf } from "./site.ts";
import type { Source } from "./source.ts";
import { StreamPeer } from "./stream-peer.ts";
import type { Survey } from "./survey.ts";
import { type WritePlan, Writer } from "./writer.ts";

/** A case against a server. */
export interface ServerCase extends Checked {
  /** The transport that it is about: plain HTTP, a stream over it, or a WebSocket of Level 0 or 1. */
  readonly level: "http" | "stream" | 0 | 1;
  /** The type of the stream by which it follows. Default: it follows by WebSockets. */
  readonly accept?: string;
  /** Whether it waits for the server's heartbeat. Default false. */
  readonly isSlow?: boolean;
  /** Finds faults by throwing. @throws Fault | Skip */
  readonly run: (trial: Trial) => Promise<void>;
}

/** What a trial needs. */
export interface TrialParts {
  readonly site: Site;
  readonly survey: Survey;
  readonly plan: WritePlan | "default" | undefined;
}

function isAccept([name]: Field): boolean {
  return name.toLowerCase() === "accept";
}

/** A range of an `Accept` with a weight below 1. */
function lighter(range: string): string {
  return /;\s*q=/i.test(range) ? range.trim() : `${range.trim()};q=0.5`;
}

/** What one case has at hand. Everything that passes is kept in the transcript, and every connection ends with it. */
export class Trial {
  readonly site: Site;
  readonly survey: Survey;
  readonly transcript: Transcript = new Transcript();
  readonly writer: Writer;
  readonly #open: Set<{ readonly drop: () => void }> = new Set();
  readonly #accept: string | undefined;
  #ids = 0;

  /** @param accept - the type of the stream by which it follows. Default: by WebSockets */
  constructor({ site, survey, plan }: TrialParts, accept?: string) {
    this.#accept = accept;
    this.site = site;
    this.survey = survey;
    const { items, rows } = survey;
    const send: ConstructorParameters<typeof Writer>[0]["send"] = (method, target, body, fields = []) => {
      const type = body === "" ? [] : [["Content-Type", "application/json"] as const];
      return this.request({ method, target, fields: [...type, ...fields], ...(body === "" ? {} : { body }) });
    };
    this.writer = new Writer({ send, plan, target: site.target, items, rows });
  }

  /** A `Request-ID` that was not used yet. */
  nextId(): string {
    this.#ids += 1;
    return `c${this.#ids}`;
  }

  /** A URL at which there should be nothing. */
  get missing(): string {
    const path = this.site.target.split("?")[0] ?? "/";
    return `${path.endsWith("/") ? path : `${path}/`}rocket-check-there-is-nothing-here`;
  }

  /** A handshake, whatever its answer. */
  async shake(options: HandshakeOptions = {}): Promise<Handshake> {
    const handshake = await shakeHands(this.site, this.transcript, options);
    this.#open.add({ drop: () => handshake.wire.destroy() });
    return handshake;
  }

  /** A WebSocket. @throws Fault where the handshake is refused */
  async open(options: HandshakeOptions = {}): Promise<Peer> {
    const { answer, wire, level } = await this.shake(options);
    demand(answer.status === 101, "A 101.", `The handshake is answered ${answer.status}.`);
    const peer = new Peer(this.site, this.transcript, wire, level);
    this.#open.add(peer);
    return peer;
  }

  /** A connection without a subscription, whose first message has come. @throws Skip where there can be none */
  async bare(): Promise<Peer> {
    if (!this.survey.hasBareConnections) skip("It needs a connection at the well-known URL: see R-WK-2.");
    const peer = await this.open({ target: wellKnownOf(this.site) });
    await peer.until("The 200 of the well-known URL.");
    return peer;
  }

  /** What brings a subscription's messages: a WebSocket, or the stream that the case is about. @throws Fault where it is refused */
  async source({ fields = [], ...options }: HandshakeOptions = {}): Promise<Source> {
    const accept = this.#accept;
    if (accept === undefined) return this.open({ fields, ...options });
    // The stream is what is wanted most (R-STR-1).
    const asked = fields.filter(isAccept).flatMap(([, value]) => value.split(",").map(lighter));
    const all = [["Accept", [accept, ...asked].join(", ")] as const, ...fields.filter((field) => !isAccept(field))];
    const stream = await this.stream({
      fields: all,
      ...(options.target === undefined ? {} : { target: options.target }),
    });
    const type = fieldValue(stream.answer.fields, "content-type") ?? "";
    const isStream = stream.answer.status === 200 && type.toLowerCase().startsWith(accept);
    demand(isStream, `A stream of ${accept}.`, shown(stream.answer.head));
    return stream;
  }

  /** A subscription that has caught up. */
  async follow(options: HandshakeOptions & { readonly replica?: Replica } = {}): Promise<Follower> {
    const source = await this.source(options);
    const target = options.target ?? this.site.target;
    return Follower.begin(source, options.replica ?? new Replica(target), () => this.get(target));
  }

  /** Several subscriptions that are opened at once. Awaited later, so that something may happen meanwhile. */
  followAll(count: number): Promise<Follower[]> {
    const all = Promise.all(Array.from({ length: count }, () => this.follow()));
    // Whoever awaits it is told; until then nobody has to be.
    all.catch(() => {});
    return all;
  }

  /** Sends a request in band; gives its answer. */
  async ask(peer: Peer, start: string, fields: readonly string[] = [], body = ""): Promise<AskedAnswer> {
    const id = this.nextId();
    peer.send(`${[`${start} HTTP/1.1`, `Request-ID: ${id}`, ...fields].join("\r\n")}\r\n\r\n${body}`);
    const isAnswer = (message: { readonly fields: AskedAnswer["fields"] }) =>
      message.fields.some(([name, value]) => name.toLowerCase() === "request-id" && value === id);
    return peer.until(`An answer with Request-ID: ${id}.`, isAnswer);
  }

  /** A stream over plain HTTP, whatever its answer. @throws Skip where the server has none */
  async stream(options: Partial<RequestOptions> = {}): Promise<StreamPeer> {
    if (this.survey.streams.length === 0) skip("The server does not say that it has streams (R-STR-18).");
    const peer = await StreamPeer.open(this.site, this.transcript, { target: this.site.target, ...options });
    this.#open.add(peer);
    return peer;
  }

  request(options: RequestOptions): Promise<HttpAnswer> {
    return request(this.site, this.transcript, options);
  }

  get(target: string = this.site.target, fields: RequestOptions["fields"] = []): Promise<HttpAnswer> {
    return this.request({ target, fields: [["Accept-Encoding", "identity"], ...fields] });
  }

  /** Bytes on a connection of their own; `undefined` where no answer comes. */
  exchange(sent: string): Promise<HttpAnswer | undefined> {
    return exchange(this.site, this.transcript, sent);
  }

  /** Drops every connection. */
  end(): void {
    for (const one of this.#open) one.drop();
  }
}

type AskedAnswer = Awaited<ReturnType<Peer["until"]>>;
