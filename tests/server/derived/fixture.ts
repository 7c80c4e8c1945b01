import { type Field, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import {
  createHub,
  type DerivedOptions,
  type Hub,
  type HubOptions,
  type OriginRequest,
  type OriginResponse,
} from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, type FakeClock, type MemoryPeer } from "../../../src/testing/index.ts";

/** What an app answers: a response, or the JSON of a 200. */
export type Answer = (request: OriginRequest) => OriginResponse | object;

export interface AppWorldOptions extends Partial<Pick<HubOptions, "identity" | "limits">> {
  readonly derived?: DerivedOptions;
  readonly seed?: number;
}

/** A hub in front of an app, with a clock that stands still. */
export class AppWorld {
  readonly clock: FakeClock;
  readonly hub: Hub;
  /** What the app was asked. */
  readonly asked: OriginRequest[] = [];
  readonly errors: string[] = [];
  /** What `onError` was told, of which `errors` has the stages. */
  readonly told: unknown[] = [];
  answer: Answer;
  latencyMs = 0;
  /** As `latencyMs`, by request. */
  delayMs: (request: OriginRequest) => number = () => this.latencyMs;
  running = 0;
  mostRunning = 0;
  /** Whether the records of lists are at their own URLs. What is asked of them does not count as asked. */
  hasRecords = true;
  readonly #opened: Set<string> = new Set();

  constructor(answer: Answer, { derived = {}, identity, limits, seed = 1 }: AppWorldOptions = {}) {
    this.answer = answer;
    this.clock = createFakeClock(seed);
    this.hub = createHub({
      origin: (request) => this.#origin(request),
      clock: this.clock,
      derived,
      ...(identity ? { identity } : {}),
      ...(limits ? { limits } : {}),
      onError: (error, { stage }) => {
        this.errors.push(stage);
        this.told.push(error);
      },
    });
  }

  open(target: string, fields: readonly Field[] = [], level: 0 | 1 = 1, peer?: unknown): Promise<MemoryPeer> {
    this.#opened.add(pathOf(target));
    return connectMemoryPeer(this.hub, target, { level, fields: [["Host", "example.com"], ...fields], peer });
  }

  /** As `open`; resolves once everything that follows has happened. */
  async opened(target: string, fields: readonly Field[] = [], level: 0 | 1 = 1, from?: unknown): Promise<MemoryPeer> {
    const opening = this.open(target, fields, level, from);
    await this.clock.settle();
    const peer = await opening;
    await this.clock.settle();
    return peer;
  }

  /** Says that something was written, and lets what follows at once happen. */
  async changed(...urls: string[]): Promise<void> {
    this.hub.changed(urls);
    await this.clock.settle();
  }

  /** How many GETs there were since it was asked last. */
  takeGets(): number {
    return this.asked.splice(0).length;
  }

  /** The record of a list that was opened, by its key. */
  #record({ target }: OriginRequest): OriginResponse | undefined {
    const [, list = "", key = ""] = /^(.*)\/([^/]+)$/.exec(target) ?? [];
    if (!this.hasRecords || !this.#opened.has(list) || this.#opened.has(target)) return undefined;
    const name = decodeURIComponent(key);
    return json({ id: name, _id: name, uuid: name, key: name });
  }

  async #origin(request: OriginRequest): Promise<OriginResponse> {
    const record = this.#record(request);
    if (record) return record;
    this.asked.push(request);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const answer = this.answer(request);
    const delayMs = this.delayMs(request);
    if (delayMs > 0) await new Promise<void>((resolve) => this.clock.setTimer(resolve, delayMs));
    this.running -= 1;
    return "status" in answer ? (answer as OriginResponse) : json(answer);
  }
}

function pathOf(target: string): string {
  return (target.split("?")[0] ?? "").replace(/\/$/, "");
}

/** A 200 with JSON. */
export function json(document: unknown, ...fields: readonly Field[]): OriginResponse {
  return { status: 200, fields: [["Content-Type", "application/json"], ...fields], body: JSON.stringify(document) };
}

/** An answer without a document. */
export function plain(status: number, ...fields: readonly Field[]): OriginResponse {
  return { status, fields, body: "" };
}

/** `201 /a/1 #0 sub=/a`: status, record, place, subscription, request. */
function brief({ status, fields }: HttpResponse): string {
  const parts: string[] = [String(status)];
  const url = fieldValue(fields, "content-location");
  const index = fieldValue(fields, "item-index");
  const subscription = fieldValue(fields, "subscription");
  if (url !== undefined) parts.push(url);
  if (index !== undefined) parts.push(`#${index}`);
  if (subscription !== undefined) parts.push(`sub=${subscription}`);
  return parts.join(" ");
}

export function briefs({ messages }: MemoryPeer, from = 2): string[] {
  return messages.slice(from).map(brief);
}

export function eventIdAt({ messages }: MemoryPeer, at: number): string {
  return fieldValue(messages.at(at)?.fields ?? [], "event-id") ?? "";
}

export function cookie(name: string): Field {
  return ["Cookie", `session=${name}`];
}

/** The user of a request's cookie. */
export function userOf({ fields }: OriginRequest): string {
  return (fieldValue(fields, "cookie") ?? "").replace("session=", "");
}
