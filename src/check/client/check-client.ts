import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Outcome, Report, Result } from "../case.ts";
import { Fault, Skip } from "../fault.ts";
import { unseenOfClients } from "../unseen.ts";
import { acceptOf } from "../wire/accept.ts";
import { formatHead } from "../wire/http.ts";
import { type Flaw, fieldOf, type Message } from "../wire/messages.ts";
import { situations } from "./all-situations.ts";
import { Link } from "./link.ts";
import { Stage } from "./stage.ts";
import { watchedOfClients } from "./watched.ts";

/** How clients are checked. */
export interface CheckClientOptions {
  /** Default 0: a free one. */
  readonly port?: number;
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

const wellKnown = JSON.stringify({
  rocket: {
    version: "1.7",
    levels: [0, 1],
    heartbeatMs: 20_000,
    limits: { maxMessageBytes: 1_064_960, maxSubscriptions: 100, maxOutstandingRequests: 64 },
    promises: ["journal", "merge-patch", "rocket-check-promise"],
    "rocket-check-member": 1,
  },
});

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
  #end: () => void = () => {};

  constructor(options: CheckClientOptions) {
    this.#options = options;
    const { speed = 1 } = options;
    this.#stages = new Map(situations.map((situation) => [situation.name, new Stage(situation, speed)]));
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
    const results = [...this.#stages.values()].flatMap(({ situation, outcome, heldOutcome }): Result[] => {
      const { requirement, title, strength = "must", name } = situation;
      const unplayed: Outcome = { kind: "skipped", why: "Nobody followed its URL, or it is not over." };
      const one = { requirement, strength, title: `${title} (${name})`, outcome: outcome ?? unplayed };
      const held = { requirement, strength, title: `holds the right records then (${name})` };
      return heldOutcome && outcome?.kind === "passed" ? [one, { ...held, outcome: heldOutcome }] : [one];
    });
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
      return { ...one, outcome: { kind: "passed" } as const };
    });
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
    } else if (url.endsWith("/.well-known/rocket")) json(200, wellKnown);
    else if (stage && url === `/${stage.situation.name}/over`) {
      await stage.over;
      json(204, "");
    } else if (stage && url === `/${stage.situation.name}/held` && method === "POST") {
      stage.judge(await bodyOf(request));
      json(204, "");
    } else if (stage && url.split("?")[0] === stage.target) this.#get(stage, response);
    else json(404, '{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing here."}');
  }

  #list(): unknown {
    return [...this.#stages.values()].map(({ situation: { name, requirement, title }, target }) => {
      const base = `${this.url}/${name}`;
      return { name, requirement, title, base, url: this.url + target, over: `${base}/over`, held: `${base}/held` };
    });
  }

  #get(stage: Stage, response: ServerResponse): void {
    const { fields, body } = stage.document();
    stage.gets += 1;
    stage.transcript.came("GET (over HTTP)");
    stage.wake();
    if (stage.getStatus !== 200)
      response.writeHead(stage.getStatus, { "Content-Type": "application/problem+json" }).end("{}");
    else response.writeHead(200, Object.fromEntries([...fields, ["Event-ID", stage.position]])).end(body);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => {});
    const { url = "/", headers } = request;
    const stage = this.#stageOf(url);
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
      link.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${wellKnown}`);
    else if (stage)
      stage.arrive({
        ...{ link, level, accept: accepted },
        ...(lastEventId === undefined ? {} : { lastEventId: String(lastEventId) }),
      });
  }

  #request(link: Link, message: Message, flaw: (flaw: Flaw) => void): void {
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

function level0Of(target: string): string {
  const fields = [
    ["Content-Type", "application/json"],
    ["Content-Location", `${target}/4`],
  ] as const;
  return `${formatHead("HTTP/1.1 201 Created", fields)}{"item":{"id":4,"name":"four"}}`;
}

function answerTo({ method, target }: Message, requestId: string): string {
  if (method === "UNSUBSCRIBE") {
    return formatHead("HTTP/1.1 204 No Content", [
      ["Subscription", target],
      ["Request-ID", requestId],
    ]);
  }
  const status = method === "SUBSCRIBE" ? 404 : 501;
  const problem = { type: "about:blank", title: "Refused", status, detail: "There is nothing here." };
  const fields = [
    ["Content-Type", "application/problem+json"],
    ["Request-ID", requestId],
  ] as const;
  return formatHead(`HTTP/1.1 ${status} Refused`, fields) + JSON.stringify(problem);
}

function accept(key: string, hasEcho: boolean): string {
  return formatHead("HTTP/1.1 101 Switching Protocols", [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", acceptOf(key)],
    ...(hasEcho ? [["Sec-WebSocket-Protocol", "rocket.v1"] as const] : []),
  ]);
}

function handshakeFlaws(headers: IncomingMessage["headers"]): Flaw[] {
  const key = headers["sec-websocket-key"] ?? "";
  const isRight = Buffer.from(key, "base64").length === 16 && headers["sec-websocket-version"] === "13";
  return isRight
    ? []
    : [{ requirement: "RFC6455-4.1", what: "A handshake has no key of 16 bytes, or not the version 13." }];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Starts a server that plays every situation to a client. @throws Error where the port can't be had */
export async function startClientCheck(options: CheckClientOptions = {}): Promise<ClientCheck> {
  const hall = new Hall(options);
  await hall.start();
  return hall;
}
