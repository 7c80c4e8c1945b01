import { describe, expect, test } from "vitest";
import { detach, type UsersOptions } from "../../../src/scaffold/index.ts";
import { serve } from "./service.ts";

describe("The table of keys", () => {
  test("goes with detach, which leaves the schema as it was", async () => {
    const { path, other } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY)", {});
    const schema = () => other.prepare("SELECT type, name, sql FROM sqlite_schema").raw().all();
    expect(schema().flat()).toContain("_rocket_idempotency");

    await detach(path);

    expect(schema()).toEqual([["table", "t", "CREATE TABLE t (id INTEGER PRIMARY KEY)"]]);
  });

  test("leaves people's accounts where they are", async () => {
    const users = { signUp: true, passwordCost: 4 } as UsersOptions;
    const { path, other, send } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY)", { users });
    await send("POST", "/auth/sign-up", { email: "ann@example.com", password: "correct horse" });

    await detach(path);

    const names = other.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").pluck().all();
    expect(names).toEqual(["_rocket_keys", "_rocket_sessions", "_rocket_users", "t"]);
    expect(other.prepare("SELECT email FROM _rocket_users").pluck().all()).toEqual(["ann@example.com"]);
  });
});
