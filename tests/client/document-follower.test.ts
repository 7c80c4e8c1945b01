import { describe, expect, it } from "vitest";
import { DocumentFollower } from "../../src/client/document-follower.ts";
import type { Http } from "../../src/client/http.ts";
import { RowLooks } from "../../src/client/row-looks.ts";
import type { Sink } from "../../src/client/transport.ts";
import type { SocketEvents } from "../../src/client/web-socket.ts";
import { type HttpResponse, heartbeatMs } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, listOf } from "./messages.ts";

/** A follower whose GETs and sockets the test answers by hand. */
function follow({ hasLevel0 }: { readonly hasLevel0: boolean }) {
  const clock = createFakeClock();
  const asked: ((answer: HttpResponse) => void)[] = [];
  const sockets: SocketEvents[] = [];
  const closed: number[] = [];
  const taken: unknown[] = [];
  const every: unknown[] = [];
  const lost: unknown[] = [];
  const sink: Sink = {
    target: "/a",
    position: undefined,
    askedAt: undefined,
    isUnseen: false,
    isCaughtUp: true,
    hasState: true,
    intervalMs: undefined,
    lookEvery: (ms) => void every.push(ms),
    early: () => {},
    take: ({ status, body }) => status === 304 || taken.push(body) > 0,
    lost: (_isOffline, refusal) => void lost.push(refusal),
    fail: () => {},
  };
  const headers: unknown[] = [];
  const ask = (_path: string, init: RequestInit) => {
    headers.push(init.headers);
    return new Promise((resolve) => asked.push(resolve));
  };
  const http = { ask, base: new URL("http://h/") } as unknown as Http;
  const open = (events: SocketEvents) => {
    const at = sockets.push(events) - 1;
    return { send: () => {}, close: () => void closed.push(at) };
  };
  const follower = new DocumentFollower({
    sink,
    clock,
    http,
    looks: new RowLooks({ clock, http }),
    open: hasLevel0 ? open : undefined,
    onUnreachable: () => {},
  });
  return { clock, follower, asked, headers, sockets, closed, taken, every, lost, sink };
}

const older = listOf([{ id: 1, v: 1 }]);
const newer = listOf([{ id: 1, v: 2 }]);

