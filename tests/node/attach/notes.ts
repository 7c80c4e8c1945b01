/** A row of the sample application. */
export interface Note {
  readonly id: number;
  readonly text: string;
}

/** What was asked of the application, and by whom. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly isRocket: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The sample application's state. Each framework serves it in its own words:
 *
 * | URL | what it does |
 * |---|---|
 * | `/api/notes`, `/api/notes/:id` | GET, POST, PUT, DELETE; a router of its own, with ETags |
 * | `/mine` | GET and POST of the session's user; without one a redirect to `/login` |
 * | `/login` | POST `{user}` begins a session by a cookie |
 * | `/secret` | GET with `Authorization: Bearer open-sesame` |
 * | `/zipped` | GET of the notes, compressed |
 * | `/limited` | GET of the notes, or 429 while there are `tooMany` |
 * | `/stream`, `/never` | a stream without end; no answer at all |
 * | `/broken` | GET of the notes; POST that adds one and is a 500, or without a text writes nothing and is a 422 |
 */
export class Notes {
  list: Note[] = [{ id: 1, text: "one" }];
  readonly mine: Map<string, Note[]> = new Map();
  readonly asked: Asked[] = [];
  /** How many answers were a 304. */
  unchanged = 0;
  /** How many of the next requests are too many, and how many were. */
  tooMany = 0;
  refused = 0;
  /** How many followers of `/stream` and `/never` the application still has. */
  open = 0;
  #lastId = 1;

  /** True where the request is one too many. */
  refuse(): boolean {
    if (this.tooMany === 0) return false;
    this.tooMany -= 1;
    this.refused += 1;
    return true;
  }

  add(text: string): Note {
    this.#lastId += 1;
    const note = { id: this.#lastId, text };
    this.list = [...this.list, note];
    return note;
  }

  find(id: unknown): Note | undefined {
    return this.list.find((note) => note.id === Number(id));
  }

  replace(id: unknown, text: string): Note | undefined {
    this.list = this.list.map((note) => (note.id === Number(id) ? { ...note, text } : note));
    return this.find(id);
  }

  remove(id: unknown): void {
    this.list = this.list.filter((note) => note.id !== Number(id));
  }

  of(user: string): Note[] {
    return this.mine.get(user) ?? [];
  }

  addTo(user: string, text: string): Note {
    const note = { id: this.of(user).length + 1, text: `${user}: ${text}` };
    this.mine.set(user, [...this.of(user), note]);
    return note;
  }
}

export const bearer = "Bearer open-sesame";
