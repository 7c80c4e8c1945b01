import { describe, expect, it } from "vitest";
import { compareRows, expandTemplate, parseItemsField, parseOrder } from "../../src/check/server/items.ts";
import { itemOrderComparisons, itemOrderVectors, itemsVectors, urlTemplateVectors } from "../protocol/vectors.ts";

describe("the check's own reader", () => {
  it.each(itemsVectors)("of Items makes of $field what the vectors say [R-FLD-3]", ({ field, items, record }) => {
    const found = parseItemsField(field);
    const isList = found?.url !== undefined || found?.link !== undefined;
    expect(isList ? found : null).toEqual(items);
    expect(found?.record ?? null).toBe(record);
  });

  it.each(urlTemplateVectors)("of templates makes of $template what the vectors say [R-FLD-4]", (vector) => {
    expect(expandTemplate(vector.template, vector.row) ?? null).toBe(vector.url);
  });

  it.each(itemOrderVectors)("of orders takes $field or not, as the vectors do [R-FLD-5]", ({ field, order }) => {
    expect(parseOrder(field) === undefined).toBe(order === null);
  });

  it.each(itemOrderComparisons)("of orders compares by $order as the vectors do [R-FLD-6]", ({ order, groups }) => {
    const parts = parseOrder(order) ?? [];
    const values = groups.flatMap((group, place) => group.map((v) => ({ place, v })));
    for (const one of values) {
      for (const other of values) {
        const expected = Math.sign(one.place - other.place);
        expect([one.v, other.v, Math.sign(compareRows(parts, one, other))]).toEqual([one.v, other.v, expected]);
      }
    }
  });
});
