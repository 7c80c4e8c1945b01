import { describe, expect, it } from "vitest";
import { applyDelta, chooseDeltas, type Field, resolvePointer } from "../../src/protocol/index.ts";
import { deltaAcceptVectors, deltaVectors } from "./vectors.ts";

describe("the wish for deltas", () => {
  it.each(deltaAcceptVectors)("in Accept: $accept is $takesDeltas [$requirement]", ({ accept, takesDeltas, inner }) => {
    const others: Field[] = [
      ["Host", "example.com"],
      ["Authorization", "Basic x"],
    ];
    const fields = [...others, ...accept.map((value): Field => ["ACCEPT", value])];
    const chosen = chooseDeltas(fields);
    expect(chosen.takesDeltas).toBe(takesDeltas);
    const left = chosen.fields.filter(([name]) => name.toLowerCase() === "accept").map(([, value]) => value);
    expect(left.length === 0 ? null : left.join(", ")).toBe(inner);
    expect(chosen.fields.slice(0, 2)).toEqual(others);
  });

  it("leaves the fields of who has none as they are [R-DELTA-1]", () => {
    const fields: Field[] = [["Accept", "text/html, */*;q=0.1"]];
    expect(chooseDeltas(fields).fields).toBe(fields);
  });
});

describe("a delta", () => {
  it.each(deltaVectors)("of $name leads to $after [$requirement]", ({ record, before, patch, after }) => {
    const made = applyDelta(before, record, patch);
    expect(JSON.stringify(made.body)).toBe(JSON.stringify(after));
    expect(made.record).toEqual(resolvePointer(after, record));
  });
});