describe("A follower of documents", () => {
  it("does not let an answer that was asked for earlier win over a later one", async () => {
    const { clock, follower, asked, taken } = follow({ hasLevel0: false });
    follower.wake();
    asked[1]?.(newer);
    await clock.settle();
    asked[0]?.(older);
    await clock.settle();
    expect(taken).toEqual([newer.body]);
    follower.stop();
  });

  it("leaves no timer where whoever is told that nothing changed ends it", async () => {
    const { clock, follower, asked, sockets, sink } = follow({ hasLevel0: true });
    sockets[0]?.opened();
    asked[0]?.(older);
    await clock.advance(heartbeatMs);
    asked[1]?.(older);
    await clock.settle();
    sink.take = () => {
      follower.stop();
      return true;
    };
    await clock.advance(60_000);
    expect(clock.timers).toBe(0);
  });

  it("looks without a socket for half a minute after one that could not be opened", async () => {
    const { clock, follower, asked, sockets } = follow({ hasLevel0: true });
    sockets[0]?.ended(1006);
    for (let looks = 1; looks <= 4; looks += 1) {
      asked[looks - 1]?.(older);
      await clock.advance(6_000);
    }
    expect([asked.length, sockets.length]).toEqual([5, 1]);
    for (let looks = 5; looks <= 6; looks += 1) {
      asked[looks - 1]?.(older);
      await clock.advance(6_000);
    }
    expect(sockets.length).toBe(2);
    follower.stop();
  });

  it("makes a new Level 0 socket when it is woken: the old one may have died without a sign", async () => {
    const { clock, follower, asked, sockets, closed, taken } = follow({ hasLevel0: true });
    sockets[0]?.opened();
    asked[0]?.(older);
    await clock.settle();
    follower.wake();
    sockets[1]?.opened();
    asked[1]?.(newer);
    await clock.settle();
    expect([closed, taken]).toEqual([[0], [older.body, newer.body]]);
    follower.stop();
  });

  it("looks a second time at Level 0: the first may have met a state that the server never tells of", async () => {
    const { clock, follower, asked, headers, sockets, taken } = follow({ hasLevel0: true });
    sockets[0]?.opened();
    asked[0]?.(listOf([{ id: 1 }, { id: 2 }], ["ETag", '"1"']));
    await clock.advance(heartbeatMs);
    expect(headers[1]).toHaveProperty("If-None-Match", '"1"');
    asked[1]?.(older);
    await clock.advance(heartbeatMs * 3);
    expect([taken.at(-1), asked.length]).toEqual([older.body, 2]);
    follower.stop();
  });

  it("leaves that second look to later where a change comes meanwhile", async () => {
    const { clock, follower, asked, headers, sockets, taken } = follow({ hasLevel0: true });
    sockets[0]?.opened();
    asked[0]?.(listOf([{ id: 1, v: 1 }], ["ETag", '"1"']));
    await clock.advance(heartbeatMs);
    const { body } = change(202, { id: 1 });
    sockets[0]?.received(`HTTP/1.1 202 Accepted\r\nContent-Location: /a/1\r\n\r\n${body}`);
    asked[1]?.(older);
    await clock.advance(heartbeatMs);
    expect([taken.length, taken[1], headers.length]).toEqual([2, body, 3]);
    expect(headers[2]).not.toHaveProperty("If-None-Match");
    follower.stop();
  });

  it("opens its Level 0 socket anew at growing intervals, and looks without it where it is ended soon again and again [R-CLOSE-5]", async () => {
    const { clock, follower, asked, sockets, every } = follow({ hasLevel0: true });
    const end = () => {
      sockets.at(-1)?.opened();
      sockets.at(-1)?.ended(1013);
    };
    end();
    await clock.advance(600);
    expect([sockets.length, every]).toEqual([2, []]);
    end();
    for (let second = 0; second < 28; second += 1) {
      asked.at(-1)?.(older);
      await clock.advance(1_000);
    }
    expect([sockets.length, every.at(-1)]).toEqual([2, 5_000]);
    expect(asked.length).toBeGreaterThan(6);
    asked.at(-1)?.(older);
    await clock.advance(8_000);
    expect(sockets.length).toBe(3);
    follower.stop();
  });

  it("says what a GET is refused with for a while, and asks at growing intervals, with sockets that open as well", async () => {
    const { clock, follower, asked, sockets, lost } = follow({ hasLevel0: true });
    let opened = 0;
    for (let second = 0; second < 60; second += 1) {
      for (; opened < sockets.length; opened += 1) sockets[opened]?.opened();
      asked.at(-1)?.({ status: 503, reason: "", fields: [], body: "" });
      await clock.advance(1_000);
    }
    expect(lost.at(-1)).toMatchObject({ status: 503 });
    expect(asked.length).toBeLessThan(30);
    follower.stop();
  });

  it("goes on looking where a look fails and the way is kept", async () => {
    const { clock, follower, asked, lost, taken } = follow({ hasLevel0: false });
    asked[0]?.(undefined as never);
    await clock.advance(600);
    expect(lost).toEqual([undefined]);
    asked[1]?.(older);
    await clock.settle();
    expect(taken).toEqual([older.body]);
    follower.stop();
  });

  it("begins with short waits again after a socket that was stable, and after a look that was answered [R-CLOSE-5]", async () => {
    const level0 = follow({ hasLevel0: true });
    for (let times = 1; times <= 8; times += 1) {
      level0.sockets.at(-1)?.opened();
      level0.asked.at(-1)?.(older);
      await level0.clock.advance(11_000);
      level0.sockets.at(-1)?.ended(1006);
      await level0.clock.advance(600);
      expect(level0.sockets.length).toBe(times + 1);
    }
    level0.follower.stop();
    const polling = follow({ hasLevel0: false });
    for (let times = 1; times <= 8; times += 1) {
      polling.asked.at(-1)?.({ status: 503, reason: "", fields: [], body: "" });
      await polling.clock.advance(600);
      expect(polling.asked.length).toBe(2 * times);
      polling.asked.at(-1)?.(older);
      await polling.clock.advance(6_000);
    }
    polling.follower.stop();
  });
});
