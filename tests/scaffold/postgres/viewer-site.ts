import { onTestFinished } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { Viewer } from "../../../src/scaffold/engine/viewer.ts";
import { openPostgres } from "../../../src/scaffold/postgres/engine/open-postgres.ts";
import { catalogOf } from "../../../src/scaffold/rest/catalog.ts";
import { read } from "../../../src/scaffold/rest/read.ts";
import { Service } from "../../../src/scaffold/rest/service.ts";
import {
  createHub,
  type DerivedOptions,
  type Hub,
  type Origin,
  type OriginRequest,
  systemClock,
} from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer } from "../../../src/testing/index.ts";
import { briefs } from "../../server/derived/fixture.ts";

/** The field that says who asks, here: a role of the database, and claims. */
export function as(role: string, claims: Readonly<Record<string, unknown>> = {}): Field {
  return ["Authorization", JSON.stringify({ role, claims })];
}

function viewerOf(request: OriginRequest): Viewer {
  const text = fieldValue(request.fields, "authorization") ?? `{"role":"anon","claims":{}}`;
  const { role, claims } = JSON.parse(text) as { role: string; claims: Record<string, unknown> };
  return { role: role === "" ? undefined : role, claims, key: text, request };
}

/** One server process, as far as a test has them: a hub over an engine whose requests have viewers. */
export interface ViewerSite {
  readonly hub: Hub;
  readonly origin: Origin;
  readonly errors: unknown[];
  get(target: string, who: Field): ReturnType<Origin>;
  /** Follows a URL; resolves once the first bookmark came, or it was refused. */
  follow(target: string, who: Field, fields?: readonly Field[]): Promise<MemoryPeer>;
  close(): Promise<void>;
}

/** Options of a site, beside where its database is. */
export interface ViewerSiteOptions {
  readonly schemas?: readonly string[];
  readonly isServed?: (table: string) => boolean;
  /** Something wrong with whom requests are taken for. */
  readonly mistake?: (viewer: Viewer) => Viewer;
  /** Something wrong with the origin. */
  readonly around?: (origin: Origin) => Origin;
  readonly derived?: DerivedOptions;
}

export async function openViewerSite(connect: string, options: ViewerSiteOptions = {}): Promise<ViewerSite> {
  const { schemas = ["public"], isServed = () => true, around = (origin) => origin, derived = {} } = options;
  const { mistake = (viewer) => viewer } = options;
  const errors: unknown[] = [];
  const served = Object.assign((table: string) => isServed(table), { basePath: "" });
  const engine = await openPostgres({
    ...{ connect, schemas, retention: undefined, readTimeoutMs: 5_000, clock: systemClock },
    ...{
      reportError: (error) => errors.push(error),
      hasRoles: true,
      names: undefined,
      onSchema: () => undefined,
      isServed: served,
    },
  });
  const settings = { notLive: undefined, maxRows: 1_000, maxPageBytes: 1_000_000 };
  const service = new Service({
    ...{
      engine,
      schema: "public",
      viewerOf: (request: OriginRequest) => mistake(viewerOf(request)),
      isServed: served,
      settings,
      onError: (error) => errors.push(error),
    },
    actions: new Set(["read", "create", "update", "destroy", "subscribe"]),
    answerRead: (request, target, viewer) =>
      engine.read((snapshot) => read(snapshot, catalogOf(snapshot.schema, served), request, target, settings), viewer),
  });
  const origin = around(service.answer);
  const { journal } = engine;
  const hub = createHub({
    ...{ origin, derived, onError: (error) => errors.push(error) },
    ...(journal ? { journal } : {}),
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= hub.close(0).then(() => engine.close());
    return closing;
  };
  onTestFinished(close);
  return {
    hub,
    origin,
    errors,
    get: (target, who) => origin({ method: "GET", target, fields: [who], body: "" }),
    async follow(target, who, fields = []) {
      const peer = await connectMemoryPeer(hub, target, { fields: [["Host", "example.com"], who, ...fields] });
      await until(() => peer.messages.some(({ status }) => status === 304 || status >= 400));
      return peer;
    },
    close,
  };
}

/** Resolves once it is so. @throws after 10 seconds */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("It did not come to be so.");
    await new Promise<void>((resolve) => setTimeout(resolve, 2));
  }
}

/** Resolves once a peer was told so much, with all that it was told. */
export async function told(peer: MemoryPeer, count: number): Promise<string[]> {
  await until(() => briefs(peer).length >= count);
  return briefs(peer);
}
