import { describe, expect, it } from "vitest";
import { showPage } from "../away.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

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
});
