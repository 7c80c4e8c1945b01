import { type Field, type HttpResponse, parseEventId } from "../../src/protocol/index.ts";
import { createRandom, type Random } from "../../src/testing/index.ts";
import { type Command, serve } from "../cli/command.ts";
import type { ConnectionHistory, History, Mark, Stream } from "./history.ts";
import { openHttpStream } from "./http-stream-peer.ts";
import type { RunDatabase } from "./run-database.ts";
import { drawRestWrite, type RestWrite, sqlTargets, versionsInAStatement } from "./sql-statements.ts";
import type { Call, Peer, Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";
import { openWebSocket } from "./web-socket-peer.ts";

/** A write over HTTP that was answered with success. */
interface Acknowledged {
  readonly version: number;
  readonly mark: Mark | undefined;
}

/** A process that serves the database. */
interface Serving {
  readonly command: Command;
  readonly url: string;
}

/** `rocket serve`, once or more often, over a database that somebody else writes to as well. */
export class ProcessRun implements Surroundings {
  readonly random: Random;
  readonly streams: Stream[] = [];
  readonly connections: ConnectionHistory[] = [];
  readonly reads = 0;
  readonly epoch = 0;
  readonly horizon: number = Number.MAX_SAFE_INTEGER;
  readonly aborted: Set<number> = new Set();
  readonly acknowledged: Acknowledged[] = [];
  head = 0;
  readonly isHeadExact = false;
  readonly database: RunDatabase;
  readonly #servers: Serving[] = [];
  /** The one that was killed last. */
  #killed = 0;
  #harms = 0;
  #versions = 0;
  #listeners: (() => void)[] = [];

  constructor(seed: number, database: RunDatabase) {
    this.random = createRandom(seed);
    this.database = database;
  }

  get now(): number {
    return performance.now();
  }

  mark(eventId: string): Mark | undefined {
    const parsed = parseEventId(eventId);
    if (parsed?.kind !== "direct" || parsed.segment === "never-heard-of") return undefined;
    this.head = Math.max(this.head, parsed.position);
    return { epoch: 0, position: parsed.position };
  }

  isKnown(eventId: string): boolean {
    return this.mark(eventId) !== undefined;
  }

  nonsense(): string {
    return this.random.pick(["never-heard-of:3.0", "nonsense", "d-5f3a"]);
  }

  drawTarget(): Target {
    return this.random.pick(sqlTargets);
  }

  connect(call: Call): Promise<Peer> {
    const { stream } = call;
    const wake = () => this.#wake();
    if (stream === "patch-stream") throw new Error("No run of processes has patch streams.");
    const url = this.#pickUrl();
    return stream ? openHttpStream(url, call, stream, wake) : openWebSocket(url, call, wake);
  }

  async get(target: string): Promise<HttpResponse | undefined> {
    const response = await this.#fetch(target, { method: "GET" });
    setImmediate(() => this.#wake());
    return response && { status: response.status, reason: "", fields: [...response.headers], body: response.text };
  }

  /** Starts the servers, or the one that was killed, on the same port again. */
  async start(): Promise<void> {
    const { target, servers } = this.database;
    const killed = this.#servers[this.#killed];
    if (killed) this.#servers[this.#killed] = await serve(target, "--port", new URL(killed.url).port);
    while (this.#servers.length < servers) this.#servers.push(await serve(target, "--port", "0"));
  }

  /** `kill -9` of a server. */
  async kill(): Promise<void> {
    this.#killed = this.random.below(this.#servers.length);
    const { command } = this.#servers[this.#killed] ?? {};
    command?.process.kill("SIGKILL");
    await command?.result;
  }

  /** Does harm to the database itself. */
  harm(): Promise<void> {
    this.#harms += 1;
    return this.database.harm(this.random, this.#harms);
  }

  /** Stops the servers as an operator does; gives their exit codes and what they complained of. */
  stop(): Promise<{ code: number | null; stderr: string }[]> {
    for (const { command } of this.#servers) command.process.kill("SIGTERM");
    return Promise.all(this.#servers.map(({ command }) => command.result));
  }

  /** One transaction of plain SQL in the other process. */
  writeSql(): Promise<void> {
    const isRolledBack = this.random.chance(0.2);
    return this.database.run([...this.#transaction(isRolledBack), isRolledBack ? "ROLLBACK" : "COMMIT"]);
  }

  /** `kill -9` of the other process within a transaction. */
  async killSql(): Promise<void> {
    await this.database.run(this.#transaction(true));
    await this.database.killWriter();
  }

  async endSql(): Promise<void> {
    await this.database.end();
  }

  /** One write over HTTP. Gives where it is contained, if it was answered with success. */
  async writeRest(write: RestWrite = drawRestWrite(this.random, this.#nextVersion())): Promise<Mark | undefined> {
    const version = Number(write.body?.version ?? 0);
    const body = write.body && JSON.stringify(write.body);
    const type: Field = [
      "Content-Type",
      write.method === "PATCH" ? "application/merge-patch+json" : "application/json",
    ];
    const response = await this.#fetch(write.target, {
      method: write.method,
      ...(body ? { body, headers: [[...type]] } : {}),
    });
    if (!response) return undefined;
    const eventId = response.headers.get("event-id");
    const mark = eventId === null ? undefined : this.mark(eventId);
    // Where the connection to the database broke, nobody knows.
    if (response.status >= 500 && !this.database.hasPositions) return undefined;
    if (response.status >= 400) this.aborted.add(version);
    else if (write.body) this.acknowledged.push({ version, mark });
    return response.status >= 400 ? undefined : mark;
  }

  /** As {@link writeRest}, with a version of its own. */
  writeFence(write: RestWrite): Promise<Mark | undefined> {
    return this.writeRest({ ...write, body: { ...write.body, version: this.#nextVersion() } });
  }

  /** Waits until something has come to pass, looking whenever a message comes or a connection opens or ends. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  /** What happened, once server and writer are gone. */
  async history(): Promise<History> {
    return {
      transactions: await this.database.readTransactions(),
      aborted: this.aborted,
      finalEpoch: 0,
      maxUnsentBytes: Number.MAX_SAFE_INTEGER,
      overshootBytes: 0,
      streams: this.streams,
      connections: this.connections,
    };
  }

  #transaction(isAborted: boolean): string[] {
    const count = 1 + this.random.below(4);
    const statements = Array.from({ length: count }, () => {
      const version = this.#nextVersion();
      if (isAborted) for (let at = 0; at < versionsInAStatement; at += 1) this.aborted.add(version + at);
      return this.database.drawStatement(this.random, version);
    });
    const bracket = (edge: string): string => `INSERT INTO brackets (edge) VALUES ('${edge}')`;
    return [this.database.begin, bracket("begin"), ...statements, bracket("end")];
  }

  #pickUrl(): string {
    return this.random.pick(this.#servers).url;
  }

  #nextVersion(): number {
    this.#versions += versionsInAStatement;
    return this.#versions;
  }

  async #fetch(
    target: string,
    init: RequestInit,
  ): Promise<{ status: number; headers: Headers; text: string } | undefined> {
    try {
      const response = await fetch(`${this.#pickUrl()}${target}`, init);
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  #wake(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
