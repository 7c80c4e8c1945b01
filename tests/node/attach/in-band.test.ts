import { createServer } from "node:http";
import express from "express";
import { rateLimit } from "express-rate-limit";
import session from "express-session";
import { describe, expect, it } from "vitest";
import type { AttachOptions } from "../../../src/node/index.ts";
import { isRocketRequest } from "../../../src/node/index.ts";
import { encodeRequest, type Field, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import type { Follower } from "./follower.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

interface Task {
  readonly id: number;
  readonly title: string;
}

/** An application with a session, a JSON body parser, a check against forged requests, and a rate limit. */
function application() {
  const app = express();
  const tasks: Task[] = [{ id: 1, title: "one" }];
  const seen: { method: string; isRocket: boolean; origin: string | undefined }[] = [];
  app.use(rateLimit({ windowMs: 60_000, limit: 12, skip: isRocketRequest, legacyHeaders: false }));
  app.use(session({ secret: "keyboard cat", saveUninitialized: false, resave: false }));
  app.use(express.json());
  app.use((request, response, next) => {
    const { origin, host } = request.headers;
    seen.push({ method: request.method, isRocket: isRocketRequest(request), origin });
    if (request.method === "GET" || origin === undefined || origin === `http://${host}`) next();
    else response.sendStatus(403);
  });
  app.get("/tasks", (_request, response) => void response.json(tasks));
  app.post("/tasks", (request, response) => {
    const task = { id: tasks.length + 1, title: String(request.body.title) };
    tasks.push(task);
    response.cookie("seen", "1").location(`/tasks/${task.id}`).status(201).json(task);
  });
  app.post("/login", (request, response) => {
    (request.session as unknown as { user: string }).user = String(request.body.user);
    response.sendStatus(204);
  });
  app.get("/me", (request, response) => {
    response.json({ user: (request.session as unknown as { user?: string }).user ?? null, ip: request.ip });
  });
  app.get("/stream", (_request, response) => void response.type("text/event-stream").write("data: x\n\n"));
  app.get("/large", (_request, response) => void response.type("text").send("x".repeat(5_000)));
  app.get("/token", (request, response) => void response.json(request.get("x-csrf-token") ?? null));
  return { app, tasks, seen };
}

async function start(options: AttachOptions = {}) {
  const made = application();
  const server = createServer(made.app);
  endAfterTest(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const site = attachTo(server, new Notes(), options);
  return { ...made, site };
}

/** A connection at the well-known URL. */
async function connect(site: Site, headers: Record<string, string> = {}): Promise<Follower> {
  const follower = site.follow("/.well-known/rocket", { headers });
  await follower.until(({ messages }) => messages.length > 0);
  return follower;
}

let last = 0;

/** Asks in band, and gives the answer. */
function ask(follower: Follower, line: string, fields: readonly Field[] = [], body = ""): Promise<HttpResponse> {
  const [method = "", target = ""] = line.split(" ");
  last += 1;
  const id = String(last);
  follower.socket.send(encodeRequest({ method, target, fields: [["Request-ID", id], ...fields], body }));
  return follower.until(({ messages }) => messages.find(({ fields: said }) => fieldValue(said, "request-id") === id));
}

const json: Field = ["Content-Type", "application/json"];

describe("requests in band to an Express application", () => {
  it("run through its body parser and routes, are no requests of Rocket's own, and their writes are told", async () => {
    const { site, tasks, seen } = await start();
    const follower = await site.follow("/tasks").ready();
    const answer = await ask(follower, "POST /tasks", [json], '{"title":"zwei ü"}');
    expect([answer.status, answer.body]).toEqual([201, '{"id":2,"title":"zwei ü"}']);
    expect(fieldValue(answer.fields, "location")).toBe("/tasks/2");
    expect(fieldValue(answer.fields, "set-cookie")).toBeUndefined();
    expect(tasks).toHaveLength(2);
    expect(seen.filter(({ method }) => method === "POST")).toEqual([
      { method: "POST", isRocket: false, origin: undefined },
    ]);
    const told = await follower.until(({ messages }) =>
      messages.find(({ status, fields }) => status === 201 && fieldValue(fields, "request-id") === undefined),
    );
    expect(told.body).toBe('{"id":2,"title":"zwei ü"}');
  });

  it("have the handshake's session, and change it", async () => {
    const { site } = await start();
    const login = await site.send("POST", "/login", { user: "ann" });
    const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
    const follower = await connect(site, { Cookie: cookie });
    expect(JSON.parse(String((await ask(follower, "GET /me")).body))).toEqual({ user: "ann", ip: "127.0.0.1" });
    await ask(follower, "POST /login", [json], '{"user":"bea"}');
    const after = await site.send("GET", "/me", undefined, { Cookie: cookie });
    expect(await after.json()).toMatchObject({ user: "bea" });
  });

  it("count in its rate limit, as those over HTTP do", async () => {
    const { site } = await start();
    const follower = await connect(site);
    const statuses: number[] = [];
    for (let at = 0; at < 13; at += 1) statuses.push((await ask(follower, "GET /tasks")).status);
    expect(statuses).toEqual([...Array.from({ length: 12 }, () => 200), 429]);
    expect((await site.send("GET", "/tasks")).status).toBe(429);
  });

  it("show its check against forged requests the handshake's Origin", async () => {
    const { site, seen } = await start();
    const follower = await connect(site, { Origin: site.url });
    expect(
      (await ask(follower, "POST /tasks", [json, ["Origin", "http://evil.example"]], '{"title":"x"}')).status,
    ).toBe(201);
    expect(seen.at(-1)?.origin).toBe(site.url);
  });

  it("of pages of other origins may read only: what would need its CORS rules is a 421 [R-BAND-19]", async () => {
    const { site, tasks } = await start({ allowOrigins: ["https://app.example.com"] });
    const follower = await connect(site, { Origin: "https://app.example.com" });
    expect((await ask(follower, "GET /tasks")).status).toBe(200);
    expect((await ask(follower, "POST /tasks", [json], '{"title":"x"}')).status).toBe(421);
    expect(tasks).toHaveLength(1);
  });

  it("that it answers by a stream, or too largely, are a 502 [R-BAND-17]", async () => {
    const { site } = await start({ limits: { maxDocumentBytes: 4_096 } });
    const follower = await connect(site);
    expect((await ask(follower, "GET /stream")).status).toBe(502);
    expect((await ask(follower, "GET /large")).status).toBe(502);
    expect((await ask(follower, "GET /tasks")).status).toBe(200);
  });

  it("outside its paths are a 421 [R-BAND-19]", async () => {
    const { site } = await start({ paths: ["/tasks"] });
    const follower = await connect(site);
    expect((await ask(follower, "GET /me")).status).toBe(421);
    expect((await ask(follower, "HEAD /tasks")).status).toBe(200);
  });

  it("bring the fields that it was told of [R-BAND-15]", async () => {
    const { site } = await start({ requestFields: ["X-CSRF-Token"] });
    const follower = await connect(site);
    expect((await ask(follower, "GET /token", [["X-CSRF-Token", "t1"]])).body).toBe('"t1"');
    const said = JSON.parse(String(follower.messages[0]?.body)) as { rocket: { requests: unknown } };
    expect(said.rocket.requests).toMatchObject({ fields: ["x-csrf-token"] });
  });
});
