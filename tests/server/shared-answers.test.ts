import { describe, expect, it } from "vitest";
import { SharedAnswers } from "../../src/server/shared-answers.ts";

function arrange() {
  const answers = new SharedAnswers();
  let asked = 0;
  const ask = (body = "") => {
    asked += 1;
    return Promise.resolve({ status: 200, fields: [], body });
  };
  return { answers, ask, asked: () => asked };
}

describe("a shared answer", () => {
  it("serves all that began anew before it was asked for, each in its turn", async () => {
    const { answers, ask, asked } = arrange();
    const moments = [answers.moment(), answers.moment(), answers.moment()];
    const given = [];
    for (const since of moments) given.push(await answers.get("a", since, ask));
    expect(asked()).toBe(1);
    expect(new Set(given).size).toBe(1);
  });

  it("is not for who began anew after it was asked for, nor for who asks something else", async () => {
    const { answers, ask, asked } = arrange();
    const before = answers.moment();
    await answers.get("a", before, ask);
    await answers.get("b", before, ask);
    expect(asked()).toBe(2);
    await answers.get("a", answers.moment(), ask);
    expect(asked()).toBe(3);
    // The newest serves those from before, too.
    await answers.get("a", before, ask);
    expect(asked()).toBe(3);
  });

  it("is given up when all are", async () => {
    const { answers, ask, asked } = arrange();
    const since = answers.moment();
    await answers.get("a", since, ask);
    answers.clear();
    await answers.get("a", since, ask);
    expect(asked()).toBe(2);
  });

  it("is given up, oldest first, where all together have more than 8 MiB", async () => {
    const { answers, ask, asked } = arrange();
    const body = "x".repeat(3 * 1024 * 1024);
    const since = answers.moment();
    for (const key of ["a", "b", "c"]) await answers.get(key, since, () => ask(body));
    for (const key of ["b", "c"]) await answers.get(key, since, () => ask(body));
    expect(asked()).toBe(3);
    await answers.get("a", since, () => ask(body));
    expect(asked()).toBe(4);
  });
});
