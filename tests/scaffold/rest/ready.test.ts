import { describe, expect, it } from "vitest";
import { musicSql, serve } from "./service.ts";

describe("whether a scaffold is ready", () => {
  it("is so while its database answers and its journal moves", async () => {
    const { scaffold } = await serve(musicSql);
    expect(await scaffold.ready()).toBeUndefined();
  });

  it("is not so once its database is let go of", async () => {
    const { scaffold } = await serve(musicSql);
    await scaffold.close();
    expect(await scaffold.ready()).toBe("The database does not answer.");
  });

  it("is not so while its journal does not move", async () => {
    const { scaffold } = await serve(musicSql);
    const { journal } = scaffold;
    expect(journal?.isAway).not.toBe(true);
    Object.defineProperty(journal, "isAway", { get: () => true });
    expect(await scaffold.ready()).toMatch(/^The database answers, and its journal does not move/);
  });

  it("leaves the short URLs to tables of these names", async () => {
    const { scaffold } = await serve("CREATE TABLE healthz (id INTEGER PRIMARY KEY)");
    expect(scaffold.owns("/healthz")).toBe(true);
    expect(scaffold.owns("/readyz")).toBe(false);
  });
});
