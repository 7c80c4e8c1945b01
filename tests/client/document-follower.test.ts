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
  const sink: Sink = {
    target: "/a",
    position: undefined,
    askedAt: undefined,
    isUnseen: false,
    isCaughtUp: true,
    hasState: true,
    intervalMs: undefined,
    lookEvery: () => {},
    early: () => {},
    take: ({ status, body }) => status === 304 || taken.push(body) > 0,
    lost: () => {},
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
  return { clock, follower, asked, headers, sockets, closed, taken, sink };
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
});
