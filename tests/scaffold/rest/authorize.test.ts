import { describe, expect, test } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import type { MemoryPeer } from "../../../src/testing/index.ts";
import { type AppSite, type People, serveApp } from "./app-site.ts";
import { column } from "./rules-site.ts";
import type { TestOptions } from "./service.ts";
import { told, until } from "./told.ts";

const sql = `
  CREATE TABLE notes (id integer PRIMARY KEY, owner text NOT NULL, team integer NOT NULL, text text);
  INSERT INTO notes VALUES (1, 'ann', 1, 'a1'), (2, 'bob', 2, 'b2'), (3, 'cy', 1, 'c3');`;
const rules = {
  notes: {
    read: "or=(owner.eq.$sub,team.in.($teams))",
    create: { check: "owner=eq.$sub", set: { owner: "$sub" } },
    update: "owner=eq.$sub",
    delete: "owner=eq.$sub",
  },
};

function everybody(): People {
  return {
    ann: () => ({ sub: "ann", teams: [1] }),
    bob: async () => ({ sub: "bob", teams: [] }),
    visitor: () => ({}),
    locked: () => new Response("Your account is locked.", { status: 403, headers: { "X-Reason": "late" } }),
    broken: () => {
      throw new Error("the session store is away");
    },
    late: () => Promise.reject(new Error("the session store is away")),
    redirected: () => Response.redirect("https://id.example.com/"),
    text: () => "ann" as unknown as object,
    session: () => new (class Session {})(),
  };
}

function open(options: TestOptions = {}): Promise<AppSite> {
  return serveApp(sql, everybody(), { rules, ...options });
}

const texts = (peer: MemoryPeer): string => JSON.stringify(peer.messages.map(({ body }) => String(body)));

