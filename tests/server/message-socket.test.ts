import { describe, expect, it } from "vitest";
import { connectMessageSocket, createHub, type Hub, type MessageSocket } from "../../src/server/index.ts";
import { createFakeClock, createMemoryStore } from "../../src/testing/index.ts";

interface FakeSocket extends MessageSocket {
  readonly sent: (string | Uint8Array)[];
  readonly ended: string[];
  bufferedAmount: number;
  /** Whether what is sent stays with this side. */
  isStalled: boolean;
}

function fakeSocket(extra: Partial<MessageSocket> = {}): FakeSocket {
  const sent: (string | Uint8Array)[] = [];
  const ended: string[] = [];
  return {
    ...{ sent, ended, bufferedAmount: 0, isStalled: false },
    send(message) {
      sent.push(message);
      if (this.isStalled) this.bufferedAmount += message.length;
    },
    close: (code, reason) => ended.push(`${code} ${reason}`),
    ...extra,
  };
}

function setting() {
  const clock = createFakeClock();
  const store = createMemoryStore({ collections: ["a"], segment: "m" });
  const hub: Hub = createHub({ ...store, clock });
  const put = (id: number, text = "") => store.transaction((writer) => writer.put("a", { id, text }));
  return { clock, hub, put };
}

const handshake = { level: 1, target: "/a", fields: [["Host", "example.com"]] } as const;

describe("a platform's own WebSocket", () => {
  it("is sent each message by itself, as text", async () => {
    const { clock, hub, put } = setting();
    const socket = fakeSocket();
    connectMessageSocket(hub, handshake, socket, { clock });
    await clock.settle();
    put(1, "ä".repeat(70_000));
    await clock.settle();
    const starts = socket.sent.map((message) => (typeof message === "string" ? message.slice(0, 12) : "bytes"));
    expect(starts).toEqual(["HTTP/1.1 200", "HTTP/1.1 304", "HTTP/1.1 201"]);
    expect(socket.sent[2]).toContain("ä".repeat(70_000));
  });

  it("is sent what it missed once it has taken what was written", async () => {
    const { clock, hub, put } = setting();
    const socket = fakeSocket();
    connectMessageSocket(hub, handshake, socket, { clock });
    await clock.settle();
    socket.isStalled = true;
    for (let id = 1; id <= 50; id += 1) {
      put(id, "long ".repeat(10_000));
      await clock.settle();
    }
    await clock.advance(1_000);
    const before = socket.sent.length;
    socket.isStalled = false;
    socket.bufferedAmount = 0;
    await clock.advance(1_000);
    expect(before).toBeLessThan(20);
    expect(socket.sent.filter((message) => `${message}`.startsWith("HTTP/1.1 201")).length).toBe(50);
  });

  it("is told good-bye, and survives a send that throws", async () => {
    const { clock, hub, put } = setting();
    const gone = fakeSocket({
      send: () => {
        throw new Error("gone");
      },
    });
    const socket = fakeSocket();
    connectMessageSocket(hub, handshake, gone, { clock });
    connectMessageSocket(hub, handshake, socket, { clock });
    await clock.settle();
    put(1);
    const closing = hub.close(0);
    await clock.advance(1_000);
    await closing;
    expect(socket.ended).toEqual(["1001 The server is restarting."]);
  });

  it.each([
    [1001, 4503],
    [1012, 4503],
    [1013, 4503],
    [1002, 4400],
    [4401, 4401],
    [1000, 1000],
  ])("that can't say %i says %i", async (code, said) => {
    const { clock, hub } = setting();
    const codes: number[] = [];
    const close = (given: number): void => {
      if (given !== 1000 && given < 3000) throw new DOMException("no", "InvalidAccessError");
      codes.push(given);
    };
    const connection = connectMessageSocket(hub, handshake, fakeSocket({ close }), { clock });
    await clock.settle();
    connection.close(code, "x");
    await clock.advance(1_000);
    expect(codes).toEqual([said]);
  });

  it("hears nothing more, and is looked at no more, once it is gone", async () => {
    const { clock, hub } = setting();
    const socket = fakeSocket({ getBufferedAmount: () => 1 });
    const connection = connectMessageSocket(hub, handshake, socket, { clock });
    await clock.settle();
    connection.closed();
    await clock.advance(100);
    const timers = clock.timers;
    await clock.advance(100);
    expect([hub.counts.connections, clock.timers]).toEqual([0, timers]);
  });
});
