import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Outcome, Report, Result } from "../case.ts";
import { Fault, Skip } from "../fault.ts";
import { unseenOfClients } from "../unseen.ts";
import { type Flaw, fieldOf, type Message } from "../wire/messages.ts";
import { situations } from "./all-situations.ts";
import { HttpLink } from "./http-link.ts";
import { Link } from "./link.ts";
import { accept, answerTo, bodyOf, handshakeFlaws, level0Of, refusalOf, wellKnownOf } from "./replies.ts";
import { type Situation, Stage } from "./stage.ts";
import { type Deed, deedOf, watchedOfClients } from "./watched.ts";
import { namesStream, streamWays, wayOf } from "./way.ts";

/** How clients are checked. */
export interface CheckClientOptions {
  /** Default 0: a free one. */
  readonly port?: number;
  /** Whether only streams over HTTP and GETs that wait are looked at, and WebSockets refused. Default false. */
  readonly withoutSockets?: boolean;
  /** How much faster than the protocol's the times are that clients are given, for tests. Default 1. */
  readonly speed?: number;
  /** Told of each situation that was played. */
  readonly onOver?: (result: Result) => void;
}

/** A server that plays situations to a client. */
export interface ClientCheck {
  readonly url: string;
  /** Ends it, and says what was found. */
  end(): Promise<Report>;
  /** Resolves when a client says that it is done, by `POST /end`. */
  readonly ended: Promise<void>;
}

const nobody = "Nobody followed its URL, or it is not over.";
const askedPlainly = "Its URL was asked for by plain GETs alone.";

function outcomeOf(error: unknown, stage: Stage): Outcome {
  if (error instanceof Skip) return { kind: "skipped", why: error.message };
  const { lines } = stage.transcript;
  if (error instanceof Fault) return { kind: "failed", expected: error.expected, came: error.came, transcript: lines };
  return { kind: "failed", expected: "A connection.", came: String(error), transcript: lines };
}

class Hall implements ClientCheck {
  readonly ended: Promise<void>;
  readonly #server: Server;
  readonly #stages: Map<string, Stage>;
  readonly #sockets: Set<Socket> = new Set();
  readonly #options: CheckClientOptions;
  /** What was seen of clients. */
  readonly #deeds: Set<Deed> = new Set();
  #end: () => void = () => {};

