import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Field } from "../../src/protocol/index.ts";
import type { Advance, Follower, Following, Start } from "../../src/server/delivery/following.ts";
import type { Message } from "../../src/server/delivery/message.ts";
import { SharedFrames } from "../../src/server/delivery/shared-frames.ts";
import { type Clock, systemClock, webSocketFraming } from "../../src/server/index.ts";
import type { AcceptedOpening, OpeningWishes } from "../../src/server/stream/opening.ts";
import {
  Subscription,
  type SubscriptionEvent,
  type SubscriptionHolder,
  type SubscriptionState,
} from "../../src/server/stream/subscription.ts";

/** What comes of an event: the state, and what the subscription asked of the others for it. */
type Outcome = readonly [state: SubscriptionState, ...did: string[]];

/** Every event in every state; an empty outcome says that it happens in vain. */
type Table = Readonly<Record<SubscriptionState, Readonly<Record<SubscriptionEvent, Outcome | readonly []>>>>;

const begun = ["200", "catch up"] as const;
const replaced = ["leave", "follow", "end", ...begun] as const;

const table: Table = {
  opening: {
    begin: ["behind", "follow", ...begun],
    fallBehind: [],
    hold: [],
    release: [],
    arrive: [],
    restart: [],
    end: ["ended"],
  },
  behind: {
    begin: ["behind", ...replaced],
    fallBehind: [],
    hold: ["held", "leave"],
    release: [],
    arrive: ["live", "enter", "settle"],
    restart: ["opening", "leave", "reopen from 7"],
    end: ["ended", "leave", "end"],
  },
  held: {
    begin: ["behind", ...replaced],
    fallBehind: [],
    hold: [],
    release: ["behind", "catch up"],
    arrive: [],
    restart: ["opening", "leave", "reopen from 7"],
    end: ["ended", "leave", "end"],
  },
  live: {
    begin: ["behind", ...replaced],
    fallBehind: ["behind", "leave", "catch up"],
    hold: ["held", "leave"],
    release: [],
    arrive: [],
    restart: ["opening", "leave", "reopen from 7"],
    end: ["ended", "leave", "end"],
  },
  ended: { begin: [], fallBehind: [], hold: [], release: [], arrive: [], restart: [], end: [] },
};

/** A subscription between a connection and a view that say what they are asked. */
class Bench implements SubscriptionHolder {
  readonly did: string[] = [];
  readonly level: 0 | 1;
  readonly hasPositions: boolean = false;
  readonly peer: unknown = undefined;
  readonly frames: SharedFrames = new SharedFrames();
  readonly clock: Clock = systemClock;
  readonly isRevoked = (): boolean => false;
  readonly subscription: Subscription;
  /** What the view's next piece of the way comes to. */
  next: Advance | "arrived" | Promise<Advance> = "more";
  resumesFrom: string | undefined = "7";
  closing: number | undefined;

  constructor(level: 0 | 1 = 1) {
    this.level = level;
    this.subscription = new Subscription(this, { target: "/a", fields: [] }, true);
  }

  readonly outlet: SubscriptionHolder["outlet"] = {
    framing: webSocketFraming,
    isClosed: false,
    isCongested: false,
    hasRoomFor: () => true,
    room: () => Promise.resolve(),
    send: () => undefined,
    sendMessage: ({ status }: Message) => this.did.push(String(status)),
    close: (code) => {
      this.closing = code;
    },
  };

  catchUp(): void {
    this.did.push("catch up");
  }

  reopen(_subscription: Subscription, { lastEventId }: OpeningWishes): void {
    this.did.push(`reopen from ${lastEventId ?? "nothing"}`);
  }

  begun(): void {
    this.did.push("begun");
  }

  settle(): void {
    this.did.push("settle");
  }

  drop(subscription: Subscription, code: number): void {
    this.did.push(`drop ${code}`);
    subscription.end();
  }

  opening(start: Partial<Start> = {}): AcceptedOpening {
    const fields: readonly Field[] = [["Event-ID", "7"]];
    const follow = (follower: Follower): Following => this.#follow(follower);
    const from: Start = { url: "/a", scope: "viewer", isOfViewer: true, follow, ...start };
    return { kind: "accepted", status: 200, fields, body: "", source: {}, described: fields, start: from };
  }

