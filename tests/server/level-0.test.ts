import { describe, expect, it } from "vitest";
import type { Hub, Transport } from "../../src/server/index.ts";
import { createWorld, host, type World } from "./fixture.ts";

interface RawPeer {
  readonly texts: string[];
  readonly closings: number[];
  pings: number;
  disconnect(): void;
  send(text: string): void;
}

/** A peer that keeps the text of each message as it was framed. */
async function connectRaw(hub: Hub, target: string): Promise<RawPeer> {
  const texts: string[] = [];
  const closings: number[] = [];
  const opening = await hub.authorise({ level: 0, target, fields: [host] });
  const peer: RawPeer = {
    texts,
    closings,
    pings: 0,
    disconnect: () => connection.closed(),
    send: (text) => connection.receive(text),
  };
  const transport: Transport = {
    framing: {
      frame(message) {
        texts.push(String(message));
        return new Uint8Array(1);
      },
    },
    unsentBytes: 0,
    takenBytes: 0,
    write: () => {},
    ping: () => {
      peer.pings += 1;
    },
    close: (code) => closings.push(code),
    abort: () => {},
    setReading: () => {},
  };
  const connection = hub.connect(transport, { level: 0, target, fields: [host] }, opening);
  return peer;
}

async function open(world: World, target: string): Promise<RawPeer> {
  const peer = connectRaw(world.hub, target);
  await world.clock.settle();
  return peer;
}

describe("Level 0", () => {
  it("is the proposal's three messages, byte for byte, and nothing before the first change [R-L0-2]", async () => {
    const world = createWorld();
    const peer = await open(world, "/a");
    expect(peer.texts).toEqual([]);
    world.put("a", 1, { name: "é" });
    world.put("a", 1, { name: "y" });
    world.remove("a", 1);
    await world.clock.settle();
    expect(peer.texts).toEqual([
      'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n{"record":{"id":1,"name":"é"}}',
      'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n{"record":{"id":1,"name":"y"}}',
      "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n",
    ]);
  });

  it("delivers what is committed between the authorisation and the 101, and from then on, in order [R-L0-3]", async () => {
    const world = createWorld({ latencyMs: () => 100 });
    const opening = connectRaw(world.hub, "/a");
    await world.clock.advance(50);
    for (let id = 1; id <= 20; id += 1) world.put("a", id);
    await world.clock.advance(50);
    const peer = await opening;
    for (let id = 21; id <= 40; id += 1) world.put("a", id);
    await world.clock.settle();
    const urls = peer.texts.map((text) => /Content-Location: (\S+)/.exec(text)?.[1]);
    expect(urls).toEqual(Array.from({ length: 40 }, (_, at) => `/a/${at + 1}`));
  });

  it("ignores what the client sends, be it what it may [R-L0-5]", async () => {
    const world = createWorld();
    const peer = await open(world, "/a");
    peer.send("SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: 1\r\n\r\n");
    peer.send("garbage");
    world.put("b", 1);
    world.put("a", 1);
    await world.clock.settle();
    expect(peer.texts).toHaveLength(1);
    expect(peer.closings).toEqual([]);
  });

  it("refuses with the origin's status before anything is connected [R-L0-4]", async () => {
    const world = createWorld();
    const opening = world.hub.authorise({ level: 0, target: "/nothing", fields: [host] });
    await world.clock.settle();
    expect(await opening).toMatchObject({ kind: "refused", response: { status: 404 } });
    expect(world.hub.counts.connections).toBe(0);
  });

  it("refuses the well-known URL with 400 [R-WK-3]", async () => {
    const { hub } = createWorld();
    const opening = await hub.authorise({ level: 0, target: "/.well-known/rocket?x", fields: [host] });
    expect(opening).toMatchObject({ kind: "refused", response: { status: 400 } });
  });

  it("closes with 1001 where a collection is reset, the journal lost, or a change can't be told [R-L0-6]", async () => {
    const harms: ((world: World) => void)[] = [
      ({ store }) => store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]),
      ({ store }) => store.journal.lose(),
      (world) => {
        world.show = () => ({ contentType: "\r\n", body: "" });
        world.put("a", 1);
      },
    ];
    for (const harm of harms) {
      const world = createWorld();
      const peer = await open(world, "/a");
      harm(world);
      await world.clock.settle();
      expect(peer.closings).toEqual([1001]);
      expect(peer.texts).toEqual([]);
      expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    }
  });

  it("closes with 4000 + status where the resource can't be seen any more [R-L0-7]", async () => {
    let status = 200;
    const world = createWorld({
      around: (origin) => async (request) => (status === 200 ? origin(request) : { status, fields: [], body: "" }),
    });
    const peer = await open(world, "/a");
    status = 403;
    world.store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]);
    await world.clock.settle();
    expect(peer.closings).toEqual([4403]);
    expect(peer.texts).toEqual([]);
  });

  it("closes with 1000 after a record's own 204 [R-SUB-9] [R-L0-8]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const peer = await open(world, "/a/1");
    world.remove("a", 1);
    await world.clock.settle();
    expect(peer.texts).toHaveLength(1);
    expect(peer.closings).toEqual([1000]);
  });

  it("has a ping for a heartbeat, and no messages [R-HB-1]", async () => {
    const world = createWorld();
    const peer = await open(world, "/a");
    await world.clock.advance(18_000);
    expect(peer.pings).toBe(0);
    await world.clock.advance(2_000);
    expect(peer.pings).toBe(1);
    await world.clock.advance(20_000);
    expect(peer.pings).toBe(2);
    expect(peer.texts).toEqual([]);
  });
});
