import type { Defect } from "./defects.ts";

/** Defects of the journal in SQLite and of what reads beside it. */
export const sqlDefects: readonly Defect[] = [
  {
    name: "rows that a REPLACE displaces are not remembered",
    breaks: "GET",
    in: "rememberTriggers",
    find: "if (displaceable(pieces, false).length === 0)\n        return [];",
    replace: "return [];",
  },
  {
    name: "a change of the key is journaled as an update",
    breaks: "GET",
    in: "journalTriggers",
    find: "statements: moving }",
    replace: "statements: updating }",
  },
  {
    name: "a transaction is read in pieces",
    breaks: "P5",
    in: "Follower.#look",
    find: "const { changes, end } = rows.after(after, -1, maxBatchBytes);",
    replace:
      "const { changes, end } = rows.after(after, 1, maxBatchBytes);\n" +
      "            if (end.position < head.position) {\n                this.#dataVersion = undefined;\n" +
      "                this.#mark = end;\n                return { ...this.head, after, changes };\n            }",
  },
  {
    name: "a GET is named by where the tail stands and not by what it read",
    breaks: "P8",
    in: "journalLedger",
    find: "return { schemaVersion, bookmark: { position, eventId } };",
    replace: "return { schemaVersion, bookmark: journal.head };",
  },
  {
    name: "the check of a position is ignored",
    breaks: "P6",
    in: "RowReader.has",
    find: "return row?.[0] === check;",
    replace: "return row !== undefined;",
  },
  {
    name: "positions of the process before mean nothing",
    breaks: "P6",
    in: "SqliteFileJournal.locate",
    find: "hasSegment(reader, id.segment) && rows.has(id)",
    replace: "id.segment === this.#follower.file.segment && rows.has(id)",
  },
];
