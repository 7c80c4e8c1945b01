import { onTestFinished } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import type { AppViewer, Authorize } from "../../../src/scaffold/index.ts";
import { createHub, type Hub } from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer } from "../../../src/testing/index.ts";
import type { Answer } from "../answer.ts";
import { type EngineSql, type Service, serve, type TestOptions } from "./service.ts";
import { until } from "./told.ts";

/** What an application knows of who asks: what its `authorize` says, by the name in the cookie. */
export type People = Record<string, () => object | null | Promise<object | null>>;

/** A service of an application that knows people by a cookie. */
export interface AppSite extends Service {
  /** Everybody that the application knows. It may change. */
  readonly people: People;
  /** What `authorize` was asked for: the method and the name. */
  readonly asked: string[];
  readonly hub: Hub;
  /** Sends a request with somebody's cookie. */
  as(name: string, method: string, target: string, body?: unknown, fields?: Record<string, string>): Promise<Answer>;
  /** Follows with somebody's cookie; resolves once it is caught up, or refused. */
  follow(name: string, target: string, level?: 0 | 1): Promise<MemoryPeer>;
  /** Runs another program's statements, and has the journal tell of them. */
  change(sql: string): Promise<void>;
}

/** The fields of a request with somebody's cookie. */
function cookieOf(name: string): Field {
  return ["Cookie", `who=${name}`];
}

/** Serves a database to the people of an application. */
export async function serveApp(sql: EngineSql, people: People, options: TestOptions = {}): Promise<AppSite> {
  const asked: string[] = [];
  const authorize: Authorize<AppViewer> = ({ method, headers }) => {
    const name = headers.get("authorization")?.slice(7) ?? /who=(\w+)/.exec(headers.get("cookie") ?? "")?.[1] ?? "";
    asked.push(`${method} ${name}`);
    return (people[name]?.() ?? null) as AppViewer | null;
  };
  const service = await serve(sql, { authorize, ...options });
  const { origin, journal, derived, revocations } = service.scaffold;
  const hub = createHub({ origin, derived, ...(journal && { journal }), ...(revocations && { revocations }) });
  onTestFinished(() => void hub.close(0));
  return {
    ...service,
    ...{ people, asked, hub },
    as: (name, method, target, body, fields = {}) =>
      service.send(method, target, body, { Cookie: cookieOf(name)[1], ...fields }),
    async follow(name, target, level = 1) {
      const peer = await connectMemoryPeer(hub, target, { fields: [["Host", "example.com"], cookieOf(name)], level });
      const isSilent = level === 0 || target.startsWith("/.well-known/");
      await until(() => isSilent || peer.messages.some(({ status }) => status === 304 || status >= 400));
      return peer;
    },
    async change(text) {
      await service.run(text);
      await journal?.poll();
    },
  };
}
