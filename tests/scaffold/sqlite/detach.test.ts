import { describe, expect, test } from "vitest";
import { detach } from "../../../src/scaffold/index.ts";
import { serve } from "./service.ts";

describe("The table of keys", () => {
  test("goes with detach, which leaves the schema as it was", async () => {
    const { path, other } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY)", {});
    const schema = () => other.prepare("SELECT type, name, sql FROM sqlite_schema").raw().all();
    expect(schema().flat()).toContain("_rocket_idempotency");

    await detach(path);

    expect(schema()).toEqual([["table", "t", "CREATE TABLE t (id INTEGER PRIMARY KEY)"]]);
  });
});
