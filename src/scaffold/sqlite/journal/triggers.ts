import { quoteName } from "../sql-text.ts";
import type { TableDetails } from "../table-details.ts";
import { candidates } from "./candidates.ts";
import { cacheTable, journalTable, triggerName } from "./names.ts";
import { type Shape, shapeOf } from "./shape.ts";

/** How many rows the cache keeps for a table: those of one write, or of several that run inside one another. */
const cachedRows = { plain: 12, nested: 60 } as const;

/** The pieces that the triggers of one table are made of. */
interface Pieces {
  readonly shape: Shape;
  readonly details: TableDetails;
  readonly arm: number;
  /** The next free id among this table's cached rows. */
  readonly nextId: string;
  readonly cached: string;
  readonly newColumns: string;
  readonly oldColumns: string;
}

function numbered(letter: string, width: number): string {
  return Array.from({ length: width }, (_, index) => `${letter}${index}`).join(", ");
}

function piecesOf(details: TableDetails, arm: number): Pieces {
  const shape = shapeOf(details);
  return {
    shape,
    details,
    arm,
    nextId: `coalesce((SELECT max(id) FROM ${cacheTable} WHERE arm = ${arm}), 0) + 1`,
    cached: numbered("c", shape.width),
    newColumns: numbered("n", shape.width),
    oldColumns: numbered("o", shape.width),
  };
}

/** Puts rows into the cache that the write may displace. */
function rememberStatements(pieces: Pieces, isUpdate: boolean): string[] {
  const { shape, details, arm, nextId, cached } = pieces;
  const conditions = candidates(details, shape, isUpdate);
  const most = Math.max(details.isNested ? cachedRows.nested : cachedRows.plain, conditions.length);
  const itself = isUpdate ? ` AND NOT (${shape.sameKey(shape.inTable, shape.old)})` : "";
  const isCached = `SELECT 1 FROM ${cacheTable} WHERE arm = ${arm} AND done = 0 AND ${shape.sameKey(shape.inCache, shape.inTable)}`;
  return [
    `DELETE FROM ${cacheTable} WHERE arm = ${arm} AND id <= (SELECT max(id) FROM ${cacheTable} WHERE arm = ${arm}) - ${most}`,
    ...conditions.map(
      (condition) =>
        `INSERT INTO ${cacheTable} (arm, id, done, ${cached}) SELECT ${arm}, ${nextId}, 0, ${shape.image(shape.inTable)} FROM ${shape.from} WHERE ${condition}${itself} AND NOT EXISTS (${isCached}) LIMIT 1`,
    ),
  ];
}

/** Journals a delete for each cached row that is gone. */
function displacedStatements({ shape, details, arm, cached, oldColumns }: Pieces, isUpdate: boolean): string[] {
  // A row that changes its key is gone too, but the trigger itself speaks of it.
  const itself = isUpdate ? ` AND NOT (${shape.sameKey(shape.inCache, shape.old)})` : "";
  const gone = `arm = ${arm} AND done = 0${itself} AND NOT EXISTS (SELECT 1 FROM ${shape.from} WHERE ${shape.findKey(shape.inCache)})`;
  return [
    `INSERT INTO ${journalTable} (arm, has, ${oldColumns}) SELECT ${arm}, 1, ${cached} FROM ${cacheTable} WHERE ${gone} ORDER BY id`,
    details.isNested ? `UPDATE ${cacheTable} SET done = 1 WHERE ${gone}` : `DELETE FROM ${cacheTable} WHERE ${gone}`,
  ];
}

/** Journals a row that has come to its key: as an update where it displaced the row that had the key. */
function arrivedStatement({ shape, arm, cached, newColumns, oldColumns }: Pieces): string {
  return `INSERT INTO ${journalTable} (arm, has, ${newColumns}, ${oldColumns}) SELECT ${arm}, CASE WHEN id IS NULL THEN 2 ELSE 3 END, ${shape.image(shape.new)}, ${cached} FROM (SELECT 1) LEFT JOIN ${cacheTable} ON arm = ${arm} AND done = 0 AND ${shape.sameKey(shape.inCache, shape.new)} LIMIT 1`;
}

