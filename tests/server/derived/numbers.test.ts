import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactly } from "../../../src/server/derived/exact-json.ts";
import { AppWorld, briefs, json } from "./fixture.ts";

const changes: [string, string][] = [
  ["9007199254740993", "9007199254740992"],
  ["12345678901234567890", "12345678901234567891"],
  ["1e400", "1e500"],
  ["2.5", "2.50"],
  ["0.1000000000000000055", "0.1000000000000000056"],
  ["1", "1.0"],
  ["100", "1e2"],
];

/** An app's answer, which is its own text: its numbers are not those of JavaScript. */
function text(body: string) {
  return { ...json(null), body };
}

describe("A number that is written otherwise is a change [R-DER-5]", () => {
  it.each(changes)("in a row, and is sent as the app wrote it: %s, %s", async (before, after) => {
    const row = (amount: string) => `{"id":1, "amount":${amount}, "name":"${"x".repeat(300)}"}`;
    let amount = before;
    const world = new AppWorld(() => text(`{"ledger":[${row(amount)}],"n":1}`));
    const peer = await world.opened("/ledger");
    amount = after;
    await world.changed("/ledger");
    expect(briefs(peer)).toEqual(["202 /ledger/1 #0"]);
    expect(peer.messages[2]?.body).toBe(row(after));
  });

  it.each(changes)("around the rows: %s, %s", async (before, after) => {
    let total = before;
    const world = new AppWorld(() => text(`{"ledger":[{"id":1}],"total":${total}}`));
    const peer = await world.opened("/ledger");
    total = after;
    await world.changed("/ledger");
    expect(briefs(peer)).toEqual(["200", "304"]);
    expect(peer.messages[2]?.body).toBe(`{"ledger":[{"id":1}],"total":${after}}`);
  });

  it.each(changes)("of a record, which is sent whole: %s, %s", async (before, after) => {
    let amount = before;
    const world = new AppWorld(() => text(`{"id":1,"amount":${amount}}`));
    const peer = await world.opened("/ledger/1");
    amount = after;
    await world.changed("/ledger/1");
    expect(briefs(peer)).toEqual(["202 /ledger/1"]);
    expect(peer.messages[2]?.body).toBe(`{"id":1,"amount":${after}}`);
  });

  it("beside a stamp that differs at each look", async () => {
    let [looks, total] = [0, "9007199254740993"];
    const world = new AppWorld(() => {
      looks += 1;
      return text(`{"at":${looks},"ledger":[{"id":1}],"total":${total}}`);
    });
    const peer = await world.opened("/ledger");
    await world.changed("/ledger/7");
    await world.clock.advance(1_000);
    const seen = peer.messages.length;
    total = "9007199254740992";
    await world.changed("/ledger/1");
    await world.clock.advance(1_000);
    expect(briefs(peer, seen)).toEqual(["200", "304"]);
  });
});

describe("Rows whose keys are numbers that no double can tell apart", () => {
  it("have no URL, so that none is taken for the other [R-FLD-4]", async () => {
    const row = (id: string, name: string) => `{"id":${id},"name":"${name}"}`;
    let name = "B";
    const body = () => `{"items":[${row("9007199254740992", "A")},${row("9007199254740993", name)},${row("7", "C")}]}`;
    const world = new AppWorld(() => text(body()));
    const peer = await world.opened("/items");
    name = "B renamed";
    await world.changed("/items");
    expect(briefs(peer)).toEqual(["200", "304"]);
    expect(peer.messages[2]?.body).toBe(body());
  });
});

describe("JSON that is read exactly", () => {
  it.each(changes)("tells %s from %s", (before, after) => {
    expect(parseExactly(`[${before}]`)).not.toEqual(parseExactly(`[${after}]`));
  });

  it("is equal where the texts have the same values, and no string is taken for a number", () => {
    const strings = ["\u0000#2.50", "2.50", "\u0000", '"\\', "\u0000\u0000#1e400"];
    expect(new Set(strings.map((one) => parseExactly(JSON.stringify(one)))).size).toBe(strings.length);
    expect(strings.map((one) => parseExactly(JSON.stringify(one)))).not.toContainEqual(parseExactly("2.50"));
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, space) => {
        const [one, other] = [JSON.stringify(value), JSON.stringify(value, null, space)];
        expect(parseExactly(one)).toEqual(parseExactly(other));
        if (!one.includes("\\u0000") && !/\de/.test(one)) expect(parseExactly(one)).toEqual(JSON.parse(one));
      }),
    );
  });

  it.each(["[01]", "[1.]", "{", "[-]", '["\\x"]', "[1e]"])("refuses what is none: %s", (body) => {
    expect(() => parseExactly(body)).toThrow(SyntaxError);
  });
});
