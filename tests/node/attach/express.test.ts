import { createServer } from "node:http";
import express from "express";
import { rateLimit } from "express-rate-limit";
import session from "express-session";
import { describe, expect, it } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import { isRocketRequest } from "../../../src/node/index.ts";
import { OpenStream } from "../stream.ts";
import { atEnd } from "./cleanup.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}

async function start(app: express.Express): Promise<Site> {
  const server = createServer(app);
  endAfterTest(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return attachTo(server, new Notes());
}

function nobody(): never {
  throw new Error("nobody was to see this");
}

/** A store whose `touch` reads and writes, as those over files and SQL have it; it counts who writes. */
class ReadingStore extends session.MemoryStore {
  writes = 0;

  override set(...parameters: Parameters<session.MemoryStore["set"]>): void {
    this.writes += 1;
    super.set(...parameters);
  }

  override touch(id: string, { cookie }: session.SessionData, callback?: () => void): void {
    this.get(id, (_error, known) => {
      setImmediate(() => this.set(id, { ...(known as session.SessionData), cookie }, callback));
    });
  }
}

describe("An Express app that throws once it has answered", () => {
  it.each([
    ["throws", (): void => nobody()],
    ["rejects", async (): Promise<void> => nobody()],
  ])("and %s is streamed and followed all the same, and gives its plain answers [R-STR-23]", async (_how, fail) => {
    const app = express();
    const tasks = [{ id: 1, title: "a" }];
    // Its own handler says nothing on the console of the tests.
    app.set("env", "test");
    app.get("/tasks", (_request, response) => {
      response.json(tasks);
      return fail();
    });
    app.post("/tasks", (_request, response) => {
      tasks.push({ id: 2, title: "b" });
      response.sendStatus(201);
    });
    const site = await start(app);
    const stream = await OpenStream.open(`${site.url}/tasks`, "text/event-stream");
    await stream.message(1);
    await site.send("POST", "/tasks");
    await stream.message(2);
    expect(stream.messages.map(({ status }) => status)).toEqual([200, 304, 201]);
    const head = await fetch(`${site.url}/tasks`, { method: "HEAD", headers: { Accept: "text/event-stream" } });
    expect(head.headers.get("content-type")).toBe("text/event-stream");
    await site.attachment.close();
    await stream.end();
  });
});

describe("Express with express-session, as it stands", () => {
  it.each([
    ["resave", { resave: true, rolling: false }],
    ["rolling", { resave: false, rolling: true }],
    ["a store whose touch reads and writes", { resave: false, rolling: false }],
  ])("loses no write of a user to a follower's request, with %s", async (_what, options) => {
    const store = new ReadingStore();
    const app = express();
    app.use(session({ secret: "keyboard cat", saveUninitialized: false, store, ...options }));
    const held: (() => void)[] = [];
    let isHolding = false;
    app.get("/visits", (request, response) => {
      const answer = () => void response.json({ visits: request.session.visits ?? 0 });
      if (isHolding && isRocketRequest(request)) held.push(answer);
      else answer();
    });
    app.post("/visits", (request, response) => {
      request.session.visits = (request.session.visits ?? 0) + 1;
      response.sendStatus(204);
    });
    const site = await start(app);
    const visit = (cookie = "") => site.send("POST", "/visits", undefined, { Cookie: cookie });
    const cookie = (await visit()).headers.get("set-cookie")?.split(";")[0] ?? "";
    const before = store.writes;
    const follower = await site.follow("/visits", { headers: { Cookie: cookie } }).ready();
    expect(store.writes).toBe(before);
    isHolding = true;
    site.attachment.changed("/visits");
    while (held.length === 0) await site.send("GET", "/visits");
    // The follower's request has read the session; now the user changes it, and then the request ends.
    await visit(cookie);
    isHolding = false;
    held[0]?.();
    await follower.until(({ messages }) => String(messages.at(-1)?.body) === '{"visits":2}');
    const written = store.writes;
    const answer = await site.send("GET", "/visits", undefined, { Cookie: cookie });
    expect(await answer.json()).toEqual({ visits: 2 });
    // A user's own request still keeps the session alive.
    expect(store.writes).toBe(written + 1);
  });
});

describe("Express with a rate limit that exempts Rocket", () => {
  it("counts only what users ask", async () => {
    const app = express();
    app.use(rateLimit({ limit: 2, windowMs: 60_000, skip: (request) => isRocketRequest(request) }));
    app.get("/", (_request, response) => void response.json([]));
    const site = await start(app);
    for (let count = 0; count < 4; count += 1) {
      await site.follow("/", { headers: { Authorization: `Bearer ${count}` } }).ready();
    }
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await site.send("GET", "/")).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

describe("An Express app whose users name the rows of a list", () => {
  it.each<[string, (name: string) => object]>([
    ["links", (name: string) => ({ url: `/labels/${encodeURIComponent(name)}`, name })],
    ["keys", (name: string) => ({ id: name, name })],
  ])("keeps its list for everybody whatever the name, with %s [R-FLD-4]", async (_what, show) => {
    const labels = ["red", "blue"];
    const app = express();
    app.use(express.json());
    app.get("/labels", (_request, response) => void response.json({ labels: labels.map(show) }));
    app.get("/labels/:name", (request, response) => void response.json(show(request.params.name)));
    app.post("/labels", (request, response) => {
      labels.push(request.body.name);
      response.status(201).json(show(request.body.name));
    });
    const site = await start(app);
    const client = createClient(site.url, { onError: () => undefined });
    atEnd(() => client.close());
    const list = client.collection<{ name: string }>("/labels");
    const states: string[][] = [];
    const shown = () => list.getSnapshot().rows.map(({ name }) => name);
    const isShown = (name: string) =>
      new Promise<void>((resolve) => {
        const stop = list.subscribe(() => {
          states.push(shown());
          if (shown().at(-1) !== name) return;
          stop();
          resolve();
        });
      });
    await list.ready();
    for (const name of [".", "green", "..", "red", "", "white"]) {
      const known = isShown(name);
      await site.send("POST", "/labels", { name });
      await known;
      expect(shown()).toEqual(labels);
    }
    expect(states.every((names) => names.length >= 2 && names[0] === "red")).toBe(true);
    const odd = list.getSnapshot().rows.find(({ name }) => name === ".");
    await expect(list.destroy(odd ?? { name: "" })).rejects.toThrow(TypeError);
  });
});

describe("An Express app whose routes are below a path", () => {
  it.each([
    ["basePath", { basePath: "/api" }],
    ["basePath with a slash", { basePath: "/api/" }],
    ["paths", { paths: ["/api"] }],
  ])("is followed by a client that begins there, with %s [R-WK-5]", async (_what, options) => {
    const tasks = [{ id: 1, title: "a" }];
    const app = express();
    const router = express.Router();
    router.get("/tasks", (_request, response) => void response.json({ tasks }));
    router.post("/tasks", (_request, response) => {
      tasks.push({ id: 2, title: "b" });
      response.sendStatus(201);
    });
    app.use("/api", router);
    const server = createServer(app);
    endAfterTest(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const site = attachTo(server, new Notes(), options);
    const known = await fetch(`${site.url}/api/.well-known/rocket?x=1`);
    expect(await known.json()).toMatchObject({ rocket: { version: "1.0" } });
    expect((await fetch(`${site.url}/other/.well-known/rocket`)).status).toBe(404);
    expect((await fetch(`${site.url}/api/.well-known/rocket`, { method: "POST" })).status).toBe(404);

    const client = createClient(`${site.url}/api`);
    atEnd(() => client.close());
    const list = client.collection<{ title: string }>("/tasks");
    const live = new Promise<void>((resolve) => {
      list.subscribe(() => {
        if (list.getSnapshot().status.state === "live" && list.getSnapshot().rows.length === 1) resolve();
      });
    });
    await live;
    const grown = new Promise<void>((resolve) => {
      list.subscribe(() => {
        if (list.getSnapshot().rows.length === 2) resolve();
      });
    });
    await site.send("POST", "/api/tasks");
    await grown;
    expect(list.getSnapshot().status.state).toBe("live");
  });
});
