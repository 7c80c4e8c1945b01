import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type Client, type Collection, createClient, ProblemError } from "../../src/client/index.ts";
import { attach } from "../../src/node/index.ts";

interface Todo {
  readonly id: number;
  readonly text: string;
  readonly done: boolean;
}

async function bodyOf(request: IncomingMessage): Promise<Partial<Todo>> {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

/** An application that knows nothing of Rocket: no positions, no entity tags, no idempotency. */
function createApp(todos: Todo[]): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let lastId = todos.length;
  return async (request, response) => {
    const send = (status: number, body?: unknown, fields: Record<string, string> = {}): void => {
      response.writeHead(status, { "Content-Type": "application/json", ...fields });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const { method, url = "" } = request;
    const id = Number(url.split("/")[2]);
    const at = todos.findIndex((todo) => todo.id === id);
    const found = todos[at];
    if (!url.startsWith("/todos")) send(404);
    else if (method === "GET") send(200, Number.isNaN(id) ? todos : found);
    else if (method === "POST") {
      const values = await bodyOf(request);
      if (!values.text) return send(400, { title: "text is missing", detail: "A to-do needs a text." });
      const todo = { id: ++lastId, text: "", done: false, ...values };
      todos.push(todo);
      send(201, todo, { Location: `/todos/${todo.id}` });
    } else if (!found) send(404);
    else if (method === "PATCH") {
      const todo = { ...found, ...(await bodyOf(request)) };
      todos[at] = todo;
      send(200, todo);
    } else {
      todos.splice(at, 1);
      send(204);
    }
  };
}

/** @param base - the path below which the application's routes are, and which the server was not told of */
async function start(
  todos: Todo[],
  base = "",
): Promise<{ client: Client; list: Collection<Todo>; seen: string[]; hints: string[] }> {
  const app = createApp(todos);
  const server = createServer((request, response) => {
    const { url = "" } = request;
    request.url = url.startsWith(base) ? url.slice(base.length) : "/none";
    void app(request, response);
  });
  const hints: string[] = [];
  const handle = attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`, {
    onError: (error, { stage }) => stage === "connection" && hints.push(String(error)),
  });
  onTestFinished(async () => {
    client.close();
    await handle.close();
    server.close();
    server.closeAllConnections();
  });
  const list = client.collection<Todo>("/todos");
  const seen: string[] = [];
  list.subscribe(() =>
    seen.push(
      list
        .getSnapshot()
        .rows.map(({ text, done }) => text + (done ? "!" : ""))
        .join(),
    ),
  );
  await list.ready();
  return { client, list, seen, hints };
}

/** Waits until the snapshot is as wanted. */
function until(list: Collection<Todo>, isWanted: (rows: readonly Todo[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = list.subscribe(() => look());
    const look = (): void => {
      if (!isWanted(list.getSnapshot().rows)) return;
      resolve();
      queueMicrotask(stop);
    };
    look();
  });
}

it("shows its own writes to an app at once, and never an older state of a record again", async () => {
  const { list, seen } = await start([{ id: 1, text: "a", done: false }]);

  const todo = await list.create({ text: "b" });
  await list.update(todo, { done: true });
  await list.destroy(todo);
  await list.create({ text: "c" });
  await until(list, (rows) => rows.length === 2 && rows.every((row) => row.id !== undefined && !list.isPending(row)));

  const states = seen.filter((state, index) => state !== seen[index - 1]);
  expect(states).toEqual(["a", "a,b", "a,b!", "a", "a,c"]);
});

it("takes a write back that an app refuses, and tells why", async () => {
  const { list, seen } = await start([]);

  const error = await list.create({ done: true }).catch((one: unknown) => one);

  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).problem).toMatchObject({ status: 400, detail: "A to-do needs a text." });
  expect(list.getSnapshot().rows).toEqual([]);
  expect(seen).toContain("undefined!");
});

it("sees what others write, and says which rows are not confirmed yet", async () => {
  const { client, list } = await start([{ id: 1, text: "a", done: false }]);

  await client.fetch("/todos", { method: "POST", body: '{"text":"from elsewhere"}' });
  await until(list, (rows) => rows.length === 2);
  const updated = list.update("/todos/2", { done: true });
  await until(list, (rows) => rows[1]?.done === true);
  const [first, second] = list.getSnapshot().rows;

  expect(first && list.isPending(first)).toBe(false);
  expect(second && list.isPending(second)).toBe(true);
  const pending = list.getSnapshot();
  await updated;
  expect(list.getSnapshot()).not.toBe(pending);
  expect(list.getSnapshot().rows.map((row) => list.isPending(row))).toEqual([false, false]);
});

it("follows routes below a path that the server was not told of, each by itself, and says once what is missing [R-WK-5]", async () => {
  const { client, list, hints } = await start([{ id: 1, text: "a", done: false }], "/api");
  await until(list, () => list.getSnapshot().status.state === "live");
  await client.fetch("/todos", { method: "POST", body: '{"text":"from elsewhere"}' });
  await until(list, (rows) => rows.length === 2);
  expect([list.url, list.getSnapshot().status.problem, client.status.state]).toEqual(["/api/todos", undefined, "live"]);
  expect(hints.length).toBe(1);
  expect(hints[0]).toContain("/api/.well-known/rocket is answered with 404");
  expect(hints[0]).toContain('basePath: "/api" of attach');
});
