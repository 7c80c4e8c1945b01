import { describe, expect, it, onTestFinished } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer } from "../../../src/testing/index.ts";
import { type EngineSql, here, type Service, serve } from "./service.ts";

const shop = `CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, amount integer NOT NULL);
  CREATE TABLE other (id integer PRIMARY KEY);
  CREATE VIEW totals AS SELECT customer, sum(amount) AS total, count(*) AS orders FROM orders GROUP BY customer;
  CREATE VIEW large AS SELECT customer AS url, total FROM totals WHERE total > 10;
  INSERT INTO orders VALUES (1, 'Ann', 7), (2, 'Bo', 20), (3, 'Ann', 5)`;

/** Follows a URL until the test ends; gives the rows of the newest document, once so many came. */
async function follow({ scaffold }: Service, target: string): Promise<(count: number) => Promise<unknown>> {
  const hub = createHub({ ...scaffold });
  onTestFinished(() => hub.close(0));
  const peer = await connectMemoryPeer(hub, target, { level: 1, fields: [["Host", "example.com"]] });
  const documents = () => peer.messages.filter(({ status }) => status === 200);
  return async (count) => {
    while (documents().length < count) await new Promise<void>((resolve) => setImmediate(resolve));
    return Object.values(JSON.parse(String(documents()[count - 1]?.body)) as object)[0];
  };
}

