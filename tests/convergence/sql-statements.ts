import type { Random } from "../../src/testing/index.ts";
import type { ViewDescription } from "./history.ts";
import type { Target } from "./views.ts";

/** The tables of the runs over real processes. `brackets` says where a transaction of plain SQL begins and ends. */
export const schema = `
  CREATE TABLE songs (id INTEGER PRIMARY KEY, name TEXT UNIQUE, genre TEXT, plays INTEGER, version INTEGER NOT NULL);
  CREATE TABLE albums (code TEXT PRIMARY KEY NOT NULL, year INTEGER, version INTEGER NOT NULL);
  CREATE TABLE brackets (id INTEGER PRIMARY KEY, edge TEXT NOT NULL);
`;

/** Each statement has this many versions for itself: one for each row that it may write. */
export const versionsInAStatement = 1_000;

const genres = ["'rock'", "'jazz'", "'1'", "NULL"] as const;
const names = ["'A'", "'B'", "'C'", "'D'", "NULL"] as const;
const codes = ["x y", "ü", "z,1"] as const;
const maxSong = 5;

type Statement = (random: Random, version: number) => string;

function songValues(random: Random, version: number): string {
  const id = 1 + random.below(maxSong);
  return `(${id}, ${random.pick(names)}, ${random.pick(genres)}, ${random.below(3)}, ${version})`;
}

const statements: readonly Statement[] = [
  (random, version) => `INSERT OR REPLACE INTO songs VALUES ${songValues(random, version)}`,
  (random, version) => `INSERT OR IGNORE INTO songs VALUES ${songValues(random, version)}`,
  (random, version) =>
    `INSERT INTO songs VALUES ${songValues(random, version)} ON CONFLICT (id) DO UPDATE SET genre = excluded.genre, version = excluded.version`,
  (random, version) =>
    `INSERT INTO songs VALUES ${songValues(random, version)} ON CONFLICT (name) DO UPDATE SET plays = plays + 1, version = excluded.version`,
  (random, version) => `UPDATE songs SET plays = ${random.below(3)}, version = ${version} + id`,
  (random, version) =>
    `UPDATE songs SET genre = ${random.pick(genres)}, version = ${version} + id WHERE id > ${random.below(maxSong)}`,
  (random, version) =>
    `UPDATE OR REPLACE songs SET id = ${1 + random.below(maxSong)}, version = ${version} WHERE id = ${1 + random.below(maxSong)}`,
  (random, version) =>
    `UPDATE OR REPLACE songs SET name = ${random.pick(names)}, version = ${version} WHERE id = ${1 + random.below(maxSong)}`,
  (random) => `DELETE FROM songs WHERE id = ${1 + random.below(maxSong)}`,
  (random) => `DELETE FROM songs WHERE plays = ${random.below(3)}`,
  (random, version) => `REPLACE INTO albums VALUES ('${random.pick(codes)}', ${1990 + random.below(2)}, ${version})`,
  (random, version) =>
    `UPDATE OR REPLACE albums SET code = '${random.pick(codes)}', version = ${version} WHERE code = '${random.pick(codes)}'`,
  (random) => `DELETE FROM albums WHERE code = '${random.pick(codes)}'`,
];

/** One statement. @param version - the first of the versions that are its own */
export function drawStatement(random: Random, version: number): string {
  return random.pick(statements)(random, version);
}

function view(collection: string, equals: ViewDescription["equals"] = []): Target {
  const query = equals.map(([column, value]) => `${column}=${value}`).join("&");
  const url = query === "" ? collection : `${collection}?${query}`;
  return { target: url, view: { url, collection, equals } };
}

function record(collection: string, key: string): Target {
  const url = `${collection}/${key}`;
  return { target: url, view: { url, collection, record: url, equals: [] } };
}

const jazz = view("/songs", [
  ["genre", "jazz"],
  ["plays", 2],
]);

/** What the readers follow. */
export const sqlTargets: readonly Target[] = [
  view("/songs"),
  view("/albums"),
  view("/songs", [["genre", "rock"]]),
  view("/songs", [["genre", "1"]]),
  view("/albums", [["year", 1990]]),
  jazz,
  { target: "/songs?plays=2&genre=jazz", view: jazz.view },
  record("/songs", "1"),
  record("/songs", "2"),
  record("/albums", "x%20y"),
];

/** A write over HTTP. */
export interface RestWrite {
  readonly method: "PUT" | "PATCH" | "DELETE" | "POST";
  readonly target: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A write over HTTP, at random. */
export function drawRestWrite(random: Random, version: number): RestWrite {
  const id = 1 + random.below(maxSong);
  const genre = random.pick(["rock", "jazz", "1", null]);
  const song = { name: random.pick(["A", "E", "F", null]), genre, plays: random.below(3), version };
  const code = random.pick(codes);
  const album = `/albums/${code === "x y" ? "x%20y" : encodeURIComponent(code)}`;
  return random.pick<RestWrite>([
    { method: "PUT", target: `/songs/${id}`, body: song },
    { method: "POST", target: "/songs", body: song },
    { method: "PATCH", target: `/songs/${id}`, body: { genre, version } },
    { method: "DELETE", target: `/songs/${id}` },
    { method: "PUT", target: album, body: { year: 1990 + random.below(2), version } },
    { method: "DELETE", target: album },
  ]);
}

/** The last writes of a run: each view gets one, so that who has seen it has seen everything before it. */
export const fences: readonly (RestWrite & { readonly views: readonly string[] })[] = [
  {
    method: "PUT",
    target: "/albums/x%20y",
    body: { year: 1990 },
    views: ["/albums", "/albums?year=1990", "/albums/x%20y"],
  },
  {
    method: "PUT",
    target: "/songs/3",
    body: { name: "fence 3", genre: "1", plays: 0 },
    views: ["/songs?genre=1"],
  },
  {
    method: "PUT",
    target: "/songs/2",
    body: { name: "fence 2", genre: "jazz", plays: 2 },
    views: ["/songs/2", "/songs?genre=jazz&plays=2"],
  },
  {
    method: "PUT",
    target: "/songs/1",
    body: { name: "fence 1", genre: "rock", plays: 1 },
    views: ["/songs/1", "/songs", "/songs?genre=rock"],
  },
];
