import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import { gzipSync } from "node:zlib";
import Koa, { type Context } from "koa";
import { isRocketRequest } from "../../../../src/node/index.ts";
import { entityTag } from "../entity-tag.ts";
import { bearer, type Notes } from "../notes.ts";

interface Body {
  readonly text: string;
  readonly user: string;
}

async function bodyOf(context: Context): Promise<Body> {
  let text = "";
  for await (const part of context.req) text += String(part);
  return JSON.parse(text === "" ? "{}" : text) as Body;
}

/** A mounted router by hand: Koa has none of its own. */
async function serveNotes(context: Context, notes: Notes, id: string | undefined): Promise<void> {
  const { method } = context;
  if (method === "GET") {
    const found = id === undefined ? notes.list : notes.find(id);
    if (!found) return;
    context.body = found;
    context.etag = entityTag(JSON.stringify(found));
    if (!context.fresh) return;
    notes.unchanged += 1;
    context.status = 304;
  } else if (method === "POST") {
    const note = notes.add((await bodyOf(context)).text);
    context.status = 201;
    context.set("Location", `/api/notes/${note.id}`);
    context.body = note;
  } else if (method === "PUT") {
    context.body = notes.replace(id, (await bodyOf(context)).text);
  } else {
    notes.remove(id);
    context.status = 204;
  }
}

async function serveSessions(context: Context, notes: Notes, sessions: Map<string, string>): Promise<void> {
  if (context.path === "/login") {
    const id = randomUUID();
    sessions.set(id, (await bodyOf(context)).user);
    context.cookies.set("sid", id);
    context.status = 204;
    return;
  }
  const user = sessions.get(context.cookies.get("sid") ?? "");
  if (user === undefined) {
    context.redirect("/login");
  } else if (context.method === "GET") {
    context.body = notes.of(user);
  } else {
    context.status = 201;
    context.body = notes.addTo(user, (await bodyOf(context)).text);
  }
}

function hold(context: Context, notes: Notes): void {
  context.respond = false;
  notes.open += 1;
  context.res.on("close", () => {
    notes.open -= 1;
  });
}

const oddities: Record<string, (context: Context, notes: Notes) => unknown> = {
  "/secret"(context, notes) {
    if (context.get("authorization") === bearer) context.body = notes.list;
    else context.throw(401, { headers: { "WWW-Authenticate": "Bearer" } });
  },
  "/zipped"(context, notes) {
    context.set("Content-Encoding", "gzip");
    context.body = gzipSync(JSON.stringify(notes.list));
    context.type = "application/json";
  },
  "/limited"(context, notes) {
    if (notes.refuse()) context.throw(429, { headers: { "Retry-After": "1" } });
    context.body = notes.list;
  },
  "/stream"(context, notes) {
    hold(context, notes);
    context.res.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
  },
  "/never": hold,
  async "/broken"(context, notes) {
    const { text } = await bodyOf(context);
    if (context.method === "GET") {
      context.body = notes.list;
    } else if (text === "") {
      context.status = 422;
    } else {
      notes.add(text);
      throw new Error("After the commit.");
    }
  },
};

/** The sample application by Koa 3. */
function koaApp(notes: Notes): Koa {
  const app = new Koa();
  app.silent = true;
  const sessions = new Map<string, string>();
  app.use(async (context, next) => {
    const { method, path, headers: fields } = context;
    notes.asked.push({ method, path, isRocket: isRocketRequest(context.req), fields });
    await next();
  });
  app.use(async (context) => {
    const found = /^\/api\/notes(?:\/([^/]+))?$/.exec(context.path);
    if (found) await serveNotes(context, notes, found[1]);
    else if (context.path === "/mine" || context.path === "/login") await serveSessions(context, notes, sessions);
    else await oddities[context.path]?.(context, notes);
  });
  return app;
}

export function startKoa(notes: Notes): Promise<Server> {
  const server = createServer(koaApp(notes).callback());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
