import { type Field, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import {
  type Batch,
  type Change,
  createHub,
  type DerivedOptions,
  type Hub,
  type HubLimits,
  type Journal,
  type MemoryJournal,
  type Origin,
  type OriginRequest,
  type Page,
  type Representation,
  type Revocations,
} from "../../src/server/index.ts";
import {
  connectMemoryPeer,
  createFakeClock,
  createMemoryStore,
  type FakeClock,
  type MemoryPeer,
  type MemoryStore,
} from "../../src/testing/index.ts";

export interface WorldOptions {
  readonly limits?: Partial<HubLimits>;
  readonly refreshMs?: number;
  readonly derived?: DerivedOptions;
  readonly maxChanges?: number;
  /** Milliseconds that the origin takes after it read the state. */
  readonly latencyMs?: () => number;
  /** Put around the store's origin. */
  readonly around?: (origin: Origin) => Origin;
  readonly requestsInBand?: boolean;
  readonly revocations?: Revocations;
  readonly requestFields?: readonly string[];
  readonly seed?: number;
}

/** A hub over a store in memory, with a clock that stands still. */
export interface World {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly hub: Hub;
  /** Whether the journal can't be read. */
  isAway: boolean;
  /** How a change's record is shown to those who follow it. */
  show: (change: Change) => Representation;
  /** What the origin was asked. */
  readonly asked: OriginRequest[];
  readonly errors: { readonly stage: string; readonly error: unknown }[];
  open(target: string, fields?: readonly Field[], level?: 0 | 1): Promise<MemoryPeer>;
  /** As `open`; resolves once everything that follows has happened. */
  opened(target: string, fields?: readonly Field[], level?: 0 | 1): Promise<MemoryPeer>;
  put(collection: string, id: number, columns?: Record<string, string | number | null>): void;
  remove(collection: string, id: number): void;
}

export const host: Field = ["Host", "example.com"];

/** A journal whose changes are shown in another way. */
function shownBy(journal: MemoryJournal, show: (change: Change) => Representation, isAway: () => boolean): Journal {
  const shown = <Part extends Batch | Page>(batch: Part): Part => ({
    ...batch,
    changes: batch.changes.map((change) =>
      Object.create(change, {
        represent: { value: () => show(change) },
        representBefore: { value: () => change.representBefore?.() },
      }),
    ),
  });
  return {
    get head() {
      return journal.head;
    },
    get isAway() {
      return isAway();
    },
    tail: (listener) => journal.tail((batch) => listener(shown(batch))),
    poll: () => journal.poll(),
    locate: (eventId) => journal.locate(eventId),
    async read(position, limit) {
      const page = await journal.read(position, limit);
      return page && shown(page);
    },
  };
}

export function createWorld({
  limits,
  refreshMs,
  derived,
  maxChanges,
  latencyMs,
  around,
  seed = 1,
  ...inBand
}: WorldOptions = {}): World {
  const clock = createFakeClock(seed);
  const store = createMemoryStore({
    collections: ["a", "b"],
    segment: "m",
    clock,
    ...(maxChanges === undefined ? {} : { maxChanges }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  });
  const asked: OriginRequest[] = [];
  const errors: { stage: string; error: unknown }[] = [];
  const inner = around?.(store.origin) ?? store.origin;
  const hub = createHub({
    origin: (request) => {
      asked.push(request);
      return inner(request);
    },
    journal: shownBy(
      store.journal,
      (change) => world.show(change),
      () => world.isAway,
    ),
    clock,
    ...inBand,
    ...(limits ? { limits } : {}),
    ...(derived ? { derived } : {}),
    ...(refreshMs === undefined ? {} : { refreshMs }),
    onError: (error, { stage }) => errors.push({ error, stage }),
  });
  const open = (target: string, fields: readonly Field[] = [], level: 0 | 1 = 1): Promise<MemoryPeer> =>
    connectMemoryPeer(hub, target, { level, fields: [host, ...fields] });
  const world: World = {
    clock,
    store,
    hub,
    isAway: false,
    show: (change) => change.represent(),
    asked,
    errors,
    open,
    async opened(target, fields, level) {
      const opening = open(target, fields, level);
      await clock.settle();
      const peer = await opening;
      await clock.settle();
      return peer;
    },
    put(collection, id, columns = {}) {
      store.transaction((writer) => writer.put(collection, { id, ...columns }));
    },
    remove(collection, id) {
      store.transaction((writer) => writer.remove(collection, id));
    },
  };
  return world;
}

/** For changes that nobody is to be shown. */
export function unshown(): never {
  throw new Error("Nobody is to be shown this.");
}

/** `201 /a/1 @3 sub=/a id=7`: status, record, position, subscription, request. */
export function brief({ status, fields }: HttpResponse): string {
  const url = fieldValue(fields, "content-location");
  const eventId = fieldValue(fields, "event-id");
  const subscription = fieldValue(fields, "subscription");
  const id = fieldValue(fields, "request-id");
  return [
    String(status),
    ...(url === undefined ? [] : [url]),
    ...(eventId === undefined ? [] : [`@${eventId.replace(/^m:/, "").replace(/\.0$/, "")}`]),
    ...(subscription === undefined ? [] : [`sub=${subscription}`]),
    ...(id === undefined ? [] : [`id=${id}`]),
  ].join(" ");
}

export function briefs(peer: MemoryPeer, from = 0): string[] {
  return peer.messages.slice(from).map(brief);
}

/** The one message that is expected there. */
export function messageAt(peer: MemoryPeer, at: number): HttpResponse {
  const message = peer.messages.at(at);
  if (!message) throw new Error(`There is no message ${at}; there are ${peer.messages.length}.`);
  return message;
}

/** A problem's detail. */
export function detailOf(message: HttpResponse): string {
  return (JSON.parse(String(message.body)) as { detail: string }).detail;
}

export function lastEventId(position: number, check = 0): Field {
  return ["Last-Event-ID", `m:${position}.${check}`];
}
