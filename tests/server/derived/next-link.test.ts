import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { MemoryPeer } from "../../../src/testing/index.ts";
import { AppWorld, briefs, eventIdAt, json, plain } from "./fixture.ts";

const rows = [{ id: 1, text: "a row" }];

function next(page: number | string): Field {
  return ["Link", `</items?page=0>; rel="first", </items?page=${page}>; rel=next`];
}

/** An app whose list leads on to `state.fields`, and whose entity tag, where it has one, is of the body alone. */
function paged(...fields: Field[]) {
  const state = { fields, body: { items: rows } as object, etag: undefined as string | undefined, is304Bare: false };
  const world = new AppWorld((request) => {
    const { etag, is304Bare } = state;
    const tags: Field[] = etag === undefined ? [] : [["ETag", etag]];
    if (etag !== undefined && fieldValue(request.fields, "if-none-match") === etag)
      return plain(304, ...tags, ...(is304Bare ? [] : state.fields));
    return json(state.body, ...state.fields, ...tags);
  });
  const become = async (...now: Field[]): Promise<void> => {
    state.fields = now;
    await world.changed("/items/9");
    await world.clock.advance(1_000);
  };
  return { world, state, become };
}

function links({ messages }: MemoryPeer): (string | undefined)[] {
  return messages.filter(({ status }) => status === 200).map(({ fields }) => fieldValue(fields, "link"));
}

describe("A link to what follows a list [R-SUB-18]", () => {
  it("is told by a fresh 200 each time it comes, leads elsewhere, or goes, where no row changed", async () => {
    const { world, become } = paged();
    const peer = await world.opened("/items");
    await become(next(2));
    await become(next(3));
    await become();
    expect(briefs(peer)).toEqual(["200", "304", "200", "304", "200", "304"]);
    expect(links(peer)).toEqual([undefined, next(2)[1], next(3)[1], undefined]);
  });

  it("is told along with rows that changed, by the 200 and nothing else", async () => {
    const { world, state, become } = paged();
    const peer = await world.opened("/items");
    state.body = { items: [...rows, { id: 2, text: "another row" }] };
    await become(next(2));
    expect(briefs(peer)).toEqual(["200", "304"]);
  });

  it("is no news where the field says the same of it, and other things beside", async () => {
    const { world, become } = paged(next(2));
    const peer = await world.opened("/items");
    await become(["Link", '</items?page=2>; rel="next"'], ["Link", '</style.css>; rel="preload"']);
    expect(briefs(peer)).toEqual([]);
  });

  it("is told of a document that is one record, too", async () => {
    const { world, state, become } = paged();
    state.body = { chapter: 1 };
    const peer = await world.opened("/items");
    await become(next(2));
    expect(links(peer)).toEqual([undefined, next(2)[1]]);
  });

  it("is a part of the position: who resumes from another one gets a 200, from the same one a 304 [R-POS-8]", async () => {
    const { world, become } = paged(next(2));
    const first = await world.opened("/items");
    const position = eventIdAt(first, 0);
    const resume = async (from: string) => briefs(await world.opened("/items", [["Last-Event-ID", from]]), 0)[0];
    expect(await resume(position)).toBe("304");
    await become();
    expect(await resume(position)).toBe("200");
    expect(await resume(eventIdAt(first, -1))).toBe("304");
    await become(next(2));
    expect(eventIdAt(first, -1)).toBe(position);
  });

  it.each([
    ["comes", [], [next(2)]],
    ["changes", [next(2)], [next(3)]],
    ["goes", [next(2)], []],
  ] as [string, Field[], Field[]][])(
    "that %s is not hidden by an entity tag of the body alone",
    async (_how, one, other) => {
      const { world, state, become } = paged(...one);
      state.etag = '"body"';
      const peer = await world.opened("/items");
      await become(...other);
      expect(links(peer)).toEqual([one[0]?.[1], other[0]?.[1]]);
    },
  );

  it("stays what it is where a 304 does not say it again, and is asked for without a condition from then on", async () => {
    const { world, state, become } = paged(next(2));
    Object.assign(state, { etag: '"body"', is304Bare: true });
    const peer = await world.opened("/items");
    await become(next(2));
    world.takeGets();
    await become(next(2));
    expect(briefs(peer)).toEqual([]);
    await become(next(3));
    expect(links(peer)).toEqual([next(2)[1], next(3)[1]]);
  });

  it("is no news once it is learnt that it differs at each look", async () => {
    let looks = 0;
    const world = new AppWorld(() => {
      looks += 1;
      return json({ items: rows }, next(`token-${looks}`));
    });
    const peer = await world.opened("/items");
    await world.changed("/items/9");
    await world.clock.advance(1_000);
    const seen = peer.messages.length;
    await world.changed("/items/9");
    await world.clock.advance(1_000);
    expect(briefs(peer, seen)).toEqual([]);
  });
});
