import { renameSync, rmSync } from "node:fs";
import { type HttpResponse, parseEventId } from "../../src/protocol/index.ts";
import type { Scaffold, ScaffoldOptions } from "../../src/scaffold/index.ts";
import { type Connection, openConnection } from "../../src/scaffold/sqlite/driver.ts";
import type { Hub } from "../../src/server/index.ts";
import { createRandom, type FakeClock, type Random } from "../../src/testing/index.ts";
import type { ConnectionHistory, History, Mark, Stream } from "./history.ts";
import { readTransactions } from "./journal-history.ts";
import { drawRestWrite, drawStatement, schema, sqlTargets, versionsInAStatement } from "./sql-statements.ts";
import type { Call, Peer, Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";
import type { System } from "./world.ts";

/** What is tested: the sources, or a copy of the built package with a defect in it. */
export interface SqlSystem extends System {
  createScaffold(options: ScaffoldOptions): Promise<Scaffold>;
}

const open = "BEGIN IMMEDIATE; INSERT INTO brackets (edge) VALUES ('begin')";
const close = "INSERT INTO brackets (edge) VALUES ('end'); COMMIT";

/** A scaffold and its hub over a SQLite file, with everything in this process and time standing still. */
export class SqlWorld implements Surroundings {
  readonly random: Random;
  readonly clock: FakeClock;
  readonly reads = 0;
  readonly horizon: number = Number.MAX_SAFE_INTEGER;
  streams: Stream[] = [];
  connections: ConnectionHistory[] = [];
  head = 0;
  readonly isHeadExact = false;
  epoch = 0;
  readonly #system: SqlSystem;
  readonly #path: string;
  readonly #aborted: Set<number> = new Set();
  /** The epoch that each position was first heard of in. */
  readonly #births: Map<string, number> = new Map();
  #copiedHead = 0;
  #versions = 0;
  #writer: Connection;
  #scaffold: Scaffold | undefined;
  #hub: Hub | undefined;

  constructor(system: SqlSystem, seed: number, path: string) {
    this.#system = system;
    this.#path = path;
    this.random = createRandom(seed);
    this.clock = system.createFakeClock(seed);
    this.#writer = openConnection(path, { create: true });
    this.#writer.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${schema}`);
  }

  get now(): number {
    return this.clock.now();
  }

  mark(eventId: string): Mark | undefined {
    const parsed = parseEventId(eventId);
    if (parsed?.kind !== "direct" || parsed.segment === "never-heard-of") return undefined;
    const { position } = parsed;
    this.head = Math.max(this.head, position);
    if (!this.#births.has(eventId)) this.#births.set(eventId, this.epoch);
    const isShared = this.epoch > 0 && position <= this.#copiedHead;
    return { epoch: isShared ? this.epoch : (this.#births.get(eventId) ?? 0), position };
  }

  isKnown(eventId: string): boolean {
    return this.mark(eventId)?.epoch === this.epoch;
  }

  nonsense(): string {
    return this.random.pick(["never-heard-of:3.0", "nonsense", "d-5f3a"]);
  }

  drawTarget(): Target {
    return this.random.pick(sqlTargets);
  }

  connect({ level, target, fields, onMessage }: Call): Promise<Peer> {
    if (!this.#hub) throw new Error("The server is not open.");
    const all = [["Host", "example.com"] as const, ...fields];
    return this.#system.connectMemoryPeer(this.#hub, target, { level, fields: all, onMessage });
  }

  async get(target: string): Promise<HttpResponse | undefined> {
    const response = await this.#scaffold?.origin({ method: "GET", target, fields: [], body: "" });
    return response && { ...response, reason: "" };
  }

  async openServer(): Promise<void> {
    this.#scaffold = await this.#system.createScaffold({ path: this.#path, clock: this.clock });
    const { origin, journal } = this.#scaffold;
    const limits = { maxRecentChanges: this.random.pick([0, 10_000]) };
    this.#hub = this.#system.createHub({ origin, ...(journal ? { journal } : {}), clock: this.clock, limits });
  }

  async closeServer(): Promise<void> {
    const closed = this.#hub?.close(0);
    await this.clock.advance(1);
    await closed;
    await this.#scaffold?.close();
  }

  /** One transaction of plain SQL, sometimes rolled back. */
  writeSql(): void {
    const isRolledBack = this.random.chance(0.2);
    this.#writer.exec(open);
    for (let count = 1 + this.random.below(4); count > 0; count -= 1) {
      const version = this.#nextVersion();
      if (isRolledBack) for (let at = 0; at < versionsInAStatement; at += 1) this.#aborted.add(version + at);
      try {
        this.#writer.exec(drawStatement(this.random, version));
      } catch {
        // A constraint: SQLite takes this statement back, and the transaction goes on.
      }
    }
    this.#writer.exec(isRolledBack ? "ROLLBACK" : close);
  }

  /** One write over REST, answered later. */
  writeRest(): void {
    const { method, target, body } = drawRestWrite(this.random, this.#nextVersion());
    const fields = [
      ["Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json"] as const,
    ];
    void this.#scaffold?.origin({ method, target, fields, body: body ? JSON.stringify(body) : "" });
  }

  /** Copies the database, for {@link SqlWorld.restore}. */
  copy(): void {
    this.#writer.exec(`VACUUM INTO '${this.#path}.copy'`);
    this.#copiedHead = Number(this.#writer.prepare("SELECT max(position) FROM _rocket_journal").all()[0]?.[0]);
  }

  /** Puts the copy in the database's place, while nobody serves it: what was committed since is lost. */
  restore(): void {
    this.#writer.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${this.#path}${suffix}`, { force: true });
    renameSync(`${this.#path}.copy`, this.#path);
    this.#writer = openConnection(this.#path);
    this.#writer.exec("PRAGMA synchronous = OFF");
    this.epoch += 1;
    this.head = this.#copiedHead;
  }

  closeWriter(): void {
    this.#writer.close();
  }

  /** What happened since the last time, once nobody serves the database. */
  async takeHistory(): Promise<History> {
    const { streams, connections } = this;
    this.streams = [];
    this.connections = [];
    return {
      transactions: await readTransactions(this.#path),
      aborted: this.#aborted,
      finalEpoch: this.epoch,
      maxUnsentBytes: Number.MAX_SAFE_INTEGER,
      overshootBytes: 0,
      streams,
      connections,
    };
  }

  #nextVersion(): number {
    this.#versions += versionsInAStatement;
    return this.#versions;
  }
}
