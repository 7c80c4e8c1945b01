import compression from "compression";
import express, { type Express } from "express";

interface Note {
  readonly id: number;
  readonly text: string;
  readonly done: boolean;
}

/**
 * An application that knows nothing of Rocket: a list of notes, and a redirect to it.
 *
 * @param hasLinks - whether notes have their URLs; then answers are compressed, too
 * @param tells - what the answer to a POST says of the record: its Location, the record in a member (as its GET does then), or nothing. Default: the first
 * @param keepsNotes - whether a note can't be deleted
 */
export function createNotesApp({
  hasLinks,
  tells = "location",
  keepsNotes = false,
}: {
  readonly hasLinks: boolean;
  readonly tells?: "location" | "record" | "nothing";
  readonly keepsNotes?: boolean;
}): Express {
  const app = express();
  const shown = (note: Note) => (hasLinks ? { ...note, url: `/notes/${note.id}` } : note);
  if (hasLinks) app.use(compression({ threshold: 0 }));
  let notes: Note[] = [
    { id: 1, text: "one", done: false },
    { id: 2, text: "two", done: true },
  ];
  let lastId = 2;
  const find = (id: string | undefined) => notes.find((note) => note.id === Number(id));
  app.use(express.json());
  app.get("/notes", (_request, response) => void response.json(notes.map(shown)));
  app.post("/notes", (request, response) => {
    lastId += 1;
    const note = { id: lastId, text: String(request.body.text), done: request.body.done === true };
    notes = [...notes, note];
    response.status(201);
    if (tells === "location") response.location(`/notes/${note.id}`).json(shown(note));
    else response.json(tells === "record" ? { note: shown(note) } : { isDone: true });
  });
  app.get("/notes/:id", (request, response) => {
    const note = find(request.params.id);
    if (note) response.json(tells === "record" ? { note: shown(note) } : shown(note));
    else response.status(404).json({ error: "There is no such note." });
  });
  app.patch("/notes/:id", (request, response) => {
    notes = notes.map((note) => (note.id === Number(request.params.id) ? { ...note, ...request.body } : note));
    response.json(find(request.params.id));
  });
  app.delete("/notes/:id", (request, response) => {
    if (keepsNotes) {
      response.sendStatus(405);
      return;
    }
    notes = notes.filter((note) => note.id !== Number(request.params.id));
    response.status(204).end();
  });
  app.get("/", (_request, response) => response.redirect("/notes"));
  return app;
}