describe("What an application says of a request", () => {
  test("is whose claims the rules have, at once or later", async () => {
    const { as } = await open();

    const [anns, bobs, made] = [
      await as("ann", "GET", "/notes"),
      await as("bob", "GET", "/notes"),
      await as("bob", "POST", "/notes", { id: 4, team: 2, text: "b4", owner: "ann" }),
    ];

    expect([anns, bobs].map((answer) => column(answer, "id"))).toEqual([[1, 3], [2]]);
    expect(made.json).toMatchObject({ note: { owner: "bob" } });
    expect(anns.fields).toEqual(
      expect.arrayContaining([
        ["Cache-Control", "private"],
        ["Vary", "Authorization, Cookie"],
      ]),
    );
    expect((await as("bob", "PATCH", "/notes/1", { text: "x" })).status).toBe(404);
  });

  test("is a 401 where that is nobody, for reads, writes and what is followed", async () => {
    const { as, follow } = await open();

    const answers = [
      await as("nobody", "GET", "/notes"),
      await as("nobody", "POST", "/notes", { id: 4, team: 2 }),
      await as("nobody", "GET", "/.well-known/rocket/schema"),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(answers[0]?.field("www-authenticate")).toBe("Bearer");
    expect((await follow("nobody", "/notes")).messages.map(({ status }) => status)).toEqual([401]);
  });

  test("is what the rules allow everybody where it has no claims", async () => {
    const { as } = await open({ rules: { notes: { read: "team=eq.1", create: "owner=eq.$sub" } } });

    expect(column(await as("visitor", "GET", "/notes"), "id")).toEqual([1, 3]);
    expect((await as("visitor", "POST", "/notes", { id: 4, owner: "ann", team: 1 })).status).toBe(401);
  });

  test("is a refusal with its own reason", async () => {
    const { as, follow } = await open();

    const answer = await as("locked", "GET", "/notes");
    const peer = await follow("locked", "/notes");

    expect([answer.status, answer.json, answer.field("x-reason"), answer.field("content-type")]).toEqual([
      403,
      expect.objectContaining({ detail: "Your account is locked." }),
      "late",
      "application/problem+json",
    ]);
    expect(peer.messages.map(({ status }) => status)).toEqual([403]);
    expect(texts(peer)).toContain("Your account is locked.");
  });

  test.each(["broken", "late", "redirected", "text", "session"])(
    "shows nothing where it is no such thing: %s",
    async (name) => {
      const { as, follow, errors } = await open();

      const [answer, peer] = [await as(name, "GET", "/notes"), await follow(name, "/notes")];

      expect([answer.status, ...peer.messages.map(({ status }) => status)]).toEqual([500, 500]);
      expect(answer.text + texts(peer)).not.toMatch(/a1|b2|c3|session store|authorize/);
      expect(errors.map(String).join()).toMatch(/session store is away|authorize/);
    },
  );

  test("keeps the keys of two people's repeated writes apart", async () => {
    const { as } = await open();
    const key = { "Idempotency-Key": '"k1"' };

    const first = await as("ann", "POST", "/notes", { id: 7, team: 1, text: "x" }, key);
    const again = await as("ann", "POST", "/notes", { id: 7, team: 1, text: "x" }, key);
    const others = await as("bob", "POST", "/notes", { id: 7, team: 1, text: "x" }, key);

    expect([first, again, others].map(({ status }) => status)).toEqual([201, 201, 409]);
  });

  test("takes big integers and dates as their texts", async () => {
    const site = await open({ rules: { notes: { read: "team=eq.$team" } } });
    site.people.ann = () => ({ sub: "ann", team: 2n, since: new Date(0) });

    expect(column(await site.as("ann", "GET", "/notes"), "id")).toEqual([2]);
  });

  test("can't be beside tokens or users", async () => {
    await expect(open({ users: {} })).rejects.toThrow("authorize says who asks, and so does users: give one of them.");
    await expect(open({ authorize: "ann" as never })).rejects.toThrow("authorize must be a function, not string.");
  });
});

describe("Who follows something", () => {
  test("is asked for again with the credentials that a SUBSCRIBE brings", async () => {
    const { follow, asked } = await open();
    const peer = await follow("ann", "/.well-known/rocket");

    peer.request("SUBSCRIBE", "/notes", [["Request-ID", "1"]]);
    await until(() => told(peer).length === 2);
    peer.request("SUBSCRIBE", "/notes", [
      ["Request-ID", "2"],
      ["Authorization", "Bearer bob"],
      ["Cache-Control", "no-cache"],
    ]);
    await until(() => told(peer).length === 3);

    expect(asked).toEqual(["GET ann", "GET bob"]);
    expect(told(peer)).toEqual(["200", "200", "200"]);
    expect(String(peer.messages.findLast(({ status }) => status === 200)?.body)).toMatch(/^(?!.*a1).*b2/);
  });

  test("is judged anew, and ends, once the application says that its rights are others", async () => {
    const site = await open();
    const [ann, bob, record] = [
      await site.follow("ann", "/notes"),
      await site.follow("bob", "/notes"),
      await site.follow("ann", "/notes/3"),
    ];

    site.people.ann = () => ({ sub: "ann", teams: [2] });
    site.scaffold.rightsChanged(({ sub }) => sub === "ann");
    await until(() => told(ann).length === 2 && told(record).length === 2);
    await site.change("INSERT INTO notes VALUES (4, 'cy', 1, 'hidden'), (5, 'cy', 2, 'c5')");
    await until(() => told(ann).length === 3);

    expect(told(ann)).toEqual(["200", "200", "201 /notes/5"]);
    expect([told(record), texts(record).includes("hidden")]).toEqual([["200", "404"], false]);
    expect(told(bob)).toEqual(["200"]);

    site.people.ann = () => null;
    site.scaffold.rightsChanged();
    await until(() => told(ann).length === 4 && told(bob).length === 2);

    expect([told(ann).at(-1), ann.closing?.code, told(bob).at(-1)]).toEqual(["401", 4401, "200"]);
  });

  test("at Level 0 has to come again", async () => {
    const site = await open();
    const [ann, bob] = [await site.follow("ann", "/notes", 0), await site.follow("bob", "/notes", 0)];

    site.scaffold.rightsChanged(({ sub }) => sub === "ann");
    await until(() => ann.closing !== undefined);
    await site.change("INSERT INTO notes VALUES (4, 'bob', 2, 'b4')");
    await until(() => told(bob).length === 1);

    expect([ann.closing?.code, bob.closing]).toEqual([1001, undefined]);
  });

  test("is told nothing by rights that became others while they were asked for", async () => {
    const site = await open();
    let [isAsked, give] = [false, (): void => undefined];
    site.people.ann = () =>
      new Promise((resolve) => {
        isAsked = true;
        give = () => resolve({ sub: "ann", teams: [1] });
      });
    const following = site.follow("ann", "/notes");
    await until(() => isAsked);

    site.people.ann = () => ({ sub: "ann", teams: [] });
    site.scaffold.rightsChanged(({ sub }) => sub === "ann");
    give();
    const peer = await following;

    expect(peer.messages.map(({ status }) => status)).toEqual([200, 304]);
    expect(texts(peer)).not.toContain("c3");
  });

  test("is judged anew where what tells who is meant fails", async () => {
    const site = await open();
    const peer = await site.follow("ann", "/notes");

    site.people.ann = () => null;
    site.scaffold.rightsChanged(() => {
      throw new Error("no");
    });
    await until(() => told(peer).length === 2);

    expect(told(peer)).toEqual(["200", "401"]);
  });

  test("of a derived view, too", async () => {
    const site = await open();
    const peer = await site.follow("ann", "/notes?limit=5");

    site.people.ann = () => ({ sub: "ann", teams: [2] });
    site.scaffold.rightsChanged();
    await until(() => told(peer).length === 2);

    expect(told(peer)).toEqual(["200", "200"]);
    expect(fieldValue(peer.messages.at(-1)?.fields ?? [], "event-id")).toBeDefined();
    expect(texts(peer)).toContain("b2");
  });
});
