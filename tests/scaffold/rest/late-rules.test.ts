import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

const sql =
  "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)";

describe("A rule that is checked at the commit", () => {
  test("names the record of a list that broke it", async () => {
    const { send } = await serve(`${sql}; INSERT INTO a VALUES (1)`);
    const list = [
      { id: 1, a: 1 },
      { id: 2, a: 9 },
      { id: 3, a: 1 },
    ];
    const answer = await send("POST", "/b", list);
    expect([answer.status, answer.json]).toMatchObject([
      409,
      {
        detail: "Record 2 of the list: A foreign key does not hold: a record that this one names is missing.",
        errors: [{ field: "a", detail: "There is no record with this value." }],
      },
    ]);
    expect((await send("GET", "/b")).json).toEqual({ b: [] });
  });

  test("names no record where there is one only", async () => {
    const { send } = await serve(sql);
    const answer = await send("POST", "/b", { id: 1, a: 9 });
    expect(answer.json).toMatchObject({
      detail: "A foreign key does not hold: a record that this one names is missing.",
      errors: [{ field: "a" }],
    });
  });

  test("is told of each of two writes of one turn by itself", async () => {
    const { send } = await serve(`${sql}; INSERT INTO a VALUES (1)`);
    const lists = [
      [{ id: 1, a: 1 }],
      [
        { id: 2, a: 1 },
        { id: 3, a: 9 },
      ],
    ];
    const answers = await Promise.all(lists.map((list) => send("POST", "/b", list)));
    expect(answers.map(({ status }) => status)).toEqual([201, 409]);
    expect(answers[1]?.text).toContain("Record 2 of the list: ");
  });
});
