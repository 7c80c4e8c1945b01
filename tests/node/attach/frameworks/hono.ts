import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { type HttpBindings, serve } from "@hono/node-server";
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { streamSSE } from "hono/streaming";
import { isRocketRequest } from "../../../../src/node/index.ts";
import { bearer, type Notes } from "../notes.ts";

type App = Hono<{ Bindings: HttpBindings }>;

function notesApp(notes: Notes): App {
  const app: App = new Hono();
  app.use(etag());
  app.get("/notes", (context) => context.json(notes.list));
  app.get("/notes/:id", (context) => {
    const note = notes.find(context.req.param("id"));
    return note ? context.json(note) : context.notFound();
  });
  app.post("/notes", async (context) => {
    const note = notes.add((await context.req.json()).text);
    return context.json(note, 201, { Location: `/api/notes/${note.id}` });
  });
  app.put("/notes/:id", async (context) => {
    return context.json(notes.replace(context.req.param("id"), (await context.req.json()).text));
  });
  app.delete("/notes/:id", (context) => {
    notes.remove(context.req.param("id"));
    return context.body(null, 204);
  });
  return app;
}

function addSessions(app: App, notes: Notes): void {
  const sessions = new Map<string, string>();
  app.post("/login", async (context) => {
    const id = randomUUID();
    sessions.set(id, (await context.req.json()).user);
    setCookie(context, "sid", id);
    return context.body(null, 204);
  });
  app.get("/mine", (context) => {
    const user = sessions.get(getCookie(context, "sid") ?? "");
    return user === undefined ? context.redirect("/login") : context.json(notes.of(user));
  });
  app.post("/mine", async (context) => {
    const user = sessions.get(getCookie(context, "sid") ?? "") ?? "";
    return context.json(notes.addTo(user, (await context.req.json()).text), 201);
  });
}

function addOddities(app: App, notes: Notes): void {
  app.get("/secret", bearerAuth({ token: bearer.slice("Bearer ".length) }), (context) => context.json(notes.list));
  app.get(
    "/zipped",
    async (context, next) => {
      context.req.raw.headers.set("Accept-Encoding", "gzip");
      await next();
    },
    compress({ threshold: 0, encoding: "gzip" }),
    (context) => context.json(notes.list),
  );
  app.get("/limited", (context) => {
    if (!notes.refuse()) return context.json(notes.list);
    return context.body(null, 429, { "Retry-After": "1" });
  });
  app.get("/stream", (context) => {
    notes.open += 1;
    return streamSSE(context, async (stream) => {
      await stream.writeSSE({ data: "1" });
      await new Promise<void>((resolve) => stream.onAbort(resolve));
      notes.open -= 1;
    });
  });
  app.get("/never", (context) => {
    notes.open += 1;
    context.env.outgoing.on("close", () => {
      notes.open -= 1;
    });
    return new Promise<Response>(() => {});
  });
  app.get("/broken", (context) => context.json(notes.list));
  app.post("/broken", async (context) => {
    const { text } = await context.req.json();
    if (text === "") return context.body(null, 422);
    notes.add(text);
    throw new Error("After the commit.");
  });
  app.onError((error, context) => {
    return error instanceof HTTPException ? error.getResponse() : context.text("Sorry.", 500);
  });
}

/** The sample application by Hono. */
function honoApp(notes: Notes): App {
  const app: App = new Hono();
  app.use(async (context, next) => {
    const { method, path } = context.req;
    notes.asked.push({ method, path, isRocket: isRocketRequest(context.env.incoming), fields: context.req.header() });
    await next();
    if (context.res.status === 304) notes.unchanged += 1;
  });
  app.route("/api", notesApp(notes));
  addSessions(app, notes);
  addOddities(app, notes);
  return app;
}

export function startHono(notes: Notes): Promise<Server> {
  return new Promise((resolve) => {
    const server = serve({ fetch: honoApp(notes).fetch, port: 0, hostname: "127.0.0.1" }, () => {
      resolve(server as Server);
    });
  });
}
