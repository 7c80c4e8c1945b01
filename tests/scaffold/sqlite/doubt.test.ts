import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../../src/testing/index.ts";
import { connect, newPath, watch } from "./workspace.ts";

const others = "CREATE TABLE others (id INTEGER PRIMARY KEY)";
const songs = "CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO songs VALUES (1, 'a')";
const lines =
  "CREATE TABLE lines (text); INSERT INTO lines VALUES ('a'), ('b'), ('c'); DELETE FROM lines WHERE text = 'a'";

/** A journal whose triggers are mended after 10 seconds of quiet. */
async function start(table = songs) {
  const path = newPath();
  const other = connect(path, `${table}; ${others}`);
  const clock = createFakeClock();
  const watched = await watch(path, { clock, quietMs: 10_000 });
  /** What the tail says by itself in some time: what is told again and again once. */
  const told = async (ms = 1_000): Promise<string[]> => {
    await clock.advance(ms);
    const all = watched.batches.splice(0).flatMap(({ changes }) => changes);
    return [...new Set(all.map(({ kind, collection, url }) => `${kind} ${url || collection}`))];
  };
  return { ...watched, clock, other, told };
}

const louder =
  "CREATE TRIGGER louder AFTER INSERT ON songs BEGIN UPDATE songs SET title = title || '!' WHERE id = new.id; END";

describe("Changes that are made before triggers fit a new schema", () => {
  it.each([
    ["a newer trigger changes the row first", louder, "INSERT INTO songs VALUES (2, 'b')", "reset /songs"],
    [
      "a newer trigger writes another row first",
      "CREATE TRIGGER early BEFORE UPDATE ON songs BEGIN INSERT INTO songs (title) VALUES ('b'); END",
      "UPDATE songs SET title = 'c'",
      "reset /songs",
    ],
    [
      "a newer unique index displaces rows",
      "CREATE UNIQUE INDEX titles ON songs (title)",
      "INSERT OR REPLACE INTO songs VALUES (2, 'a')",
      "reset /songs",
    ],
    [
      "the rows have another column",
      "ALTER TABLE songs ADD COLUMN year INT",
      "INSERT INTO songs VALUES (2, 'b', 1970)",
      "reset /songs",
    ],
    [
      "a column is called otherwise",
      "ALTER TABLE songs RENAME COLUMN title TO name",
      "INSERT INTO songs VALUES (2, 'b')",
      "reset /songs",
    ],
    [
      "the table is called otherwise",
      "ALTER TABLE songs RENAME TO tunes",
      "INSERT INTO tunes VALUES (2, 'b')",
      "reset /songs",
    ],
    ["the rows have other rowids", "VACUUM", "UPDATE lines SET text = 'd' WHERE text = 'c'", "reset /lines"],
  ])("are told as a reset where %s", async (_why, change, write, expected) => {
    const { other, told, errors } = await start(write.includes("lines") ? lines : songs);
    other.exec(change);
    expect(await told()).toEqual([]);
    other.exec(`${write}; INSERT INTO others VALUES (7)`);
    // Others are told as ever.
    expect(await told()).toEqual(
      [expected, "create /others/number 7"].map((one) => one.replace("number ", "number%20")),
    );
    expect(errors).toEqual([]);
  });

  it.each([
    ["a newer index that is not unique", "CREATE INDEX titles ON songs (title)"],
    ["another table", "CREATE TABLE more (id INTEGER PRIMARY KEY)"],
    [
      "a trigger on another table",
      "CREATE TRIGGER far AFTER INSERT ON others BEGIN DELETE FROM others WHERE id < new.id; END",
    ],
    ["a view", "CREATE VIEW titles AS SELECT title FROM songs"],
  ])("are told as they are beside %s", async (_what, change) => {
    const { other, told } = await start();
    other.exec(`${change}; INSERT INTO songs VALUES (2, 'b'); UPDATE songs SET title = 'c' WHERE id = 2`);
    expect(await told()).toEqual(["create /songs/number%202", "update /songs/number%202"]);
  });

  it("are told as they are once the triggers fit", async () => {
    const { other, told } = await start();
    other.exec(`${louder}; INSERT INTO songs VALUES (2, 'b')`);
    await told(20_000);
    other.exec("INSERT INTO songs VALUES (3, 'b')");
    expect(await told()).toEqual(["create /songs/number%203", "update /songs/number%203"]);
  });

  it("are resets to those who resume before the triggers fit", async () => {
    const { other, journal } = await start();
    const { position } = journal.head;
    other.exec(`${louder}; INSERT INTO songs VALUES (2, 'b'); INSERT INTO others VALUES (1)`);
    const page = await journal.read(position, 10);
    expect(page?.changes.map(({ kind, collection }) => `${kind} ${collection}`)).toEqual([
      "reset /songs",
      "reset /songs",
      "create /others",
    ]);
  });

  it("have those who watch begin anew no more often than four times a second, and lose nothing by that", async () => {
    const { other, clock, batches } = await start();
    other.exec(louder);
    for (let step = 0; step < 40; step += 1) {
      other.exec("INSERT INTO songs (title) VALUES ('b')");
      await clock.advance(25);
    }
    await clock.advance(250);
    const songs = batches.filter(({ changes }) => changes.some(({ collection }) => collection === "/songs"));
    expect(songs.length).toBeGreaterThan(2);
    expect(songs.length).toBeLessThan(7);
    expect(batches.flatMap(({ changes }) => changes).length).toBe(80);
  });
});
