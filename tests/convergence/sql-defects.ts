import type { Defect } from "./defects.ts";

const triggers = "scaffold/sqlite/journal/triggers.js";
const follower = "scaffold/sqlite/journal/follower.js";
const journal = "scaffold/sqlite/journal/journal.js";

/** Defects of the journal in SQLite and of what reads beside it. */
export const sqlDefects: readonly Defect[] = [
  {
    name: "rows that a REPLACE displaces are not remembered",
    breaks: "GET",
    file: triggers,
    find: "if (displaceable(pieces, false).length === 0)\n        return [];",
    replace: "return [];",
  },
  {
    name: "a change of the key is journaled as an update",
    breaks: "GET",
    file: triggers,
    find: "statements: moving }",
    replace: "statements: updating }",
  },
  {
    name: "a transaction is read in pieces",
    breaks: "P5",
    file: follower,
    find: "const { changes, end } = rows.after(after, -1, maxBatchBytes);",
    replace:
      "const { changes, end } = rows.after(after, 1, maxBatchBytes);\n" +
      "            if (end.position < head.position) {\n                this.#dataVersion = undefined;\n" +
      "                this.#mark = end;\n                return { ...this.head, after, changes };\n            }",
  },
  {
    name: "a GET is named by where the tail stands and not by what it read",
    breaks: "P8",
    file: "scaffold/rest/ledger.js",
    find: "return { schemaVersion, bookmark: { position, eventId } };",
    replace: "return { schemaVersion, bookmark: journal.head };",
  },
  {
    name: "the check of a position is ignored",
    breaks: "P6",
    file: "scaffold/sqlite/journal/rows.js",
    find: "return row?.[0] === check;",
    replace: "return row !== undefined;",
  },
  {
    name: "positions of the process before mean nothing",
    breaks: "P6",
    file: journal,
    find: "hasSegment(reader, id.segment) && rows.has(id)",
    replace: "id.segment === this.#follower.file.segment && rows.has(id)",
  },
];
