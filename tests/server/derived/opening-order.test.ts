import { expect, it } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { createHub, type Origin, type Reads } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, type MemoryPeer } from "../../../src/testing/index.ts";
import { briefs } from "./fixture.ts";

interface Said {
  readonly reads?: Reads;
  readonly fields?: readonly Field[];
}

const settings: readonly (readonly [string, Said])[] = [
  ["says what it reads", { reads: { collections: ["/docs"], isComplete: true } }],
  ["does not say what it reads", {}],
  ["declares that everybody sees the same", { fields: [["Cache-Control", "public"]] }],
];

/** An origin that reads when it is asked, and whose answers come when they are let go. */
function createSite({ reads, fields = [] }: Said, textLength: number) {
  const clock = createFakeClock();
  const held: (() => void)[] = [];
  const state = { docs: [1, 2], isHolding: false };
  const row = (id: number) => ({ id, text: `${id}`.repeat(textLength) });
  const origin: Origin = async ({ target }) => {
    const id = /^\/docs\/(\d+)$/.exec(target)?.[1];
    const body = JSON.stringify(id === undefined ? state.docs.map(row) : row(Number(id)));
    if (id === undefined && state.isHolding) await new Promise<void>((resolve) => held.push(resolve));
    return { status: 200, fields: [["Content-Type", "application/json"], ...fields], body, ...(reads && { reads }) };
  };
  const hub = createHub({ origin, clock, derived: {} });
  const write = (...docs: number[]): void => {
    state.docs = docs;
    hub.changed(["/docs/3"]);
  };
  const open = async (): Promise<MemoryPeer> => {
    const opening = connectMemoryPeer(hub, "/docs");
    await clock.settle();
    return opening;
  };
  /** Lets what follows of promises alone happen. */
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { clock, state, held, write, open, turn };
}

/** One follows while a look reads what stands for a moment only; then another one opens, and reads what stood before. */
async function lookAndOpen(said: Said, textLength = 40) {
  const site = createSite(said, textLength);
  const { clock, state, held, write, open } = site;
  await open();
  await clock.advance(1_000);
  state.isHolding = true;
  write(1, 2, 3);
  await clock.settle();
  write(1, 2);
  const second = await open();
  const [endLook = expect.fail, endOpening = expect.fail] = held.splice(0);
  state.isHolding = false;
  /** What the second one was sent in all. */
  const sent = async (): Promise<string[]> => {
    await clock.advance(5_000);
    for (const end of held.splice(0)) end();
    await clock.advance(5_000);
    return [...second.messages.filter(({ status }) => status === 200), ...second.messages.slice(1)].map(({ body }) =>
      String(body),
    );
  };
  return { ...site, second, endLook, endOpening, sent, older: "3".repeat(textLength) };
}

it.each(settings)(
  "An opening shows nothing older than its GET where a look ends before it, at an origin that %s",
  async (_title, said) => {
    const { clock, second, endLook, endOpening, sent, older } = await lookAndOpen(said);
    endLook();
    await clock.settle();
    endOpening();
    expect((await sent()).join()).not.toContain(older);
    expect(briefs(second, 0)).toEqual(["200", "304"]);
  },
);

it.each(settings)(
  "An opening shows nothing older than its GET where a look ends after it, at an origin that %s",
  async (_title, said) => {
    const { clock, second, endLook, endOpening, sent, older } = await lookAndOpen(said);
    endOpening();
    await clock.settle();
    endLook();
    expect((await sent()).join()).not.toContain(older);
    expect(briefs(second, 0)).toEqual(["200", "304"]);
  },
);

it.each(settings)(
  "An opening shows nothing older than its GET where both end in one turn, at an origin that %s",
  async (_title, said) => {
    const { second, endLook, endOpening, sent, older } = await lookAndOpen(said);
    endOpening();
    endLook();
    expect((await sent()).join()).not.toContain(older);
    expect(briefs(second, 0)).toEqual(["200", "304"]);
  },
);

it.each(settings)(
  "An opening shows nothing older than its GET where a document is read in turns meanwhile, at an origin that %s",
  async (_title, said) => {
    const { turn, second, endLook, endOpening, sent, older } = await lookAndOpen(said, 1_000_000);
    endLook();
    await turn();
    endOpening();
    await turn();
    expect((await sent()).some((body) => body.includes(older))).toBe(false);
    expect(briefs(second, 0)).toEqual(["200", "304"]);
  },
);
