import { expect, it, onTestFinished, vi } from "vitest";
import { platformClock } from "../../src/client/clock.ts";
import { Feed } from "../../src/client/feed.ts";
import { RowUrls } from "../../src/client/row-urls.ts";
import { shareAmongTabs } from "../../src/client/tabs.ts";
import type { Sink, Transport } from "../../src/client/transport.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";
import { Locks } from "./locks.ts";

const target = "/notes";

/** A connection whose messages the test makes up. */
class FakeTransport implements Transport {
  sinks: Sink[] = [];

  follow({ sink }: { readonly sink: Sink }): () => void {
    this.sinks.push(sink);
    return () => void this.sinks.splice(this.sinks.indexOf(sink), 1);
  }

  renew(): void {}
  wake(): void {}
  close(): void {}
}

function openTab(name: string): { own: FakeTransport; feed: Feed; shared: Transport } {
  const own = new FakeTransport();
  const shared: Transport = shareAmongTabs(own, { name, clock: platformClock, feedOf: () => feed });
  const feed: Feed = new Feed({
    target,
    clock: platformClock,
    urls: new RowUrls(),
    follow: (sink) => shared.follow({ target, sink }),
    onStatus: () => {},
  });
  onTestFinished(() => shared.close());
  return { own, feed, shared };
}

function message(status: number, eventId: string, body = ""): HttpResponse {
  const fields = [
    ["Content-Type", "application/json"],
    ["Items", 'list="/notes", url="/notes/{id}"'],
    ["Event-ID", eventId],
  ] as const;
  return { status, reason: "", fields, body };
}

/** Waits until a feed is as wanted. */
function until(feed: Feed, isWanted: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isWanted()) return;
      unlisten();
      resolve();
    };
    const unlisten = feed.listen({ changed: look });
    look();
  });
}

it("A tab without the connection moves its position by bookmarks, as the one that has it does", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  onTestFinished(() => void vi.unstubAllGlobals());
  const name = crypto.randomUUID();
  const [leader, follower] = [openTab(name), openTab(name)];
  leader.feed.listen({});
  await vi.waitUntil(() => leader.own.sinks.length === 1);
  const [sink] = leader.own.sinks;
  sink?.take(message(200, "s:1", '{"notes":[{"id":1}]}'));
  sink?.take(message(304, "s:1"));
  await until(follower.feed, () => follower.feed.isCaughtUp);
  expect(follower.feed.position).toBe("s:1");

  sink?.take(message(304, "s:2"));

  await until(follower.feed, () => follower.feed.position === "s:2");
  expect(follower.feed.replica.rows).toEqual([{ id: 1 }]);
  expect(follower.own.sinks).toEqual([]);
});
