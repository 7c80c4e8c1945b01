import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Client, type Collection, createClient, type ErrorContext, ProblemError } from "../../src/client/index.ts";
import { type Attachment, attach } from "../../src/node/index.ts";
import { listOf, message } from "./messages.ts";
import { socketsOn } from "./network.ts";
import { World } from "./world.ts";

interface Site {
  readonly client: Client;
  readonly told: { readonly error: unknown; readonly context: ErrorContext }[];
  /** Answers with another document from now on. */
  answer(path: string, document: unknown): void;
}

/** An attached application that answers documents, of which two have a place for rows by its own word. */
async function start(documents: Record<string, unknown>): Promise<Site> {
  const server = createServer(({ url = "" }, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(documents[url]));
  });
  const records = { "/hal": { list: "/_embedded/posts", link: "/href" } };
  const handle: Attachment = attach(server, { records, onError: () => {} });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const told: Site["told"] = [];
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    onError: (error, context) => told.push({ error, context }),
  });
  onTestFinished(async () => {
    client.close();
    await handle.close();
    server.close();
    server.closeAllConnections();
  });
  const answer = (path: string, document: unknown): void => {
    documents[path] = document;
    handle.changed(path);
  };
  return { client, told, answer };
}

function until<Row>(list: Collection<Row>, isWanted: (list: Collection<Row>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isWanted(list)) return;
      resolve();
      queueMicrotask(stop);
    };
    const stop = list.subscribe(look);
    look();
  });
}

describe("A collection whose URL answers no list", () => {
  it("says so where the server was told of a list that is not there, until it is [R-FLD-13]", async () => {
    const { client, told, answer } = await start({ "/hal": { _embedded: { posts: { none: true } } } });
    const list = client.collection("/hal");
    const error = await list.ready().catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).message).toContain('no list at "/_embedded/posts"');
    expect((error as ProblemError).message).toContain("option records");
    expect(list.getSnapshot()).toMatchObject({ rows: [], hasMore: false, status: { state: "failed" } });

    const isLive = until(list, ({ getSnapshot }) => getSnapshot().status.state === "live");
    answer("/hal", { _embedded: { posts: [{ href: "/posts/1" }] }, total: 1 });
    await isLive;
    expect(list.getSnapshot().rows).toEqual([{ href: "/posts/1" }]);
    expect(told.map(({ context }) => context)).toEqual([{ stage: "view" }]);
    expect(told[0]?.error).toMatchObject({ name: "ProblemError", problem: { status: 422 } });
  });

  it.each([
    ["a record", { title: "one", size: 3 }],
    ["texts", ["red", "blue"]],
    ["a number", 7],
  ])("says so where that is %s, which a record() shows", async (_what, document) => {
    const { client, told } = await start({ "/doc": document });
    const list = client.collection("/doc");
    await expect(list.ready()).rejects.toThrow("/doc answers no list of records: follow it by record()");
    expect(list.getSnapshot().rows).toEqual([]);
    const record = client.record<unknown>("/doc");
    await record.ready();
    expect([record.getSnapshot().row, record.getSnapshot().status.state]).toEqual([document, "live"]);
    expect([client.status.state, told.length]).toEqual(["live", 1]);
  });

  it("is an empty list where nothing is at the place that the server was told of, and that is told [R-FLD-13]", async () => {
    const world = new World();
    const unfit = { ...message(200, { total: 0 }, ["Items", 'list="/rows", url="/a/{id}", unfit="/rows"']) };
    const initial = { "/a": unfit };
    const told: unknown[] = [];
    const client = createClient("http://example.com", {
      clock: world.clientClock,
      WebSocket: socketsOn(world),
      initial,
      onError: (error, { stage }) => told.push([stage, (error as Error).message]),
    });
    const list = client.collection("/a");
    list.subscribe(() => {});
    const { feed } = list as unknown as { feed: { take(one: unknown): void } };
    feed.take(unfit);
    feed.take({ status: 304, reason: "", fields: [], body: "" });
    await world.clock.settle();
    expect(list.getSnapshot()).toMatchObject({ rows: [], status: { state: "live" } });
    feed.take(unfit);
    await world.clock.settle();
    const why = '/a answers nothing at "/rows", where the server\'s option records says that the list is: mend either.';
    expect(told).toEqual([["view", why]]);
    client.close();
  });

  it("is asked for once, whoever looks, and is told once", async () => {
    const { client, told } = await start({ "/doc": { title: "one" } });
    const list = client.collection("/doc");
    await list.ready().catch(() => {});
    const snapshot = list.getSnapshot();
    await list.ready().catch(() => {});
    expect(list.getSnapshot()).toBe(snapshot);
    expect(told.length).toBe(1);
  });
});

describe("A list with odd rows", () => {
  const odd = [
    { id: 1, n: "a" },
    { id: 1, n: "b" },
    { n: "none" },
    { id: ".", n: "dot" },
    { id: null },
    { id: 2 },
    null,
  ];

  async function shown() {
    const world = new World();
    const { client, clock } = world;
    const list = client.collection<Record<string, unknown>>("/a");
    list.subscribe(() => {});
    await clock.advance(100);
    const { fields, body } = listOf(odd as object[]);
    const [socket] = world.sockets;
    const said = String(client.record("/a").url);
    socket?.deliver(
      `HTTP/1.1 200 OK\r\n${[...fields, ["Subscription", said]].map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n${body}`,
    );
    await clock.advance(100);
    return { client, list, rows: list.getSnapshot().rows };
  }

  it("shows all of them, each with a key of its own [R-FLD-4]", async () => {
    const { client, list, rows } = await shown();
    expect(rows).toEqual(odd);
    expect(new Set(rows.map((row) => list.keyOf(row))).size).toBe(odd.length);
    client.close();
  });

  it("writes to those that have a URL of their own, and refuses the others with a reason", async () => {
    const { client, list, rows } = await shown();
    const urls = rows.map((row) => {
      try {
        return list.urlOf(row);
      } catch (error) {
        return (error as Error).message.slice(0, 32);
      }
    });
    const none = "The row has no URL: its key is m";
    expect(urls).toEqual(["/a/1", none, none, none, none, "/a/2", "The row is none that this client"]);
    for (const row of rows.slice(1, 5)) {
      await expect(list.update(row, { n: "c" })).rejects.toThrow(none);
      await expect(list.destroy(row)).rejects.toThrow(none);
    }
    client.close();
  });
});
