import { describe, expect, it } from "vitest";
import { isAway } from "../../../src/scaffold/postgres/engine/failure.ts";
import { showPage } from "../away.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

it.each([
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
  "Connection terminated unexpectedly",
])("is what the driver says of a connection that broke: %s", (message) => {
  expect([isAway(new Error(message)), isAway(new Error(`He said: ${message}`))]).toEqual([true, false]);
});

describe("While PostgreSQL is away", () => {
  it.each([
    ["crashed", () => server.crash(), () => server.start()],
    ["stands still", () => server.halt(), () => server.goOn()],
  ])(
    "as it %s, a page says that what it shows may be older, and all goes on by itself [R-HB-5]",
    async (_how, leave, comeBack) => {
      const { scaffold, client } = await serve(server, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
      const page = await showPage(scaffold, "/t");
      await page.until("live", 1);

      await leave();
      await page.until("behind", 1);
      await comeBack();
      const other = await server.connect(client.database ?? "");
      await other.query("INSERT INTO t VALUES (2)");
      await page.until("live", 2);

      expect(page.shown.slice(page.shown.indexOf("live 1"))).toEqual(["live 1", "behind 1", "behind 2", "live 2"]);
      expect(page.connections()).toBe(1);
    },
  );

  it("or somebody keeps the journal locked, it is read all the same, and pages say that they may be older", async () => {
    const { scaffold, client, send } = await serve(
      server,
      "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
    );
    const page = await showPage(scaffold, "/t");
    await page.until("live", 1);

    await client.query("BEGIN; SELECT FROM rocket.state FOR UPDATE");
    const other = await server.connect(client.database ?? "");
    await other.query("INSERT INTO t VALUES (2)");
    await page.until("behind", 1);
    const { status, json, field } = await send("GET", "/t");
    await client.query("COMMIT");
    await page.until("live", 2);

    const rows = [1, 2].map((id) => ({ url: `/t/${id}`, id }));
    expect([status, json, field("Event-ID")]).toEqual([200, { t: rows }, undefined]);
  });
});