  constructor(options: CheckClientOptions) {
    this.#options = options;
    const { speed = 1, withoutSockets = false } = options;
    const isChosen = ({ ways = ["socket"] }: Situation) => !withoutSockets || ways.some((way) => way !== "socket");
    const chosen = situations.filter(isChosen);
    this.#stages = new Map(chosen.map((situation) => [situation.name, new Stage(situation, speed)]));
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("upgrade", (request, socket: Socket, head) => this.#upgrade(request, socket, head));
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port ?? 0, "127.0.0.1", resolve);
    });
    for (const stage of this.#stages.values()) void this.#play(stage);
  }

  async end(): Promise<Report> {
    const report = this.#report();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    for (const stage of this.#stages.values()) stage.finish({ kind: "skipped", why: "It was ended." });
    return report;
  }

  async #play(stage: Stage): Promise<void> {
    let outcome: Outcome = { kind: "passed" };
    try {
      await stage.situation.play(stage);
      // What a client shows may be one step behind what it has read.
      await stage.until(() => false, 500);
    } catch (error) {
      outcome = outcomeOf(error, stage);
    }
    stage.finish(outcome);
    const { requirement, title } = stage.situation;
    this.#options.onOver?.({ requirement, title, outcome });
  }

  #report(): Report {
    const results = [...this.#stages.values()].flatMap(
      ({ situation, outcome, heldOutcome, isShown, isMet, gets }): Result[] => {
        const { requirement, title, strength = "must", name } = situation;
        const unplayed: Outcome = { kind: "skipped", why: gets > 0 && !isMet ? askedPlainly : nobody };
        const untold: Outcome = { kind: "skipped", why: "It shows in what the client holds, and held was not posted." };
        const found = outcome?.kind === "passed" && !heldOutcome && !isShown ? untold : (outcome ?? unplayed);
        const one = { requirement, strength, title: `${title} (${name})`, outcome: found };
        const held = { requirement, strength, title: `holds the right records then (${name})` };
        return heldOutcome && outcome?.kind === "passed" ? [one, { ...held, outcome: heldOutcome }] : [one];
      },
    );
    const silent = [...this.#stages.values()].every(({ heldOutcome }) => heldOutcome === undefined);
    const notes = silent
      ? ["The client never said what it held (POST /<situation>/held), so that was not looked at."]
      : [];
    return {
      subject: `A client, at ${this.url}`,
      results: [...results, ...this.#watched()],
      unseen: unseenOfClients,
      notes,
    };
  }

  #watched(): Result[] {
    return watchedOfClients.map((one) => {
      for (const { flaws, transcript } of this.#stages.values()) {
        const found = flaws.find(({ requirement }) => requirement === one.requirement);
        const failed = { kind: "failed", expected: "No such thing.", transcript: transcript.lines } as const;
        if (found) return { ...one, outcome: { ...failed, came: found.what } };
      }
      const deed = deedOf(one.requirement);
      if (this.#isDone(deed)) return { ...one, outcome: { kind: "passed" } as const };
      return { ...one, outcome: { kind: "skipped", why: `No client has ${deed}.` } };
    });
  }

  #isDone(deed: Deed): boolean {
    return (
      this.#deeds.has(deed) || (deed === "resumed" && [...this.#stages.values()].some(({ hasResumed }) => hasResumed))
    );
  }

  /** The situation that a URL belongs to. */
  #stageOf(target = ""): Stage | undefined {
    return this.#stages.get(/^\/([^/?]+)/.exec(target)?.[1] ?? "");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = "/", method = "GET" } = request;
    const stage = this.#stageOf(url);
    const json = (status: number, body: string): void => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(status === 204 ? "" : body);
    };
    if (url === "/" && method === "GET") json(200, JSON.stringify(this.#list()));
    else if (url === "/end" && method === "POST") {
      json(204, "");
      this.#end();
    } else if (url.endsWith("/.well-known/rocket")) json(200, wellKnownAt(stage));
    else if (stage && url === `/${stage.situation.name}/over`) {
      await stage.over;
      json(204, "");
    } else if (stage && url === `/${stage.situation.name}/held` && method === "POST") {
      stage.judge(await bodyOf(request));
      json(204, "");
    } else if (stage && url.split("?")[0] === stage.target) this.#follow(stage, request, response);
    else refuse(response, 404, "There is nothing here.");
  }

  /** A request for a situation's resource: a stream, a GET that waits, or a plain one. */
  #follow(stage: Stage, request: IncomingMessage, response: ServerResponse): void {
    const { method = "GET", url = "/", headers } = request;
    const way = wayOf(request);
    const known = [headers["last-event-id"], headers["if-none-match"]].map((value) => value && String(value));
    stage.transcript.came(`${method} ${url} over HTTP, Accept: ${headers.accept}, Last-Event-ID: ${known[0]}`);
    if (way && stage.isAbout(way)) {
      stage.arrive({
        link: new HttpLink(response, way, stage.transcript, () => stage.wake()),
        ...{ level: 1, accept: headers.accept ?? "", asked: url },
        ...(known[0] === undefined ? {} : { lastEventId: known[0] }),
        ...(known[1] === undefined ? {} : { etag: known[1] }),
      });
      return;
    }
    if (way) stage.leave(way);
    else if (method === "GET" && namesStream(headers.accept ?? "")) stage.leavePlain(headers.accept ?? "");
    if (method === "GET" && (way === undefined || way === "polls")) this.#get(stage, response);
    else refuse(response, 406, "There is no such stream here.");
  }

  #list(): unknown {
    return [...this.#stages.values()].map(({ situation: { name, requirement, title, ways = ["socket"] }, target }) => {
      const base = `${this.url}/${name}`;
      const places = { base, url: this.url + target, over: `${base}/over`, held: `${base}/held` };
      return { name, requirement, title, ways, ...places };
    });
  }

  #get(stage: Stage, response: ServerResponse): void {
    const { fields, body } = stage.document();
    stage.gets += 1;
    stage.wake();
    if (stage.getStatus !== 200)
      response.writeHead(stage.getStatus, { "Content-Type": "application/problem+json" }).end("{}");
    else
      response
        .writeHead(200, Object.fromEntries([...fields, ["ETag", stage.etag], ["Event-ID", stage.position]]))
        .end(body);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => {});
    const { url = "/", headers } = request;
    const stage = this.#stageOf(url);
    if (this.#options.withoutSockets || stage?.isAbout("socket") === false) {
      if (!this.#options.withoutSockets) stage?.leave("socket");
      socket.destroy();
      return;
    }
    this.#deeds.add("opened a WebSocket");
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const level = offered.includes("rocket.v1") ? 1 : 0;
    const transcript = (stage ?? [...this.#stages.values()][0])?.transcript;
    if (!transcript) return;
    transcript.came(`GET ${url} (a handshake of Level ${level})`);
    const flaw = (one: Flaw) => void stage?.flaws.push(one);
    for (const one of handshakeFlaws(headers)) flaw(one);
    if (stage) {
      stage.handshakes += 1;
      stage.gets = stage.handshakes === 1 ? 0 : stage.gets;
      stage.wake();
    }
    const { echo } = stage?.situation ?? {};
    socket.write(accept(headers["sec-websocket-key"] ?? "", level === 1 && echo !== "never"));
    const link: Link = new Link(socket, head, transcript, {
      flaw,
      ended: () => stage?.wake(),
      request: (message) => this.#request(link, message, flaw),
    });
    if (echo === "level-0" && stage) link.send(level0Of(stage.target));
    if (echo === "mute" || echo === "level-0" || (echo === "never" && level === 1)) return;
    const lastEventId = headers["last-event-id"];
    const { accept: accepted = "" } = headers;
    if (url.endsWith("/.well-known/rocket"))
      link.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${wellKnownAt(stage)}`);
    else if (stage)
      stage.arrive({
        ...{ link, level, accept: accepted },
        ...(lastEventId === undefined ? {} : { lastEventId: String(lastEventId) }),
      });
  }

  #request(link: Link, message: Message, flaw: (flaw: Flaw) => void): void {
    this.#deeds.add("sent a request in band");
    const requestId = fieldOf(message, "request-id");
    const stage = this.#stageOf(message.target);
    const lastEventId = fieldOf(message, "last-event-id");
    if (requestId === undefined || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(requestId)) {
      flaw({ requirement: "R-BAND-2", what: `A request has the Request-ID ${requestId ?? "of none"}.` });
      return;
    }
    const takesNone = /^(?:(?:UN)?SUBSCRIBE|GET|HEAD|OPTIONS)$/.test(message.method);
    if (takesNone && message.body.length > 0) {
      flaw({ requirement: "R-BAND-13", what: `A ${message.method} in band has a body.` });
    }
    if (message.method === "SUBSCRIBE" && stage?.target === message.target) {
      const accepted = fieldOf(message, "accept") ?? "";
      stage.arrive({
        ...{ link, level: 1, requestId, accept: accepted },
        ...(lastEventId === undefined ? {} : { lastEventId }),
      });
    } else link.send(answerTo(message, requestId));
  }
}

/** What is said there. Streams are offered where they are played [R-STR-18]. */
function wellKnownAt(stage: Stage | undefined): string {
  return wellKnownOf(stage === undefined || streamWays.some((way) => stage.isAbout(way)));
}

function refuse(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { "Content-Type": "application/problem+json" }).end(refusalOf(status, detail));
}

/** Starts a server that plays every situation to a client. @throws Error where the port can't be had */
export async function startClientCheck(options: CheckClientOptions = {}): Promise<ClientCheck> {
  const hall = new Hall(options);
  await hall.start();
  return hall;
}
