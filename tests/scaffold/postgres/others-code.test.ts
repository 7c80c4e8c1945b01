import { expect, it } from "vitest";
import { programs, serverOfFile } from "./server.ts";
import { newSite, watch } from "./workspace.ts";

const server = serverOfFile();

/** A table of somebody who may not much, whose domain runs a function of theirs wherever a text becomes a value of it. */
const mallorys = (columns: string): string => `
  DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
  CREATE SCHEMA own AUTHORIZATION mallory; GRANT CREATE ON SCHEMA public TO mallory;
  CREATE TABLE public.seen (who text); GRANT INSERT ON public.seen TO mallory;
  SET ROLE mallory;
  CREATE FUNCTION own.check(value int) RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO public.seen VALUES (current_user); RETURN true; END $$;
  CREATE DOMAIN own.number AS int CHECK (own.check(VALUE));
  CREATE TABLE t (id int PRIMARY KEY, n own.number ${columns});
  CREATE FUNCTION own.again() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN IF OLD.id = 1 THEN INSERT INTO t VALUES (2, 500); END IF; RETURN NULL; END $$;
  CREATE TRIGGER zz AFTER DELETE ON t FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION own.again();
  RESET ROLE; GRANT ALL ON t TO postgres`;

it.each([
  ["a table whose rows have to be compared", ""],
  ...(programs === undefined ? [["a table with virtual columns", ", twice int GENERATED ALWAYS AS (id * 2)"]] : []),
])("Looking at %s runs nothing of its owner's as the journal's owner", async (_what, columns = "") => {
  const site = await newSite(server, mallorys(columns));
  const { news } = await watch(site);
  const mallory = await server.connect(site.database, "mallory");
  await mallory.query("INSERT INTO t VALUES (1, 1), (2, 2)");
  await news();
  await mallory.query("DELETE FROM t");
  expect(await news()).toEqual(["reset /t"]);
  const { rows } = await site.client.query("SELECT DISTINCT who FROM public.seen");
  expect(rows).toEqual([{ who: "mallory" }]);
});
