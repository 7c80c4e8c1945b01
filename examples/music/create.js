// Makes the music database: music.txt becomes SQL, and SQL becomes a file.
import { readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";

const schema = `
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE artists (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  country TEXT NOT NULL,
  genre TEXT NOT NULL,
  formed INTEGER NOT NULL
);
CREATE TABLE albums (
  id INTEGER PRIMARY KEY,
  artist_id INTEGER NOT NULL REFERENCES artists(id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  year INTEGER NOT NULL,
  label TEXT,
  UNIQUE (artist_id, title)
);
CREATE TABLE songs (
  id INTEGER PRIMARY KEY,
  album_id INTEGER NOT NULL REFERENCES albums(id) ON DELETE CASCADE,
  track INTEGER NOT NULL,
  title TEXT NOT NULL,
  seconds INTEGER NOT NULL CHECK (seconds > 0),
  UNIQUE (album_id, track)
);
CREATE INDEX albums_by_artist ON albums(artist_id);
CREATE INDEX artists_by_genre ON artists(genre);
`;

const text = (value) => `'${value.replaceAll("'", "''")}'`;

function insert(table, values) {
  return `INSERT INTO ${table} VALUES (${values.join(", ")});\n`;
}

function songValues(song) {
  const [, track, title, minutes, seconds] = /^(\d+) (.+) (\d+):(\d\d)$/.exec(song);
  return [track, text(title), Number(minutes) * 60 + Number(seconds)];
}

/** The whole database as one text of SQL statements. */
function musicSql() {
  const lines = readFileSync(new URL("music.txt", import.meta.url), "utf8").split("\n");
  const last = { artist: 0, album: 0, song: 0 };
  let sql = schema;
  for (const line of lines.filter((line) => line !== "" && !line.startsWith("#"))) {
    const [first, second, ...others] = line.split(" | ");
    const [, year, title] = /^(\d{4}) (.+)$/.exec(first) ?? [];
    if (year === undefined) {
      const [genre, formed] = others;
      last.artist += 1;
      sql += insert("artists", [last.artist, text(first), text(second), text(genre), formed]);
      continue;
    }
    last.album += 1;
    sql += insert("albums", [last.album, last.artist, text(title), year, second === "-" ? "NULL" : text(second)]);
    for (const song of others) {
      last.song += 1;
      sql += insert("songs", [last.song, last.album, ...songValues(song)]);
    }
  }
  return `${sql}COMMIT;\n`;
}

/** SQLite as this Node has it: built in from 22.13 on, else the package. */
export function openDatabase(path) {
  const builtIn = process.versions.sqlite && process.getBuiltinModule("node:sqlite");
  if (builtIn) return new builtIn.DatabaseSync(path);
  const Database = createRequire(import.meta.url)("better-sqlite3");
  return new Database(path);
}

/** Creates the database at `path`. Interrupted, it leaves nothing there. */
export function createMusic(path) {
  const draft = `${path}.new`;
  for (const end of ["", "-wal", "-shm"]) rmSync(draft + end, { force: true });
  const database = openDatabase(draft);
  database.exec(musicSql());
  database.close();
  renameSync(draft, path);
}