  /** Brings the subscription into a state. */
  async reach(state: SubscriptionState): Promise<void> {
    if (state === "ended") this.subscription.end();
    if (state === "opening" || state === "ended") return;
    this.subscription.begin(this.opening());
    if (state === "live") await this.fire("arrive");
    if (state === "held") this.subscription.hold();
    this.did.length = 0;
  }

  async fire(event: SubscriptionEvent): Promise<void> {
    if (event === "begin") {
      this.subscription.begin(this.opening());
    } else if (event === "arrive") {
      this.next = "arrived";
      await this.subscription.advance();
    } else {
      this.subscription[event]();
    }
  }

  #follow(_follower: Follower): Following {
    this.did.push("follow");
    const bench = this;
    return {
      url: "/a",
      scope: "viewer",
      position: "7",
      get resumesFrom() {
        return bench.resumesFrom;
      },
      enter: () => bench.did.push("enter"),
      leave: () => bench.did.push("leave"),
      rest: () => undefined,
      end: () => bench.did.push("end"),
      advance: () => bench.next,
    };
  }
}

const cases = Object.entries(table).flatMap(([state, events]) =>
  Object.entries(events).map(
    ([event, outcome]) => [state as SubscriptionState, event as SubscriptionEvent, outcome] as const,
  ),
);

it("A subscription has the states that the specification draws, and their transitions", () => {
  const text = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
  const diagrams = [...text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  const [diagram = ""] = diagrams.filter((code) => code.includes("behind"));
  const drawn = [...diagram.matchAll(/^ {2}(\w+) --> (\w+): (\w+)/gm)].map(([, from, to, event]) => [from, event, to]);
  const real = cases.flatMap(([from, event, [to]]) => (to === undefined ? [] : [[from, event, to]]));
  expect(drawn.map(String).toSorted()).toEqual(real.map(String).toSorted());
});

describe("A subscription", () => {
  it.each(cases)("that is %s takes the event %s as its table says", async (state, event, [next = state, ...did]) => {
    const bench = new Bench();
    await bench.reach(state);
    expect(bench.subscription.state).toBe(state);
    await bench.fire(event);
    expect([bench.subscription.state, ...bench.did]).toEqual([next, ...did]);
  });

  it.each([
    ["more", true, "behind", []],
    ["restart", false, "opening", ["leave", "reopen from 7"]],
    ["held", false, "held", ["leave"]],
    ["ended", false, "ended", ["drop 1000", "leave", "end"]],
  ] as const)("whose view says %s, at once or later, goes on: %s", async (said, goesOn, state, did) => {
    for (const next of [said, Promise.resolve(said)]) {
      const bench = new Bench();
      await bench.reach("behind");
      bench.next = next;
      expect(await bench.subscription.advance()).toBe(goesOn);
      expect([bench.subscription.state, ...bench.did]).toEqual([state, ...did]);
    }
  });

  it("takes no notice of what its view says after it was opened anew", async () => {
    const bench = new Bench();
    await bench.reach("behind");
    let say: (advance: Advance) => void = () => undefined;
    bench.next = new Promise((resolve) => {
      say = resolve;
    });
    const advancing = bench.subscription.advance();
    bench.subscription.restart();
    bench.subscription.opened(bench.opening(), false);
    say("ended");
    expect(await advancing).toBe(true);
    expect(bench.subscription.state).toBe("behind");
  });

  it.each([
    [0, undefined, "*"],
    [0, "7", "7"],
    [1, undefined, "nothing"],
    [1, "7", "7"],
  ] as const)("of Level %i whose view resumes from %s is opened anew from %s [R-L0-6]", async (level, from, asked) => {
    const bench = new Bench(level);
    bench.resumesFrom = from;
    await bench.reach("live");
    bench.subscription.restart();
    expect(bench.did.at(-1)).toBe(`reopen from ${asked}`);
  });

  it("of Level 0 is closed with 1001 where it is opened anew and can't go on from there [R-L0-6]", async () => {
    const bench = new Bench(0);
    await bench.reach("live");
    bench.subscription.restart();
    bench.subscription.opened({ ...bench.opening(), status: 304, fields: [["Event-ID", "8"]] }, true);
    expect(bench.closing).toBe(1001);
    expect(bench.subscription.state).toBe("opening");
    bench.subscription.opened({ ...bench.opening(), status: 304 }, true);
    expect(bench.subscription.state).toBe("behind");
  });
});
