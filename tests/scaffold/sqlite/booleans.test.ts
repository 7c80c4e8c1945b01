import { expect, test } from "vitest";
import { serve } from "./service.ts";

test("A BOOLEAN takes what a filter means by it, and no other text; what it has already stays", async () => {
  const { send, other } = await serve(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, b BOOLEAN); INSERT INTO t VALUES (1, 'maybe'), (2, NULL)",
  );
  const stored = (): unknown => other.prepare("SELECT b FROM t WHERE id = 2").pluck().get();
  for (const [b, value, shown] of [
    ["true", 1, true],
    ["false", 0, false],
    ["1", 1, true],
    [true, 1, true],
    [7, 7, 7],
  ] as const) {
    expect((await send("PATCH", "/t/2", { b })).json).toMatchObject({ t: { b: shown } });
    expect(stored()).toBe(value);
  }
  for (const b of ["maybe", "", "t"]) {
    expect((await send("PATCH", "/t/2", { b })).json).toMatchObject({
      status: 422,
      errors: [{ field: "b", detail: "This is no boolean." }],
    });
  }
  const { text } = await send("GET", "/t/1");
  expect((await send("PUT", "/t/1", text)).text).toBe(text);
});
