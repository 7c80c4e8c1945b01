import { createServer } from "node:http";
import express from "express";
import { rateLimit } from "express-rate-limit";
import session from "express-session";
import { describe, expect, it } from "vitest";
import { isRocketRequest } from "../../../src/node/index.ts";
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

/** The store of docs/attach.md: for Rocket's requests, sessions can be read only. */
function readOnlyOf(store: session.Store): session.Store {
  const done = (_id: string, _session?: unknown, callback?: () => void): void => callback?.();
  return Object.assign(Object.create(store), { set: done, touch: done, destroy: done });
}

describe("Express with express-session, resave and rolling", () => {
  it("loses no write of a user to a follower's request, with the store that the docs show", async () => {
    const options = { secret: "keyboard cat", resave: true, saveUninitialized: false, rolling: true };
    const store = new session.MemoryStore();
    const forUsers = session({ ...options, store });
    const forRocket = session({ ...options, store: readOnlyOf(store), rolling: false });
    const app = express();
    app.use((request, response, next) => (isRocketRequest(request) ? forRocket : forUsers)(request, response, next));
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
    const follower = await site.follow("/visits", { headers: { Cookie: cookie } }).ready();
    isHolding = true;
    site.attachment.changed("/visits");
    while (held.length === 0) await site.send("GET", "/visits");
    // The follower's request has read the session; now the user changes it, and then the request ends.
    await visit(cookie);
    isHolding = false;
    held[0]?.();
    await follower.until(({ messages }) => String(messages.at(-1)?.body) === '{"visits":2}');
    const answer = await site.send("GET", "/visits", undefined, { Cookie: cookie });
    expect(await answer.json()).toEqual({ visits: 2 });
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
