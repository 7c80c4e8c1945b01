import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Collection, createClient } from "../../src/client/index.ts";
import { attach } from "../../src/node/index.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/index.ts";

interface Book {
  readonly id: number;
  readonly title: string;
}

/** What an application answers to a POST that made a record. */
type AnswerTo = (book: Book) => {
  readonly status?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

interface AppOptions {
  readonly answerTo: AnswerTo;
  readonly books: Book[];
  /** Resolves when an answer to a POST may go. */
  readonly gate: () => Promise<void>;
}

async function contentOf(request: IncomingMessage): Promise<Partial<Book>> {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

function createApp({ answerTo, books, gate }: AppOptions) {
  let lastId = Math.max(0, ...books.map(({ id }) => id));
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body?: unknown, fields: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...fields });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const { method, url = "" } = request;
    const [, path, key] = url.split("/");
    const at = books.findIndex(({ id }) => id === Number(key));
    const found = books[at];
    if (path !== "books") send(404);
    else if (method === "POST") {
      const book = { id: ++lastId, title: "", ...(await contentOf(request)) };
      books.push({ ...book, title: book.title.trim() });
      const { status = 201, body, fields } = answerTo(book);
      await gate();
      send(status, body, fields);
    } else if (key === undefined) send(200, books);
    else if (!found) send(404);
    else if (method === "GET") send(200, found);
    else if (method === "PATCH") {
      const changed = { ...found, ...(await contentOf(request)) };
      books[at] = changed;
      send(200, changed);
    } else {
      books.splice(at, 1);
      send(204);
    }
  };
}

interface OpenOptions {
  readonly books?: Book[];
  /** Whether the server tells of a record before the create is answered. */
  readonly isToldFirst?: boolean;
  /** The client's, where the test moves it. */
  readonly clock?: FakeClock;
  /** Beside that the server has told of the record, the answer waits for this. */
  readonly answerAfter?: Promise<void>;
}

/** A list of an application, and all that was ever shown in it. */
async function open(
  answerTo: AnswerTo,
  { books = [{ id: 1, title: "a" }], isToldFirst = false, clock, answerAfter }: OpenOptions = {},
) {
  let isTold = false;
  const gate = async (): Promise<void> => {
    if (!isToldFirst) return;
    handle.changed("/books");
    await vi.waitUntil(() => isTold);
    await answerAfter;
  };
  const app = createApp({ answerTo, books, gate });
  const server = createServer((request, response) => void app(request, response));
  const handle = attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    ...(clock && { clock }),
  });
  onTestFinished(async () => {
    client.close();
    await handle.close();
    server.close();
  });
  const list: Collection<Book> = client.collection("/books");
  const titles = (): string[] => list.getSnapshot().rows.map(({ title }) => title.trim());
  const shown: { readonly titles: string[]; readonly keys: string[] }[] = [];
  list.subscribe(() => shown.push({ titles: titles(), keys: list.getSnapshot().rows.map((row) => list.keyOf(row)) }));
  client.subscribe("/books", (_request, { status }) => {
    isTold ||= status === 201;
  });
  await list.ready();
  await vi.waitUntil(() => list.getSnapshot().status.state === "live");
  /** Waits until the server itself has told of the rows. */
  const told = (...wanted: string[]): Promise<unknown> =>
    vi.waitUntil(
      () => {
        const { rows } = list.getSnapshot();
        const isOwn = rows.every((row) => !list.isPending(row) && !list.urlOf(row).startsWith("urn:"));
        return isOwn && String(titles()) === String(wanted);
      },
      { timeout: 3_000 },
    );
  /** Somebody else makes a record. */
  const add = (title: string): void => {
    books.push({ id: Math.max(...books.map(({ id }) => id)) + 1, title });
    handle.changed("/books");
  };
  return { list, shown, told, titles, books, add, hasTold: () => isTold };
}

const ways: readonly (readonly [string, AnswerTo])[] = [
  ["the record", (body) => ({ body })],
  ["the record, with 200", (body) => ({ status: 200, body })],
  ["the record in an envelope", (data) => ({ body: { data } })],
  ["the record beside other members", (data) => ({ body: { id: "request-7", ok: true, data, meta: { id: 9 } } })],
  ["a Location", ({ id }) => ({ fields: { Location: `/books/${id}` } })],
  ["a relative Location", ({ id }) => ({ fields: { Location: `books/${id}` } })],
  ["a Content-Location", (body) => ({ body, fields: { "Content-Location": `/books/${body.id}` } })],
  [
    "the record, and a Location of another host",
    (body) => ({ body, fields: { Location: `http://10.0.0.7/books/${body.id}` } }),
  ],
  ["the record, and a Location by another path", (body) => ({ body, fields: { Location: `/v1/library/${body.id}` } })],
  ["the record, and the list as its Content-Location", (body) => ({ body, fields: { "Content-Location": "/books" } })],
];
const silent: readonly (readonly [string, AnswerTo])[] = [
  ["nothing", () => ({})],
  ["204", () => ({ status: 204 })],
  ["no record", () => ({ body: { ok: true } })],
  ["a Location of another host", ({ id }) => ({ fields: { Location: `http://10.0.0.7/books/${id}` } })],
];

