import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { isRocketRequest } from "../../../../src/node/index.ts";
import { entityTag } from "../entity-tag.ts";
import { bearer, type Notes } from "../notes.ts";

interface Call {
  readonly notes: Notes;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: { readonly text: string; readonly user: string };
}

const json = { "Content-Type": "application/json" };

function send(response: ServerResponse, status: number, value: unknown, fields: Record<string, string> = {}): void {
  response.writeHead(status, { ...json, ...fields }).end(JSON.stringify(value));
}

function serveNotes({ notes, request, response, body }: Call, id: string | undefined): void {
  if (request.method === "POST") {
    const note = notes.add(body.text);
    send(response, 201, note, { Location: `/api/notes/${note.id}` });
  } else if (request.method === "PUT") {
    send(response, 200, notes.replace(id, body.text));
  } else if (request.method === "DELETE") {
    notes.remove(id);
    response.writeHead(204).end();
  } else {
    const found = id === undefined ? notes.list : notes.find(id);
    const tag = entityTag(JSON.stringify(found) ?? "");
    if (!found) {
      send(response, 404, {});
    } else if (request.headers["if-none-match"] === tag) {
      notes.unchanged += 1;
      response.writeHead(304, { ETag: tag }).end();
    } else {
      send(response, 200, found, { ETag: tag });
    }
  }
}

const sessions = new Map<string, string>();

function serveMine({ notes, request, response, body }: Call): void {
  const user = sessions.get(/sid=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "");
  if (user === undefined) response.writeHead(302, { Location: "/login" }).end();
  else if (request.method === "GET") send(response, 200, notes.of(user));
  else send(response, 201, notes.addTo(user, body.text));
}

function hold({ notes, response }: Call): void {
  notes.open += 1;
  response.on("close", () => {
    notes.open -= 1;
  });
}

const routes: Record<string, (call: Call) => void> = {
  "/mine": serveMine,
  "/login"({ response, body }) {
    const id = randomUUID();
    sessions.set(id, body.user);
    response.writeHead(204, { "Set-Cookie": `sid=${id}` }).end();
  },
  "/secret"({ notes, request, response }) {
    if (request.headers.authorization === bearer) send(response, 200, notes.list);
    else send(response, 401, {}, { "WWW-Authenticate": "Bearer" });
  },
  "/zipped"({ notes, response }) {
    response.writeHead(200, { ...json, "Content-Encoding": "gzip" }).end(gzipSync(JSON.stringify(notes.list)));
  },
  "/limited"({ notes, response }) {
    if (notes.refuse()) send(response, 429, {}, { "Retry-After": "1" });
    else send(response, 200, notes.list);
  },
  "/stream"(call) {
    hold(call);
    call.response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
  },
  "/never": hold,
  "/broken"({ notes, request, response, body }) {
    if (request.method === "GET") send(response, 200, notes.list);
    else if (body.text === "") send(response, 422, {});
    else send(response, 500, notes.add(body.text));
  },
};

async function serve(notes: Notes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url: path = "", headers: fields } = request;
  notes.asked.push({ method, path, isRocket: isRocketRequest(request), fields });
  let text = "";
  for await (const part of request) text += String(part);
  const call: Call = { notes, request, response, body: JSON.parse(text === "" ? "{}" : text) };
  const found = /^\/api\/notes(?:\/([^/?]+))?$/.exec(path);
  const route = routes[path];
  if (found) serveNotes(call, found[1]);
  else if (route) route(call);
  else send(response, 404, {});
}

/** The sample application by node:http alone. */
function plainServer(notes: Notes): Server {
  return createServer((request, response) => {
    serve(notes, request, response).catch(() => response.destroy());
  });
}

export function startPlain(notes: Notes): Promise<Server> {
  const server = plainServer(notes);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