/** Journals the end of a row, unless the journal has it already. */
function leftStatement({ shape, details, arm, oldColumns }: Pieces): string {
  const isTold = `SELECT 1 FROM ${cacheTable} WHERE arm = ${arm} AND done = 1 AND ${shape.sameKey(shape.inCache, shape.old)}`;
  const condition = details.isNested ? ` WHERE NOT EXISTS (${isTold})` : "";
  return `INSERT INTO ${journalTable} (arm, has, ${oldColumns}) SELECT ${arm}, 1, ${shape.image(shape.old)}${condition}`;
}

function forgetStatement({ shape, arm }: Pieces, rows: readonly ("new" | "old")[]): string {
  const keys = rows.map((row) => `(${shape.sameKey(shape.inCache, shape[row])})`);
  return `DELETE FROM ${cacheTable} WHERE arm = ${arm} AND (${keys.join(" OR ")})`;
}

/**
 * Where other writes can come before the end of this one, they must find the row as it is now: this write may have set
 * off another one of it.
 */
function refreshStatements({ shape, details, arm, nextId, cached }: Pieces): string[] {
  if (!details.isNested) return [];
  return [
    `INSERT INTO ${cacheTable} (arm, id, done, ${cached}) SELECT ${arm}, ${nextId}, 0, ${shape.image(shape.inTable)} FROM ${shape.from} WHERE ${shape.findKey(shape.new)}`,
  ];
}

/** Where the write set off another one of the same row, only a reset tells the truth. */
function overtakenStatements({ shape, details, arm }: Pieces): string[] {
  if (!details.isReentrant) return [];
  return [
    `INSERT INTO ${journalTable} (arm, has) SELECT ${arm}, 0 WHERE NOT EXISTS (SELECT 1 FROM ${shape.from} WHERE ${shape.findKey(shape.new)} AND ${shape.sameImage(shape.inTable, shape.new)})`,
  ];
}

/** The triggers of a table under an arm's id: name and SQL. Plain SQL, and only functions that old SQLite has. */
export function triggersOf(details: TableDetails, arm: number): Map<string, string> {
  const pieces = piecesOf(details, arm);
  const { shape } = pieces;
  const isSame = shape.sameKey(shape.new, shape.old);
  const updated = `INSERT INTO ${journalTable} (arm, has, ${pieces.newColumns}, ${pieces.oldColumns}) SELECT ${arm}, 3, ${shape.image(shape.new)}, ${shape.image(shape.old)}`;
  const bodies: [event: string, when: string, statements: string[]][] = [
    ["BEFORE INSERT", "", rememberStatements(pieces, false)],
    ["BEFORE UPDATE", shape.changesUnique, rememberStatements(pieces, true)],
    [
      "AFTER INSERT",
      "",
      [
        ...displacedStatements(pieces, false),
        arrivedStatement(pieces),
        forgetStatement(pieces, ["new"]),
        ...refreshStatements(pieces),
      ],
    ],
    [
      "AFTER UPDATE",
      isSame,
      [
        ...displacedStatements(pieces, true),
        updated,
        forgetStatement(pieces, ["old"]),
        ...refreshStatements(pieces),
        ...overtakenStatements(pieces),
      ],
    ],
    [
      "AFTER UPDATE",
      `NOT (${isSame})`,
      [
        ...displacedStatements(pieces, true),
        leftStatement(pieces),
        arrivedStatement(pieces),
        forgetStatement(pieces, ["old", "new"]),
        ...refreshStatements(pieces),
        ...overtakenStatements(pieces),
      ],
    ],
    ["AFTER DELETE", "", [leftStatement(pieces), forgetStatement(pieces, ["old"])]],
  ];
  const table = quoteName(details.table.name);
  const canDisplace = candidates(details, shape, false).length > 0;
  const needed = canDisplace ? bodies : bodies.filter(([event]) => !event.startsWith("BEFORE"));
  return new Map(
    needed.map(([event, when, statements], index) => {
      const name = triggerName(arm, `${event.toLowerCase()} ${index}`);
      const condition = when === "" ? "" : ` WHEN ${when}`;
      return [
        name,
        `CREATE TRIGGER ${quoteName(name)} ${event} ON ${table}${condition} BEGIN ${statements.join("; ")}; END`,
      ];
    }),
  );
}
