import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/testing/index.ts";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { CommitLog } from "./commit-log.ts";
import { ConnectionRecord } from "./connection-record.ts";
import type { CommittedChange, Entry, History, Row, Transaction } from "./history.ts";
import { KillBag } from "./kills.ts";
import { postgresFlags } from "./postgres-run-database.ts";
import { postgresSchema } from "./postgres-statements.ts";
import { checkRevisions } from "./revisions.ts";

const server = serverOfFile(...postgresFlags);

function shown(revision: number): Row {
  return { version: 1, revision };
}

function entry(status: number, revision: number): Entry {
  return { at: 0, head: 0, status, url: "/songs/1", row: shown(revision) };
}

function whole(revision: number): Entry {
  return { at: 0, head: 0, status: 200, rows: new Map([["/songs/1", shown(revision)]]) };
}

function revisionsOf(...entries: readonly Entry[]): string[] {
  const asked = { at: 0, head: 0, epoch: 0, held: new Map([["/songs/1", shown(4)]]) };
  const view = { url: "/songs", collection: "/songs", equals: [] };
  const connection = new ConnectionRecord("r1.1", 1, 0);
  const stream = { name: "r1.1 /songs", level: 1, connection, view, asked, entries, isOpenAtEnd: true } as const;
  return checkRevisions({ streams: [stream] } as unknown as History).violations;
}

describe("The oracle of revisions", () => {
  const again: Entry = { at: 0, head: 0, status: 304 };

  it.each([
    ["a record that grows", [whole(1), entry(202, 2), entry(202, 5), whole(5), entry(201, 6)]],
    ["news of what is held", [again, entry(202, 5)]],
  ])("has nothing to say of %s", (_what, entries) => {
    expect(revisionsOf(...entries)).toEqual([]);
  });

  it.each([
    ["goes back", [whole(3), entry(202, 2)], "from revision 3 to 2"],
    ["is told twice", [whole(3), entry(202, 4), entry(202, 4)], "from revision 4 to 4"],
    ["goes back by a whole", [whole(3), entry(202, 4), whole(3)], "from revision 4 to 3"],
    ["goes back behind what is held", [again, entry(202, 3)], "from revision 4 to 3"],
  ])("finds a record that %s", (_what, entries, text) => {
    expect(revisionsOf(...entries)).toEqual([expect.stringContaining(text)]);
  });
});

const sql = [
  "INSERT INTO songs (id, name, version) VALUES (1, 'it''s [a]:''b', 10), (2, 'version[integer]:99', 11)",
  "BEGIN; INSERT INTO songs (id, version) VALUES (3, 12); ROLLBACK",
  "UPDATE songs SET id = 4, version = 13 WHERE id = 1",
  "BEGIN; INSERT INTO albums (code, version) VALUES ('x y', 14); UPDATE albums SET version = 15; COMMIT",
  "TRUNCATE songs, albums",
  "COPY albums (code, version) FROM PROGRAM 'printf \"x y\\t16\\n\"'",
  "DELETE FROM albums",
];

function change(url: string, before?: number, after?: number): CommittedChange {
  const row = (version: number | undefined, name: string): object =>
    version === undefined ? {} : { [name]: { version } };
  const [, collection = ""] = /^(\/\w+)/.exec(url) ?? [];
  return { position: 0, collection, url, ...row(before, "before"), ...row(after, "after") };
}

const right: readonly CommittedChange[] = [
  change("/songs/1", undefined, 10),
  change("/songs/2", undefined, 11),
  change("/songs/1", 10),
  change("/songs/4", undefined, 13),
  change("/albums/x%20y", undefined, 14),
  change("/albums/x%20y", 14, 15),
  change("/songs/2", 11),
  change("/songs/4", 13),
  change("/albums/x%20y", 15),
  change("/albums/x%20y", undefined, 16),
  change("/albums/x%20y", 16),
];

async function compare(changes: readonly CommittedChange[]): Promise<readonly string[]> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(postgresSchema);
  const log = await CommitLog.begin(client, name);
  for (const statement of sql) await client.query(statement);
  const transaction: Transaction = { at: 0, first: 1, last: 1, changes, resets: [] };
  const { records, violations } = await log.compare(client, [transaction]);
  expect(records).toBe(4);
  return violations;
}

describe("The oracle of PostgreSQL's own log", () => {
  it("has nothing to say of a journal that has what was committed", async () => {
    expect(await compare(right)).toEqual([]);
  });

  it.each([
    ["lacks a change", right.toSpliced(5, 1), /step 1 of \/albums\/x y was update 15, and the journal has delete/],
    ["has one that was rolled back", [...right, change("/songs/3", undefined, 12)], /step 0 of \/songs\/3 was none/],
    ["has one twice", right.toSpliced(1, 0, change("/songs/2", undefined, 11)), /step 1 of \/songs\/2 was delete/],
    ["has two the wrong way round", right.toSpliced(4, 2, ...right.slice(4, 6).reverse()), /step 0 of \/albums\/x y/],
    [
      "does not know that a table was emptied",
      right.toSpliced(7, 1),
      /\/songs\/4 was delete, and the journal has none/,
    ],
  ])("finds a journal that %s", async (_what, changes, text) => {
    expect(await compare(changes)).toEqual([expect.stringMatching(text)]);
  });
});

describe("A bag of kills", () => {
  it("gives each kind as often as its weight says, again and again", () => {
    const weights = { server: 2, writer: 1, backend: 3 };
    const bag = new KillBag(createRandom(1), weights);
    for (let round = 0; round < 3; round += 1) {
      const drawn = Array.from({ length: 6 }, () => bag.draw()).sort();
      expect(drawn).toEqual(["backend", "backend", "backend", "server", "server", "writer"]);
    }
  });
});
