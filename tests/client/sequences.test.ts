import { describe, expect, it } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import { problemOf } from "../../src/client/problem.ts";
import { noUrl } from "../../src/client/row-urls.ts";
import {
  decodeResponse,
  fieldValue,
  type HttpResponse,
  isProblem,
  parseAnyItems,
  resolvePointer,
} from "../../src/protocol/index.ts";
import { createFakeClock, Replica } from "../../src/testing/index.ts";
import { dataOf, type Held, type SequenceVector, sequenceVectors } from "../protocol/vectors.ts";

/** Who takes a subscription's messages, and says what it holds. */
interface Holder {
  /** False where it has to subscribe anew. */
  take(message: HttpResponse): boolean;
  disconnected(): void;
  /** What it holds, as a vector says it. */
  holds(expected: Held): Held;
}

/** The client's own; its answers to messages that are no notifications of a feed are its connection's. */
function clientOf(target: string): Holder {
  const feed = new Feed({
    target,
    origin: "http://example.com",
    clock: createFakeClock(),
    urls: new WeakMap(),
    versions: new WeakMap(),
    follow: () => () => {},
    askAnew: () => {},
    onStatus: () => {},
  });
  return {
    take(message) {
      if (!isProblem(message)) return feed.take(message);
      feed.fail(problemOf(message));
      return true;
    },
    disconnected: () => feed.lost(false),
    holds({ rows, record }) {
      const { replica, state, position } = feed;
      return {
        state: state === "failed" ? "ended" : (state as Held["state"]),
        ...(position !== undefined && { position }),
        ...(rows && {
          rows: replica.entries.map(({ url, row }) => [url.startsWith(noUrl) ? null : url, row] as const),
        }),
        ...(record !== undefined && { record: replica.rows[0] }),
      };
    },
  };
}

/** That of the package's own tools for tests, which knows no order but that of places, and holds the body of a record. */
function testingOf(target: string, hasOrder: boolean): Holder {
  const [path = ""] = target.split("?");
  const replica = new Replica(path);
  let pointer = "";
  return {
    take(message) {
      if (message.status === 200) pointer = parseAnyItems(fieldValue(message.fields, "items") ?? "")?.record ?? "";
      if (!replica.wholeOf(message)) return false;
      replica.take(message);
      return true;
    },
    disconnected: () => replica.disconnected(),
    holds({ state, rows, record }) {
      const isOver = replica.ended !== undefined || replica.isGone;
      const found = replica.order.map((url) => {
        return [url.startsWith("#") ? null : url, JSON.parse(replica.records.get(url) ?? "")] as const;
      });
      const [only] = [...replica.records.values()];
      return {
        // It does not tell what has begun from what has not.
        state: isOver ? "ended" : replica.isCaughtUp ? "live" : state === "opened" ? "opened" : "waiting",
        ...(replica.position !== undefined && { position: replica.position }),
        ...(rows && { rows: hasOrder ? inOrderOf(rows, found) : found }),
        ...(record !== undefined && { record: resolvePointer(JSON.parse(only ?? "null"), pointer) }),
      };
    },
  };
}

type Rows = NonNullable<Held["rows"]>;

/** Rows as another list of rows has them, where it has them. */
function inOrderOf(wanted: Rows, found: Rows): Rows {
  const place = ([url]: Rows[number]): number => wanted.findIndex(([other]) => other === url);
  return found.toSorted((one, other) => place(one) - place(other));
}

function play({ steps }: SequenceVector, holder: Holder): void {
  for (const [at, step] of steps.entries()) {
    const { event, message: text, hex, subscribesAnew = false, holds } = step;
    if (event === "disconnected") holder.disconnected();
    else {
      const isTaken = holder.take(decodeResponse(dataOf({ text, hex } as Parameters<typeof dataOf>[0])));
      expect([at, isTaken]).toEqual([at, !subscribesAnew]);
    }
    const held = holder.holds(holds);
    // Of what has ended a client may keep what it likes.
    expect([at, holds.state === "ended" ? { state: held.state } : held]).toEqual([
      at,
      holds.state === "ended" ? { state: "ended" } : holds,
    ]);
  }
}

describe("A sequence of messages", () => {
  it.each(sequenceVectors)("leaves the client with what it says: $name [$requirement]", (vector) => {
    play(vector, clientOf(vector.target));
  });

  it.each(sequenceVectors)("leaves the tools for tests with what it says: $name [$requirement]", (vector) => {
    const hasOrder = JSON.stringify(vector.steps).includes("Item-Order");
    play(vector, testingOf(vector.target, hasOrder));
  });
});
