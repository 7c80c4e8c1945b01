import type { Server } from "node:http";
import compression from "compression";
import express from "express";
import { rateLimit } from "express-rate-limit";
import session from "express-session";
import { isRocketRequest } from "../../../../src/node/index.ts";
import { bearer, type Notes } from "../notes.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
  }
}

function notesRouter(notes: Notes): express.Router {
  const router = express.Router();
  router.get("/notes", (_request, response) => void response.json(notes.list));
  router.get("/notes/:id", (request, response) => {
    const note = notes.find(request.params.id);
    if (note) response.json(note);
    else response.sendStatus(404);
  });
  router.post("/notes", (request, response) => {
    const note = notes.add(request.body.text);
    response.status(201).location(`/api/notes/${note.id}`).json(note);
  });
  router.put("/notes/:id", (request, response) => {
    response.json(notes.replace(request.params.id, request.body.text));
  });
  router.delete("/notes/:id", (request, response) => {
    notes.remove(request.params.id);
    response.sendStatus(204);
  });
  return router;
}

function addSessions(app: express.Express, notes: Notes): void {
  app.post("/login", (request, response) => {
    request.session.user = request.body.user;
    response.sendStatus(204);
  });
  app.use("/mine", (request, response, next) => {
    if (request.session.user) next();
    else response.redirect("/login");
  });
  app.get("/mine", (request, response) => void response.json(notes.of(request.session.user ?? "")));
  app.post("/mine", (request, response) => {
    response.status(201).json(notes.addTo(request.session.user ?? "", request.body.text));
  });
}

function addOddities(app: express.Express, notes: Notes): void {
  app.get("/secret", (request, response) => {
    if (request.get("authorization") === bearer) response.json(notes.list);
    else response.set("WWW-Authenticate", "Bearer").sendStatus(401);
  });
  const acceptGzip: express.RequestHandler = (request, _response, next) => {
    request.headers["accept-encoding"] = "gzip";
    next();
  };
  app.get("/zipped", acceptGzip, compression({ threshold: 0 }), (_request, response) => void response.json(notes.list));
  const limiter = rateLimit({
    windowMs: 1_000,
    limit: () => (notes.refuse() ? 0 : 1_000),
    standardHeaders: true,
  });
  app.get("/limited", limiter, (_request, response) => void response.json(notes.list));
  app.get("/stream", (_request, response) => {
    response.set("Content-Type", "text/event-stream").write("data: 1\n\n");
    notes.open += 1;
    response.on("close", () => {
      notes.open -= 1;
    });
  });
  app.get("/never", (_request, response) => {
    notes.open += 1;
    response.on("close", () => {
      notes.open -= 1;
    });
  });
  app.get("/broken", (_request, response) => void response.json(notes.list));
  app.post("/broken", (request, response) => {
    if (request.body.text === "") {
      response.sendStatus(422);
      return;
    }
    notes.add(request.body.text);
    throw new Error("After the commit.");
  });
}

/** The sample application by Express 5, with the middleware that most use. */
export function expressApp(notes: Notes): express.Express {
  const app = express();
  app.set("env", "test");
  app.use((request, response, next) => {
    const { method, path, headers: fields } = request;
    notes.asked.push({ method, path, isRocket: isRocketRequest(request), fields });
    response.on("finish", () => {
      if (response.statusCode === 304) notes.unchanged += 1;
    });
    next();
  });
  app.use(compression());
  app.use(express.json());
  app.use(session({ secret: "s", resave: false, saveUninitialized: false }));
  app.use("/api", notesRouter(notes));
  addSessions(app, notes);
  addOddities(app, notes);
  return app;
}

export function startExpress(notes: Notes): Promise<Server> {
  return new Promise((resolve) => {
    const server = expressApp(notes).listen(0, "127.0.0.1", () => resolve(server));
  });
}
