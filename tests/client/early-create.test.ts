import { beforeAll, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { decodeRequest, encodeResponse, fieldValue } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/guess-items.ts")]));

interface Book {
  readonly id?: number;
  readonly title: string;
}

/** An application that does not say where its records are, behind a server that does, by a socket that opens when it is let. */
async function shelf(first: readonly Book[]) {
  const clock = createFakeClock();
  const books: Book[] = [...first];
  const sent: string[] = [];
  let openSocket = (): void => {};
  class Socket {
    readyState = 0;
    onopen = (): void => {};
    onmessage = (_event: { data: string }): void => {};
    constructor() {
      openSocket = () => {
        this.readyState = 1;
        this.onopen();
        this.onmessage({ data: "HTTP/1.1 200 OK\r\n\r\n{}" });
      };
    }
    send(data: string): void {
      const { target, fields } = decodeRequest(data);
      const name = ["Subscription", target] as const;
      const own = [
        ["Content-Type", "application/json"],
        ["Items", 'list="", url="/books/{id}"'],
        ["Request-ID", fieldValue(fields, "request-id") ?? ""],
      ] as const;
      const messages = [
        { status: 200, fields: [name, ["Event-ID", "d-1"] as const, ...own], body: JSON.stringify(books) },
        { status: 304, fields: [name, ["Event-ID", "d-1"] as const] },
      ];
      for (const message of messages) this.onmessage({ data: String(encodeResponse(message)) });
    }
    close(): void {}
  }
  const fetch = (async (url: string, { method = "GET", body }: RequestInit = {}) => {
    const { pathname } = new URL(url);
    if (!pathname.startsWith("/books")) return Response.json({});
    if (method === "GET") return Response.json(books);
    sent.push(`${method} ${pathname}`);
    const at = method === "POST" ? books.length : books.findIndex(({ id }) => pathname === `/books/${id}`);
    if (method === "DELETE") return new Response(null, { status: books.splice(at, 1).length > 0 ? 204 : 404 });
    books[at] = { ...(books[at] ?? { id: at + 1 }), ...(JSON.parse(String(body)) as Book) };
    return Response.json(books[at], { status: method === "POST" ? 201 : 200 });
  }) as typeof globalThis.fetch;
  const client = createClient("http://h", { clock, fetch, WebSocket: Socket as unknown as typeof WebSocket });
  const list = client.collection<Book>("/books");
  list.subscribe(() => {});
  await list.ready();
  return { clock, client, list, sent, books, open: () => openSocket() };
}

it.each([
  ["empty", []],
  ["not empty", [{ id: 1, title: "a" }]],
])(
  "A record that was created ahead of the socket's first message, in a list that was %s, can be written to from then on",
  async (_what, first) => {
    const { clock, client, list, sent, books, open } = await shelf(first);
    const url = `/books/${first.length + 1}`;
    const early = list.create({ title: "b" });
    await clock.settle();
    const asShown = list.getSnapshot().rows.at(-1) as Book;
    await early;
    expect(list.getSnapshot().status.state).toBe("connecting");

    open();
    await clock.settle();
    expect(list.getSnapshot().status.state).toBe("live");
    const row = list.getSnapshot().rows.at(-1) as Book;
    expect(list.urlOf(row)).toBe(url);
    await list.update(row, { title: "c" });
    await list.update(asShown, { title: "d" });
    expect(books.at(-1)).toEqual({ id: first.length + 1, title: "d" });
    await list.destroy(list.getSnapshot().rows.at(-1) as Book);

    expect(sent).toEqual(["POST /books", `PATCH ${url}`, `PATCH ${url}`, `DELETE ${url}`]);
    client.close();
  },
);
