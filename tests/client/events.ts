import { decodeResponse, fieldValue } from "../../src/protocol/index.ts";
import { Looked } from "./followed.ts";
import {
  columns,
  createOf,
  ended,
  endsSubscription,
  hasStreams,
  isLevel1,
  mostFollowed,
  own,
  platformEvent,
  someId,
  someList,
  someSocket,
  someStream,
  targetsOf,
  writeSeveral,
} from "./interferences.ts";
import { overtakeNext } from "./overtaken.ts";
import { refusal } from "./service.ts";
import type { World } from "./world.ts";
/** One kind of thing that happens. */
export interface Happening {
  readonly name: string;
  readonly weight?: number;
  /** Whether it makes sense in that world. */
  readonly fits?: (world: World) => boolean;
  readonly happen: (world: World) => void | Promise<void>;
}

/** All kinds of things that happen. */
export const kinds: readonly Happening[] = [
  {
    name: "somebody creates",
    weight: 4,
    happen: (world) => world.service.write([{ name: world.random.pick(["a", "a", "b"]), columns: columns(world) }]),
  },
  {
    name: "somebody updates",
    weight: 6,
    happen: (world) => {
      const id = someId(world);
      if (id !== undefined) world.service.write([{ name: "a", id, columns: columns(world) }]);
    },
  },
  {
    name: "somebody destroys",
    weight: 2,
    happen: (world) => {
      const id = someId(world);
      if (id !== undefined) world.service.write([{ name: "a", id }]);
    },
  },
  {
    name: "somebody writes several in one transaction",
    weight: 3,
    happen: writeSeveral,
  },
  {
    name: "create",
    weight: 4,
    happen: (world) =>
      own(world, (list) => {
        const values = columns(world);
        world.write((tag) => list.collection.create({ ...values, tag }), { list });
      }),
  },
  {
    name: "update",
    weight: 4,
    happen: (world) =>
      own(world, (list) => {
        const { shown } = list;
        if (shown.length === 0) return;
        const row = world.random.pick(shown);
        const isGuarded = world.random.chance(0.2) && row.id !== undefined;
        const values = columns(world);
        const after = createOf(world, list, row);
        world.write((tag) => list.collection.update(row, { ...values, tag } as never, { ifUnchanged: isGuarded }), {
          isGuarded,
          ...(after === undefined ? {} : { after }),
        });
      }),
  },
  {
    name: "destroy",
    weight: 2,
    happen: (world) =>
      own(world, (list) => {
        const { shown } = list;
        if (shown.length === 0) return;
        const row = world.random.pick(shown);
        const url = list.urlOf(row);
        if (!/^urn:|#/.test(url) && !world.writes.some(({ tag }) => tag === `destroy ${url}`)) {
          world.write(() => list.collection.destroy(row), { name: `destroy ${url}`, list });
        }
      }),
  },
  {
    name: "update of a record whose create is queued",
    weight: 3,
    happen: async (world) => {
      const list = someList(world);
      if (!list) return;
      const values = columns(world);
      const { tag } = world.write((mine) => list.collection.create({ ...values, tag: mine }), { list });
      await world.clock.settle();
      const row = list.shown.find((one) => one.tag === tag);
      if (row) world.write((mine) => list.collection.update(row, { tag: mine, size: 7 } as never), { after: tag });
    },
  },
  {
    name: "a create whose answer is lost, and the journal with it",
    weight: 2,
    happen: (world) =>
      own(world, (list) => {
        const { service } = world;
        const values = columns(world);
        world.answersToLose += 1;
        world.write((tag) => list.collection.create({ ...values, tag }), { list });
        if (service.options.flavour === "direct")
          world.clock.setTimer(() => service.store.journal.lose(), world.random.below(10));
      }),
  },
  { name: "somebody overtakes the next own write", weight: 2, happen: (world) => overtakeNext(world) },
  {
    name: "creates are answered without a Location for a while",
    happen: (world) => {
      world.service.tellsLocation = false;
      world.clock.setTimer(() => {
        world.service.tellsLocation = true;
      }, world.random.below(30_000));
    },
  },
  { name: "the server closes with 1000", fits: isLevel1, happen: ended(1000) },
  { name: "the server goes away (1001)", happen: ended(1001) },
  { name: "the connection breaks (1006)", weight: 3, happen: ended(1006) },
  { name: "the server fails (1011)", happen: ended(1011) },
  { name: "the server restarts (1012)", happen: ended(1012) },
  { name: "the server is overloaded (1013)", happen: ended(1013) },
  { name: "credentials are refused (4401)", fits: isLevel1, happen: ended(4401) },
  { name: "everything is forbidden (4403)", fits: isLevel1, happen: ended(4403, 403) },
  { name: "too many requests (4429, Retry-After)", fits: isLevel1, happen: ended(4429, 429, ["Retry-After", "3"]) },
  { name: "it is not available (4503)", fits: isLevel1, happen: ended(4503, 503) },
  {
    name: "the connection is half open",
    happen: (world) => someSocket(world)?.die(),
  },
  {
    name: "a batch comes twice",
    fits: isLevel1,
    happen: (world) => {
      let batch: (string | Uint8Array)[] = [];
      world.mangle = (data) => {
        const message = decodeResponse(data);
        const isChange =
          [201, 202, 204].includes(message.status) && fieldValue(message.fields, "request-id") === undefined;
        if (isChange) batch.push(data);
        if (!isChange || fieldValue(message.fields, "event-id") === undefined) return [data];
        const whole = batch;
        batch = [];
        world.mangle = (one) => [one];
        return whole.length === 1 || world.service.options.flavour === "direct" ? [data, ...whole] : [data];
      };
      writeSeveral(world);
    },
  },
  {
    name: "a bookmark comes late once more",
    fits: isLevel1,
    happen: (world) => {
      world.hasLateBookmarks = true;
      world.atHandshake = new Map();
      let kept: string | Uint8Array | undefined;
      let later = 3;
      world.mangle = (data) => {
        const message = decodeResponse(data);
        const isMark = message.status === 304 && fieldValue(message.fields, "request-id") === undefined;
        if (isMark && kept === undefined) kept = data;
        else if (kept !== undefined && fieldValue(message.fields, "event-id") !== undefined) later -= 1;
        if (later > 0 || kept === undefined) return [data];
        world.mangle = (one) => [one];
        return world.service.options.flavour === "direct" ? [data, kept] : [data];
      };
    },
  },
  {
    name: "the journal is lost",
    fits: ({ service }) => service.options.flavour === "direct",
    happen: (world) => {
      world.service.store.journal.lose();
    },
  },
  {
    name: "the journal is trimmed",
    fits: ({ service }) => service.options.flavour === "direct",
    happen: ({ service }) => service.store.journal.trim(Number.MAX_SAFE_INTEGER),
  },
  {
    name: "the server is restarted",
    weight: 2,
    happen: async (world) => {
      await world.stop();
      if (world.random.chance(0.5)) world.service.store.journal.lose();
      world.clock.setTimer(() => world.hub ?? world.service.start(), world.random.below(3_000));
    },
  },
  {
    name: "the token expires",
    fits: ({ service }) => service.options.wantsToken,
    happen: (world) => {
      world.service.token = `t${world.random.below(1_000_000)}`;
      if (world.random.chance(0.5)) endsSubscription(world, 401);
    },
  },
  {
    name: "the token is wrong for a while",
    weight: 2,
    fits: ({ service }) => service.options.wantsToken,
    happen: (world) => {
      world.isTokenWrong = true;
      world.client.renew();
      world.clock.setTimer(() => {
        world.isTokenWrong = false;
        world.client.renew();
      }, world.random.below(5_000));
    },
  },
  {
    name: "the token is renewed in place",
    fits: ({ service }) => service.options.wantsToken,
    happen: (world) => {
      world.service.token = `t${world.random.below(1_000_000)}`;
      world.client.renew();
    },
  },
  {
    name: "the network is gone for a while",
    weight: 2,
    happen: (world) => {
      if (world.isOffline) return;
      world.isOffline = true;
      for (const socket of world.sockets) if (world.random.chance(0.5)) socket.die();
      for (const stream of world.streams) if (world.random.chance(0.5)) stream.die();
      if (world.random.chance(0.5)) platformEvent("offline");
      world.clock.setTimer(() => {
        world.isOffline = false;
        if (world.random.chance(0.7)) platformEvent("online");
      }, world.random.below(20_000));
    },
  },
  {
    name: "the page comes back",
    happen: () => void platformEvent("pageshow"),
  },
  {
    name: "the clock jumps",
    happen: (world) => {
      world.clientClock.skewMs += world.random.pick([40_000, 3_000, -3_000, -3_600_000]);
      if (world.random.chance(0.5)) platformEvent("pageshow");
    },
  },
  {
    name: "everything is slow",
    happen: (world) => {
      const ms = world.random.pick([5, 100, 1_500]);
      world.latencyMs = () => world.random.below(ms);
      world.clock.setTimer(() => {
        world.latencyMs = () => world.random.below(5);
      }, 4_000);
    },
  },
  {
    name: "the answer to a write is lost",
    weight: 3,
    happen: (world) => {
      world.answersToLose += 1;
    },
  },
  {
    name: "a write is refused",
    weight: 2,
    happen: ({ service, random }) => {
      service.refuseWrites.push(refusal(random.pick([400, 403, 409, 422, 500])));
    },
  },
  {
    name: "a write is put off (503)",
    happen: ({ service }) => {
      service.refuseWrites.push(refusal(503, ["Retry-After", "2"]));
    },
  },
  {
    name: "a subscription is put off",
    fits: isLevel1,
    happen: (world) => {
      const { service, random } = world;
      const status = random.pick([503, 429]);
      service.refuseReads.push(refusal(status, ["Retry-After", "1"]));
      if (random.chance(0.5)) endsSubscription(world, 503, ["Retry-After", "1"]);
    },
  },
  {
    name: "a subscription is refused",
    fits: isLevel1,
    happen: (world) => {
      world.service.refuseReads.push(refusal(world.random.pick([403, 404, 422])));
      if (world.random.chance(0.3)) endsSubscription(world, 403);
    },
  },
  {
    name: "the server does not say what it promises (503)",
    weight: 2,
    happen: ({ service }) => {
      service.refusePromises += 1;
    },
  },
  { name: "the page is loaded again", happen: (world) => world.reload() },
  {
    name: "somebody begins to look",
    weight: 3,
    happen: (world) =>
      void (world.followed.length < mostFollowed(world) && world.look(world.random.pick(targetsOf(world)))),
  },
  {
    name: "somebody begins to follow",
    weight: 3,
    happen: (world) =>
      void (
        world.followed.length < mostFollowed(world) &&
        world.replay(world.random.pick(targetsOf(world)), world.random.pick(["callback", "iterable"]))
      ),
  },
  {
    name: "somebody leaves",
    weight: 3,
    happen: (world) => {
      if (world.followed.length > 1) world.followed.splice(world.random.below(world.followed.length), 1)[0]?.stop();
    },
  },
  {
    name: "somebody leaves and returns",
    weight: 2,
    happen: async (world) => {
      const at = world.random.below(world.followed.length);
      const one = world.followed.splice(at, 1)[0];
      if (!one) return;
      one.stop();
      await world.clock.advance(world.random.pick([0, 300, 1_000, 3_000]));
      if (one instanceof Looked) world.look(one.target);
      else world.replay(one.target);
    },
  },
  {
    name: "another user signs in",
    happen: (world) => world.signIn(world.user === "ann" ? "ben" : "ann", world.random.chance(0.5)),
  },
  {
    name: "a listener throws",
    happen: (world) => {
      world.callbacksToThrow = world.random.below(4);
    },
  },
  {
    name: "sockets are blocked for a while",
    happen: (world) => {
      world.isBlocked = true;
      for (const socket of world.sockets) socket.fail(1006);
      world.clock.setTimer(() => {
        world.isBlocked = world.hasNoSockets;
      }, world.random.below(60_000));
    },
  },
  {
    name: "a stream breaks",
    weight: 3,
    fits: hasStreams,
    happen: (world) => someStream(world)?.fail(),
  },
  {
    name: "the server ends a stream",
    fits: hasStreams,
    happen: (world) => someStream(world)?.close(),
  },
  {
    name: "a stream is half open",
    fits: hasStreams,
    happen: (world) => someStream(world)?.die(),
  },
  {
    name: "something holds streams back for a while",
    fits: hasStreams,
    happen: (world) => {
      world.isBuffering = true;
      for (const stream of world.streams) if (world.random.chance(0.5)) stream.fail();
      // What it holds back it gives out at no time.
      for (const stream of world.streams) stream.die();
      world.clock.setTimer(() => {
        world.isBuffering = false;
      }, world.random.below(60_000));
    },
  },
  {
    name: "sockets pass for a while, where they don't",
    fits: hasStreams,
    happen: (world) => {
      world.isBlocked = false;
      world.clock.setTimer(() => {
        world.isBlocked = true;
        for (const socket of world.sockets) socket.fail(1006);
      }, world.random.below(60_000));
    },
  },
  {
    name: "handshakes hang for a while",
    happen: (world) => {
      world.isHanging = true;
      for (const socket of world.sockets) if (world.random.chance(0.5)) socket.fail(1006);
      world.clock.setTimer(() => {
        world.isHanging = false;
      }, world.random.below(60_000));
    },
  },
  {
    name: "a message is malformed",
    fits: isLevel1,
    happen: (world) => someSocket(world)?.deliver("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
  },
  {
    name: "a message is nothing that is known",
    fits: isLevel1,
    happen: (world) =>
      someSocket(world)?.deliver("HTTP/1.1 206 Partial Content\r\nSubscription: /a\r\nX: y\r\n\r\nwhat"),
  },
  {
    name: "time passes",
    weight: 5,
    happen: (world) => world.clock.advance(world.random.pick([100, 1_000, 5_000, 30_000])),
  },
];

/** All kinds, by name. */
export const eventNames: readonly string[] = kinds.map(({ name }) => name);

/** Those that make sense only where there are streams. */
export const streamEventNames: readonly string[] = kinds.flatMap(({ fits, name }) =>
  fits === hasStreams ? [name] : [],
);
