import { type Field, type HttpResponse, parseEventId } from "../../src/protocol/index.ts";
import { createRandom, type Random } from "../../src/testing/index.ts";
import { type Command, serve } from "../cli/command.ts";
import type { ConnectionHistory, History, Mark, Stream, Transaction } from "./history.ts";
import { openHttpStream } from "./http-stream-peer.ts";
import type { KillKind } from "./kills.ts";
import type { RunDatabase } from "./run-database.ts";
import { drawRestWrite, type RestWrite, sqlTargets, versionsInAStatement } from "./sql-statements.ts";
import type { Call, Peer, Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";
import { openWebSocket } from "./web-socket-peer.ts";

/** Much longer than anything that is waited for takes. */
const maxWaitMs = 60_000;

/** A write over HTTP that was answered with success. */
interface Acknowledged {
  readonly version: number;
  readonly mark: Mark | undefined;
  /** When. */
  readonly at: number;
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
  /** How many of each kind there were. */
  readonly killed: Map<KillKind, number> = new Map();
  /** How many transactions were begun with plain SQL, and how many writes sent over HTTP. */
  writes = 0;
  readonly #servers: Serving[] = [];
  /** Those that were killed and are not there again. */
  readonly #gone: Set<number> = new Set();
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

  /** Starts the servers, or those that were killed, on the same ports again. */
  async start(): Promise<void> {
    const { database } = this;
    for (const nth of this.#gone) {
      const port = new URL(this.#servers[nth]?.url ?? "").port;
      this.#servers[nth] = await serve(database.target(nth), "--port", port);
    }
    this.#gone.clear();
    while (this.#servers.length < database.servers) {
      this.#servers.push(await serve(database.target(this.#servers.length), "--port", "0"));
    }
  }

  async kill(kind: KillKind): Promise<void> {
    const { database, random } = this;
    if (kind === "server") await this.#killServer(random.below(this.#servers.length));
    else if (kind === "sequencer") await database.killSequencer((nth) => this.#killServer(nth));
    else if (kind === "writer") await this.#killWriter();
    else await database.kill(kind, random);
    this.killed.set(kind, (this.killed.get(kind) ?? 0) + 1);
  }

  /** Stops the servers as an operator does; gives their exit codes and what they complained of. */
  stop(): Promise<{ code: number | null; stderr: string }[]> {
    for (const { command } of this.#servers) command.process.kill("SIGTERM");
    return Promise.all(this.#servers.map(({ command }) => command.result));
  }

  /** One transaction of plain SQL, in one of the sessions beside the servers. */
  writeSql(): Promise<void> {
    const isRolledBack = this.random.chance(0.2);
    const session = this.random.below(this.database.sessions);
    const statements = [...this.#transaction(isRolledBack), isRolledBack ? "ROLLBACK" : "COMMIT"];
    return this.database.run(statements, session);
  }

  async endSql(): Promise<void> {
    await this.database.end();
  }

  /** One write over HTTP. Gives where it is contained, if it was answered with success. */
  async writeRest(write: RestWrite = drawRestWrite(this.random, this.#nextVersion())): Promise<Mark | undefined> {
    this.writes += 1;
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
    else if (write.body) this.acknowledged.push({ version, mark, at: this.now });
    return response.status >= 400 ? undefined : mark;
  }

  /** As {@link writeRest}, with a version of its own. */
  writeFence(write: RestWrite): Promise<Mark | undefined> {
    return this.writeRest({ ...write, body: { ...write.body, version: this.#nextVersion() } });
  }

  /**
   * Waits until something has come to pass, looking whenever a message comes or a connection opens or ends.
   *
   * @throws Error with what `explain` gives, where it takes much too long
   */
  async until(condition: () => boolean, explain: () => string): Promise<void> {
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, maxWaitMs);
    try {
      while (!condition()) {
        if (isLate) throw new Error(explain());
        await new Promise<void>((resolve) => this.#listeners.push(resolve));
      }
    } finally {
      clearTimeout(limit);
    }
  }

  /** What happened, once server and writer are gone. */
  async history(): Promise<History> {
    return {
      transactions: this.#date(await this.database.readTransactions()),
      aborted: this.aborted,
      finalEpoch: 0,
      showsAhead: !this.database.hasPositions,
      maxUnsentBytes: Number.MAX_SAFE_INTEGER,
      overshootBytes: 0,
      streams: this.streams,
      connections: this.connections,
    };
  }

  /** When each was committed at the latest: an answer says that everything up to its position is. */
  #date(transactions: readonly Transaction[]): Transaction[] {
    const answers = this.acknowledged.flatMap(({ mark, at }) => (mark ? [{ position: mark.position, at }] : []));
    answers.sort((one, other) => other.position - one.position);
    let earliest = Number.POSITIVE_INFINITY;
    let next = 0;
    return transactions
      .toReversed()
      .map((transaction) => {
        for (; (answers[next]?.position ?? 0) >= transaction.last; next += 1) {
          earliest = Math.min(earliest, answers[next]?.at ?? earliest);
        }
        return { ...transaction, at: earliest };
      })
      .reverse();
  }

  async #killServer(nth: number): Promise<void> {
    const { command } = this.#servers[nth] ?? {};
    command?.process.kill("SIGKILL");
    this.#gone.add(nth);
    await command?.result;
  }

  /** Ends one that writes plain SQL within its transaction. */
  async #killWriter(): Promise<void> {
    const session = this.random.below(this.database.sessions);
    await this.database.run(this.#transaction(true), session);
    await this.database.killWriter(session);
  }

  #transaction(isAborted: boolean): string[] {
    this.writes += 1;
    const count = 1 + this.random.below(4);
    const statements = Array.from({ length: count }, () => this.#statement(isAborted)).flat();
    const bracket = (edge: string): string => `INSERT INTO brackets (edge) VALUES ('${edge}')`;
    return [this.database.begin, bracket("begin"), ...statements, bracket("end")];
  }

  /** One statement; now and then one that a savepoint takes back. */
  #statement(isAborted: boolean): string[] {
    const version = this.#nextVersion();
    const isTakenBack = this.random.chance(0.15);
    if (isAborted || isTakenBack) {
      for (let at = 0; at < versionsInAStatement; at += 1) this.aborted.add(version + at);
    }
    const statement = this.database.drawStatement(this.random, version);
    return isTakenBack ? ["SAVEPOINT before", statement, "ROLLBACK TO before"] : [statement];
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
