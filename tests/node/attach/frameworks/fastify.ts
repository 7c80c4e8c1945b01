import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { gzipSync } from "node:zlib";
import fastify, { type FastifyInstance } from "fastify";
import { isRocketRequest } from "../../../../src/node/index.ts";
import { atEnd } from "../cleanup.ts";
import { entityTag } from "../entity-tag.ts";
import { bearer, type Notes } from "../notes.ts";

interface Body {
  readonly Body: { readonly text: string; readonly user: string };
}

interface Params {
  readonly Params: { readonly id: string };
}

async function notesPlugin(app: FastifyInstance, { notes }: { notes: Notes }): Promise<void> {
  app.addHook("onSend", async (request, reply, payload) => {
    if (request.method !== "GET" || typeof payload !== "string") return payload;
    reply.header("ETag", entityTag(payload));
    if (request.headers["if-none-match"] !== entityTag(payload)) return payload;
    notes.unchanged += 1;
    reply.code(304);
    return "";
  });
  app.get("/notes", async () => notes.list);
  app.get<Params>("/notes/:id", async ({ params }, reply) => notes.find(params.id) ?? reply.callNotFound());
  app.post<Body>("/notes", async ({ body }, reply) => {
    const note = notes.add(body.text);
    return reply.code(201).header("Location", `/api/notes/${note.id}`).send(note);
  });
  app.put<Body & Params>("/notes/:id", async ({ body, params }) => notes.replace(params.id, body.text));
  app.delete<Params>("/notes/:id", async ({ params }, reply) => {
    notes.remove(params.id);
    return reply.code(204).send();
  });
}

function addSessions(app: FastifyInstance, notes: Notes): void {
  const sessions = new Map<string, string>();
  const userOf = (cookie = "") => sessions.get(/sid=([^;]+)/.exec(cookie)?.[1] ?? "");
  app.post<Body>("/login", async ({ body }, reply) => {
    const id = randomUUID();
    sessions.set(id, body.user);
    return reply.header("Set-Cookie", `sid=${id}`).code(204).send();
  });
  app.get("/mine", async ({ headers }, reply) => {
    const user = userOf(headers.cookie);
    return user === undefined ? reply.redirect("/login") : notes.of(user);
  });
  app.post<Body>("/mine", async ({ body, headers }, reply) => {
    return reply.code(201).send(notes.addTo(userOf(headers.cookie) ?? "", body.text));
  });
}

function addOddities(app: FastifyInstance, notes: Notes): void {
  app.get("/secret", async ({ headers }, reply) => {
    return headers.authorization === bearer ? notes.list : reply.code(401).header("WWW-Authenticate", "Bearer").send();
  });
  app.get("/zipped", async (_request, reply) => {
    reply.header("Content-Encoding", "gzip").type("application/json");
    return gzipSync(JSON.stringify(notes.list));
  });
  app.get("/limited", async (_request, reply) => {
    if (!notes.refuse()) return notes.list;
    return reply.code(429).header("Retry-After", "1").send();
  });
  app.get("/stream", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
    notes.open += 1;
    reply.raw.on("close", () => {
      notes.open -= 1;
    });
  });
  app.get("/never", (_request, reply) => {
    notes.open += 1;
    reply.raw.on("close", () => {
      notes.open -= 1;
    });
  });
  app.get("/broken", async () => notes.list);
  app.post<Body>("/broken", async ({ body }, reply) => {
    if (body.text === "") return reply.code(422).send();
    notes.add(body.text);
    throw new Error("After the commit.");
  });
}

/** The sample application by Fastify 5. */
export function fastifyApp(notes: Notes): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.addHook("onRequest", async ({ method, url: path, raw, headers: fields }) => {
    notes.asked.push({ method, path, isRocket: isRocketRequest(raw), fields });
  });
  app.register(notesPlugin, { prefix: "/api", notes });
  addSessions(app, notes);
  addOddities(app, notes);
  return app;
}

export async function startFastify(notes: Notes): Promise<Server> {
  const app = fastifyApp(notes);
  await app.listen({ port: 0, host: "127.0.0.1" });
  atEnd(() => app.close());
  return app.server;
}
