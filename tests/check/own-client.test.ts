import { describe, expect, it } from "vitest";
import { hasFailed } from "../../src/check/index.ts";
import { createClient } from "../../src/client/index.ts";
import { checkClient, type Following, type Place, speed } from "./harness.ts";

/** A clock on which as much time passes as the situations take for granted. */
const clock = {
  now: () => performance.now() * speed,
  setTimer: (callback: () => void, ms: number) => {
    const timer = setTimeout(callback, ms / speed);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Has no streams: on a busy machine, sockets may seem to be blocked for a while. */
function withoutStreams(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const isStream = new Headers(init?.headers).get("accept")?.startsWith("text/event-stream");
  return isStream ? Promise.resolve(new Response(null, { status: 406 })) : fetch(url, init);
}

function follow({ base }: Place): Following {
  const client = createClient(base, { clock, onError: () => {}, fetch: withoutStreams });
  const items = client.collection("/items");
  items.subscribe(() => {});
  return { rows: () => items.getSnapshot().rows, stop: () => client.close() };
}

/** Where WebSockets are blocked. */
class Blocked extends EventTarget {
  constructor() {
    super();
    queueMicrotask(() => {
      this.dispatchEvent(new Event("error"));
      this.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" }));
    });
  }
  close(): void {}
}

/** Each at a host of its own: a client has no more than four streams to one. */
function followByStreams({ name, base }: Place): Following {
  const { origin, pathname } = new URL(base);
  const own = `http://${name}.test`;
  const client = createClient(own + pathname, {
    ...{ clock, onError: () => {}, WebSocket: Blocked as never },
    fetch: (url, init) => fetch(String(url).replace(own, origin), init),
  });
  const items = client.collection("/items");
  items.subscribe(() => {});
  return { rows: () => items.getSnapshot().rows, stop: () => client.close() };
}

describe("the project's client", () => {
  it("does nothing wrong in any situation, whatever version of the protocol the server names [R-EXT-3]", {
    timeout: 60_000,
  }, async () => {
    const report = await checkClient(follow, { way: "socket" });
    expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
    expect(hasFailed(report)).toBe(false);
  });

  it("does nothing wrong over event streams, where there is no WebSocket [R-STR-7] [R-STR-8]", {
    timeout: 60_000,
  }, async () => {
    const report = await checkClient(followByStreams, { way: "events" });
    expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
  });
});