describe("A view of the database", () => {
  it("is a collection whose rows have no URLs, filtered and ordered", async () => {
    const { send, errors } = await serve(shop);

    const all = await send("GET", "/totals?order=customer");
    const ann = await send("GET", "/totals?customer=Ann");
    const much = await send("GET", "/totals?total=gt.15");
    const large = await send("GET", "/large?order=total.desc&limit=1");
    const count = await send("GET", "/totals?limit=1", undefined, { Prefer: "count=exact" });

    const rows = [
      { customer: "Ann", total: 12, orders: 2 },
      { customer: "Bo", total: 20, orders: 1 },
    ];
    expect([all.json, ann.json, much.json, large.json]).toEqual([
      { totals: rows },
      { totals: [rows[0]] },
      { totals: [rows[1]] },
      { large: [{ url: "Bo", total: 20 }] },
    ]);
    expect([all.field("Items"), large.field("Items"), count.field("Content-Range")]).toEqual([
      'list="/totals", record="/total", link="/url"',
      'list="/large", record="/large", link="/_url"',
      "items 0-0/2",
    ]);
    expect(errors).toEqual([]);
  });

  it("without triggers can be read only, where it computes", async () => {
    const { send } = await serve(shop);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await send(method, "/totals", {});
      expect([answer.status, answer.field("Allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
    expect((await send("GET", "/totals/Ann")).status).toBe(404);
  });

  it("is followed: it comes anew when a table that it reads has changed, and not when another has", async () => {
    const service = await serve(shop);
    const asked: string[] = [];
    const { scaffold } = service;
    const origin: typeof scaffold.origin = (request) => {
      asked.push(request.target);
      return scaffold.origin(request);
    };
    const watched = { ...service, scaffold: { ...scaffold, origin } };
    const ann = await follow(watched, "/totals?customer=Ann");
    const large = await follow(watched, "/large");
    expect(await ann(1)).toEqual([{ customer: "Ann", total: 12, orders: 2 }]);
    expect(await large(1)).toHaveLength(2);

    await service.run("INSERT INTO other VALUES (1)");
    await scaffold.journal?.poll();
    await service.run("UPDATE orders SET amount = 8 WHERE id = 1");

    expect(await ann(2)).toEqual([{ customer: "Ann", total: 13, orders: 2 }]);
    expect(await large(2)).toContainEqual({ url: "Ann", total: 13 });
    expect(asked.filter((target) => target === "/large")).toHaveLength(2);
    await service.run("DELETE FROM orders");
    expect(await ann(3)).toEqual([]);
  });

  it("is followed where what it reads is not served", async () => {
    const service = await serve(shop, { tables: ["large"] });
    const large = await follow(service, "/large?order=url");
    expect(await large(1)).toEqual([
      { url: "Ann", total: 12 },
      { url: "Bo", total: 20 },
    ]);

    await service.run("UPDATE orders SET amount = 1 WHERE customer = 'Bo'");

    expect(await large(2)).toEqual([{ url: "Ann", total: 12 }]);
    expect((await service.send("GET", "/orders")).status).toBe(404);
  });

  it("comes and goes while the service runs, and who follows it is told when it is made anew", async () => {
    const service = await serve(shop);
    const { send, run } = service;
    await run("CREATE VIEW late AS SELECT 1 AS one");
    expect((await send("GET", "/late")).json).toEqual({ late: [{ one: 1 }] });
    const late = await follow(service, "/late");
    expect(await late(1)).toEqual([{ one: 1 }]);

    await run("DROP VIEW late; CREATE VIEW late AS SELECT 1 AS one, 'b' AS two");
    await run("DROP VIEW large");

    expect(await late(2)).toEqual([{ one: 1, two: "b" }]);
    expect((await send("GET", "/late?two=b")).json).toEqual({ late: [{ one: 1, two: "b" }] });
    expect((await send("GET", "/large")).status).toBe(404);
  });
});

const written: EngineSql = {
  sqlite: `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, team INTEGER, born INTEGER DEFAULT 1970);
    INSERT INTO people (id, name, team) VALUES (1, 'Ann', 7), (2, 'Bo', 8);
    CREATE VIEW seven AS SELECT id AS number, name, born, upper(name) AS shout FROM people WHERE team = 7;
    CREATE TRIGGER seven_new INSTEAD OF INSERT ON seven BEGIN
      INSERT INTO people (id, name, team, born) VALUES (new.number, new.name, 7, new.born); END;
    CREATE TRIGGER seven_set INSTEAD OF UPDATE ON seven BEGIN
      UPDATE people SET name = new.name, born = new.born WHERE id = old.number; END;
    CREATE TRIGGER seven_end INSTEAD OF DELETE ON seven BEGIN DELETE FROM people WHERE id = old.number; END`,
  postgres: `CREATE TABLE people (id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (START 9), name text NOT NULL, team integer DEFAULT 7,
      born integer DEFAULT 1970);
    INSERT INTO people (id, name, team) VALUES (1, 'Ann', 7), (2, 'Bo', 8);
    CREATE VIEW seven AS SELECT id AS number, name, born, upper(name) AS shout FROM people WHERE team = 7`,
};

describe("A view that the database takes writes to", () => {
  it("has records at the key of the table that it is from", async () => {
    const { send } = await serve(written);
    const list = await send("GET", "/seven");
    const one = await send("GET", "/seven/1");

    const ann = { number: 1, name: "Ann", born: 1970, shout: "ANN" };
    expect([list.json, one.json]).toEqual([
      { seven: [{ url: "/seven/1", ...ann }] },
      { seven: { url: "/seven/1", ...ann } },
    ]);
    expect((await send("GET", "/seven/2")).status).toBe(404);
    expect((await send("OPTIONS", "/seven/1")).field("Allow")).toBe("GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    expect((await send("OPTIONS", "/seven")).field("Allow")).toBe("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
  });

  it("takes a record that is there already where the database can tell", async () => {
    const { send, errors } = await serve(written);
    const merge = { Prefer: "resolution=merge-duplicates" };
    const answer = await send("POST", "/seven", { number: 1, name: "Anna" }, merge);
    expect(answer.status).toBe(here({ sqlite: 400, postgres: 200 }));
    expect(errors).toEqual([]);
  });

  it("is changed by a filter", async () => {
    const { send, rows } = await serve(written);
    expect((await send("PATCH", "/seven?name=Ann", { born: 3 })).status).toBe(200);
    expect((await send("DELETE", "/seven?born=3")).status).toBe(204);
    expect(await rows("SELECT name FROM people")).toEqual([["Bo"]]);
  });

  it("is written as a table is", async () => {
    const { send, rows, errors } = await serve(written);

    const post = await send("POST", "/seven", { number: 3, name: "Cy", born: 1980 });
    const patch = await send("PATCH", "/seven/1", { name: "Anna" });
    const put = await send("PUT", "/seven/3", { name: "Cyd", born: 1981 });
    const gone = await send("DELETE", "/seven/1");

    const cy = { url: "/seven/3", number: 3, name: "Cy", born: 1980, shout: "CY" };
    expect([post.status, post.field("Location"), post.json]).toEqual([201, "/seven/3", { seven: cy }]);
    expect([patch.status, patch.json]).toMatchObject([200, { seven: { name: "Anna", shout: "ANNA" } }]);
    expect([put.status, put.json]).toMatchObject([200, { seven: { name: "Cyd", born: 1981 } }]);
    expect(gone.status).toBe(204);
    expect(await rows("SELECT id, name, team, born FROM people ORDER BY id")).toEqual([
      [2, "Bo", 8, 1970],
      [3, "Cyd", 7, 1981],
    ]);
    expect((await send("PATCH", "/seven/2", { name: "no" })).status).toBe(404);
    expect((await send("PATCH", "/seven/3", { name: null })).status).toBe(422);
    expect(errors).toEqual([]);
  });

  it("judges conditions, and answers a POST whose key only the database knows", async () => {
    const { send, rows } = await serve(written);
    const etag = (await send("GET", "/seven/1")).field("ETag") ?? "";
    const first = await send("PATCH", "/seven/1", { born: 1 }, { "If-Match": etag });
    const second = await send("PATCH", "/seven/1", { born: 2 }, { "If-Match": etag });
    const post = await send("POST", "/seven", { name: "New" });

    expect([first.status, second.status, post.status]).toEqual([200, 412, 201]);
    expect(post.field("Location")).toBe(here({ sqlite: undefined, postgres: "/seven/9" }));
    expect(await rows("SELECT name FROM people WHERE team = 7 ORDER BY id")).toEqual([["Ann"], ["New"]]);
  });

  it("is live through what it writes", async () => {
    const service = await serve(written);
    const hub = createHub({ ...service.scaffold });
    onTestFinished(() => hub.close(0));
    const peer = await connectMemoryPeer(hub, "/seven", { level: 1, fields: [["Host", "example.com"]] });
    const told = async (status: number): Promise<string> => {
      const find = () => peer.messages.find((message) => message.status === status);
      while (!find()) await new Promise<void>((resolve) => setImmediate(resolve));
      return String(find()?.body);
    };
    await told(200);

    await service.send("PATCH", "/seven/1", { name: "Anna" });
    expect(await told(202)).toContain('"shout":"ANNA"');
    await service.run("INSERT INTO people (id, name, team) VALUES (5, 'Di', 7)");
    expect(await told(201)).toContain('"url":"/seven/5"');
    await service.run("UPDATE people SET team = 8 WHERE id = 5");
    await told(204);
  });

  it("takes what triggers take, and nothing else", async () => {
    const { send, rows } = await serve({
      sqlite: `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
        CREATE VIEW inbox AS SELECT DISTINCT text FROM notes;
        CREATE TRIGGER inbox_new INSTEAD OF INSERT ON inbox BEGIN INSERT INTO notes (text) VALUES (new.text); END`,
      postgres: `CREATE TABLE notes (id serial PRIMARY KEY, text text);
        CREATE VIEW inbox AS SELECT DISTINCT text FROM notes;
        CREATE FUNCTION add_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO notes (text) VALUES (NEW.text); RETURN NEW; END $$;
        CREATE TRIGGER inbox_new INSTEAD OF INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION add_note()`,
    });

    const post = await send("POST", "/inbox", { text: "hello" });
    const list = await send("POST", "/inbox", [{ text: "a" }, { text: "b" }]);

    expect([post.status, post.text, post.field("Location"), list.status]).toEqual([201, "", undefined, 201]);
    expect(await rows("SELECT text FROM notes ORDER BY id")).toEqual([["hello"], ["a"], ["b"]]);
    expect((await send("OPTIONS", "/inbox")).field("Allow")).toBe("GET, HEAD, POST, OPTIONS");
    expect((await send("DELETE", "/inbox")).status).toBe(405);
  });
});
