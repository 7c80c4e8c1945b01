import { beforeAll, describe, expect, it } from "vitest";
import { Callbacks } from "../../src/client/callbacks.ts";
import { Feed } from "../../src/client/feed.ts";
import {
  type MessageCallback,
  type SubscribeOptions,
  type Subscription,
  subscribeToFeed,
} from "../../src/client/subscription.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, listOf } from "./messages.ts";

beforeAll(() => import("../../src/client/answers.ts"));

const clock = createFakeClock();
const errors: unknown[] = [];
const callbacks = new Callbacks({ clock, onError: (error) => errors.push(error), onBehind: () => {} });

/** Follows a feed as answers. */
function follow(feed: Feed, ...rest: [callback?: MessageCallback, options?: SubscribeOptions]): Subscription {
  const [callback, options = {}] = rest;
  return subscribeToFeed({ feed, url: "http://h/a", callbacks }, callback, options);
}

function feedOf(): Feed {
  return new Feed({
    target: "/a",
    origin: "http://h",
    clock,
    urls: new WeakMap(),
    versions: new WeakMap(),
    follow: () => () => {},
    askAnew: () => {},
    onStatus: () => {},
  });
}

/** A list with nothing in it that is live, then one row and another: three batches. */
function feed(into: Feed): void {
  into.take(listOf([], ["Event-ID", "k:1.0"]));
  into.take({ status: 304, reason: "", fields: [["Event-ID", "k:1.0"]], body: "" });
  into.take(change(201, { id: 1 }, ["Event-ID", "k:2.0"]));
  into.take(change(201, { id: 2 }, ["Event-ID", "k:3.0"]));
}

/** Until what is loaded late is there. */
function loaded(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

describe("Answers to what came while their code was being loaded", () => {
  it("are told one by one, and the status after them", async () => {
    const followed = feedOf();
    const told: unknown[] = [];
    const onStatus = ({ state }: { state: string }): void => void told.push(state);
    follow(followed, (_request, { status }) => told.push(status), { onStatus });
    feed(followed);
    await loaded();
    expect(told).toEqual([200, 201, 201, "live"]);
  });

  it("end where the callback closes the subscription", async () => {
    const followed = feedOf();
    const told: number[] = [];
    const subscription = follow(
      followed,
      (_request, { status }) => {
        told.push(status);
        subscription.close();
      },
      {},
    );
    feed(followed);
    await loaded();
    expect([told, followed.listeners.size]).toEqual([[200], 0]);
  });

  it("go on where the callback throws", async () => {
    const followed = feedOf();
    const told: unknown[] = [];
    const onStatus = ({ state }: { state: string }): void => void told.push(state);
    const callback = (_request: unknown, { status }: Response): void => {
      told.push(status);
      if (status === 200) throw new Error("of the application");
    };
    follow(followed, callback, { onStatus });
    feed(followed);
    await loaded();
    expect(told).toEqual([200, 201, 201, "live"]);
    expect(errors).toEqual([new Error("of the application")]);
  });
});

describe("An iterator of answers", () => {
  it("can be ended while it waits, and before it began", async () => {
    for (const hasBegun of [true, false]) {
      const followed = feedOf();
      const iterator = follow(followed, undefined, {})[Symbol.asyncIterator]();
      const next = hasBegun ? iterator.next() : undefined;
      await loaded();
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
      expect(await (next ?? iterator.next())).toEqual({ done: true, value: undefined });
      expect(followed.listeners.size).toBe(0);
    }
  });

  it("ends beside another one", async () => {
    const followed = feedOf();
    const subscription = follow(followed, undefined, {});
    const waiting = [subscription, subscription].map((one) => one[Symbol.asyncIterator]().next());
    await loaded();
    subscription.close();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it("begins with the whole, also beside a callback that was told it", async () => {
    const followed = feedOf();
    const told: number[] = [];
    const subscription = follow(followed, (_request, { status }) => told.push(status), {});
    feed(followed);
    await loaded();
    const { value } = await subscription[Symbol.asyncIterator]().next();
    expect([told, value.status, await value.json()]).toEqual([[200, 201, 201], 200, { a: [{ id: 1 }, { id: 2 }] }]);
  });
});