describe.each([...ways, ...silent])("A record whose create is answered by %s", (_name, answerTo) => {
  it.each([
    ["answer", false],
    ["notification", true],
  ] as const)("stands once in its list, with one key, where the %s comes first", async (_first, isToldFirst) => {
    const { list, shown, told, titles } = await open(answerTo, { isToldFirst });
    await list.create({ title: "b" });
    await told("a", "b");

    expect(shown.filter((one) => one.titles.length > 2)).toEqual([]);
    const keys = new Set(shown.flatMap((one) => one.keys[1] ?? []));
    expect([...keys]).toEqual([expect.stringMatching(/^urn:uuid:/)]);
    expect([titles(), list.urlOf(list.getSnapshot().rows[1] as Book)]).toEqual([["a", "b"], "/books/2"]);
  });

  it("can be changed and destroyed as soon as it is created", async () => {
    const { list, told, books } = await open(answerTo);
    await list.create({ title: "b" });
    const [, row] = list.getSnapshot().rows;
    await list.update(row as Book, { title: "c" });
    await told("a", "c");
    const created = list.create({ title: "d" });
    const pending = list.getSnapshot().rows[2] as Book;
    const destroyed = list.destroy(pending);
    await Promise.all([created, destroyed]);
    await told("a", "c");
    expect(books).toEqual([
      { id: 1, title: "a" },
      { id: 2, title: "c" },
    ]);
  });

  it.each([
    ["answer", false],
    ["notification", true],
  ] as const)(
    "stands once, with one key, where the server changed what was written and the %s comes first",
    async (_first, isToldFirst) => {
      const { list, shown, told, books } = await open(answerTo, { isToldFirst });
      await list.create({ title: " b " });
      await told("a", "b");
      expect(shown.filter((one) => one.titles.length > 2)).toEqual([]);
      expect([...new Set(shown.flatMap((one) => one.keys[1] ?? []))]).toEqual([expect.stringMatching(/^urn:uuid:/)]);
      await vi.waitUntil(() => list.getSnapshot().rows[1]?.title === "b");
      expect(books.length).toBe(2);
    },
  );

  it("keeps the key of the row that stood for it, also where the answer comes so late that both were shown", async () => {
    const clock = createFakeClock(1);
    let answer = (): void => {};
    const answerAfter = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { list, told, titles, hasTold } = await open(answerTo, { isToldFirst: true, clock, answerAfter });
    const created = list.create({ title: " b " });
    const key = (at: number): string => list.keyOf(list.getSnapshot().rows[at] as Book);
    const first = key(1);
    await vi.waitUntil(hasTold);
    await clock.advance(1_999);
    expect([titles(), key(1)]).toEqual([["a", "b"], first]);
    await clock.advance(1);
    const both = [1, 2].map(key);
    expect([titles(), both.includes(first), both.includes("/books/2")]).toEqual([["a", "b", "b"], true, true]);
    answer();
    await created;
    await told("a", "b");
    expect([titles(), key(1)]).toEqual([["a", "b"], first]);
  });
});

describe.each([...ways, ...silent])("The first record of a list, answered by %s", (_name, answerTo) => {
  it("stands once, and can be changed", async () => {
    const { list, shown, told } = await open(answerTo, { books: [] });
    await list.create({ title: "a" });
    await list.update(list.getSnapshot().rows[0] as Book, { title: "b" });
    await told("b");
    expect(shown.filter((one) => one.titles.length > 1)).toEqual([]);
  });
});

it("A record of somebody else that comes while a create is on its way is shown with the answer, under its own key", async () => {
  let answer = (): void => {};
  const answerAfter = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { list, told, titles, add, hasTold } = await open((body) => ({ body }), { isToldFirst: true, answerAfter });
  const created = list.create({ title: " b " });
  await vi.waitUntil(hasTold);
  add("c");
  await vi.waitUntil(() => list.getSnapshot().status.state === "live");
  answer();
  await created;
  await told("a", "b", "c");
  expect(titles()).toEqual(["a", "b", "c"]);
  const keys = list.getSnapshot().rows.map((row) => list.keyOf(row));
  expect(keys).toEqual(["/books/1", expect.stringMatching(/^urn:uuid:/), "/books/3"]);
});
