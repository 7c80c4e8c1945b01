import { quoteName } from "../sql-text.ts";
import type { TableDetails } from "../table-details.ts";
import { candidates } from "./candidates.ts";
import { cacheTable, cutDelete, cutUpdate, journalTable, triggerName } from "./names.ts";
import { type Row, type Shape, shapeOf } from "./shape.ts";

/** How many rows the cache keeps for a table where writes run inside one another. */
const cachedRows = 60;

/** The pieces that the triggers of one table are made of. */
interface Pieces {
  readonly shape: Shape;
  readonly details: TableDetails;
  readonly arm: number;
  /** The next free id among this table's cached rows. */
  readonly nextId: string;
  readonly cached: string;
  /** What is journaled of cached rows. */
  readonly former: string;
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
    former: shape.formerImage(shape.inCache),
    newColumns: numbered("n", shape.width),
    oldColumns: numbered("o", shape.width),
  };
}

/** Rows that the write may displace: a condition for each way. */
function displaceable({ shape, details }: Pieces, isUpdate: boolean): string[] {
  const itself = isUpdate ? ` AND NOT (${shape.sameKey(shape.inTable, shape.old)})` : "";
  return candidates(details, shape, isUpdate).map((condition) => `${condition}${itself}`);
}

/** Whether the write can displace anything, which most don't: they must not pay for those that do. */
function whenDisplacing(pieces: Pieces, isUpdate: boolean): string {
  const { shape } = pieces;
  const found = displaceable(pieces, isUpdate).map(
    (condition) => `EXISTS (SELECT 1 FROM ${shape.from} WHERE ${condition})`,
  );
  const isAny = `(${found.join(" OR ")})`;
  return isUpdate && shape.changesUnique !== "" ? `(${shape.changesUnique}) AND ${isAny}` : isAny;
}

/** Puts rows into the cache that the write may displace. */
function rememberStatements(pieces: Pieces, isUpdate: boolean): string[] {
  const { shape, details, arm, nextId, cached } = pieces;
  const isCached = `SELECT 1 FROM ${cacheTable} WHERE arm = ${arm} AND done = 0 AND ${shape.sameRecord(shape.inCache, shape.inTable)}`;
  return [
    // What an earlier write remembered in vain. Where writes run inside one another, it may be of use yet.
    ...(details.isNested ? [] : [`DELETE FROM ${cacheTable} WHERE arm = ${arm}`]),
    ...displaceable(pieces, isUpdate).map(
      (condition) =>
        `INSERT INTO ${cacheTable} (arm, id, done, ${cached}) SELECT ${arm}, ${nextId}, 0, ${shape.image(shape.inTable)} FROM ${shape.from} WHERE ${condition} AND NOT EXISTS (${isCached}) LIMIT 1`,
    ),
  ];
}

/** Journals a delete for each cached row that is gone. */
function displacedStatements({ shape, details, arm, former, oldColumns }: Pieces, isUpdate: boolean): string[] {
  // A row that changes its key is gone too, but the trigger itself speaks of it.
  const itself = isUpdate ? ` AND NOT (${shape.sameKey(shape.inCache, shape.old)})` : "";
  const gone = `arm = ${arm} AND done = 0${itself} AND NOT (${shape.hasRecord(shape.inCache)})`;
  return [
    `INSERT INTO ${journalTable} (arm, has, ${oldColumns}) SELECT ${arm}, ${deleteKind(shape, shape.inCache)}, ${former} FROM ${cacheTable} WHERE ${gone} ORDER BY id`,
    details.isNested ? `UPDATE ${cacheTable} SET done = 1 WHERE ${gone}` : `DELETE FROM ${cacheTable} WHERE ${gone}`,
  ];
}

/** What the journal says of a row as it was: whether it has all of it. */
function kindOf({ isCut }: Shape, row: Row, whole: number, cut: number): string {
  const condition = isCut(row);
  return condition === "" ? String(whole) : `CASE WHEN ${condition} THEN ${cut} ELSE ${whole} END`;
}

function updateKind(shape: Shape, row: Row): string {
  return kindOf(shape, row, 3, cutUpdate);
}

function deleteKind(shape: Shape, row: Row): string {
  return kindOf(shape, row, 1, cutDelete);
}

/** Journals a row that has come to its key: as an update where it displaced the row that had the key. */
function arrivedStatement({ shape, arm, former, newColumns, oldColumns }: Pieces): string {
  const updated = updateKind(shape, shape.inCache);
  return `INSERT INTO ${journalTable} (arm, has, ${newColumns}, ${oldColumns}) SELECT ${arm}, CASE WHEN id IS NULL THEN 2 ELSE ${updated} END, ${shape.image(shape.new)}, ${former} FROM (SELECT 1) LEFT JOIN ${cacheTable} ON arm = ${arm} AND done = 0 AND ${shape.sameRecord(shape.inCache, shape.new)} LIMIT 1`;
}

/** Journals the end of a row, unless the journal has it already. */
function leftStatement({ shape, details, arm, oldColumns }: Pieces): string {
  const isTold = `SELECT 1 FROM ${cacheTable} WHERE arm = ${arm} AND done = 1 AND ${shape.sameRecord(shape.inCache, shape.old)}`;
  const condition = details.isNested ? ` WHERE NOT EXISTS (${isTold})` : "";
  return `INSERT INTO ${journalTable} (arm, has, ${oldColumns}) SELECT ${arm}, ${deleteKind(shape, shape.old)}, ${shape.formerImage(shape.old)}${condition}`;
}

function forgetStatement({ shape, details, arm }: Pieces, rows: readonly ("new" | "old")[]): string {
  if (!details.isNested) return `DELETE FROM ${cacheTable} WHERE arm = ${arm}`;
  // A record may have come to another rowid, and a rowid to another record.
  const same = [shape.sameKey, shape.sameRecord];
  const keys = rows.flatMap((row) => [...new Set(same.map((is) => `(${is(shape.inCache, shape[row])})`))]);
  return `DELETE FROM ${cacheTable} WHERE arm = ${arm} AND (${keys.join(" OR ")})`;
}

/**
 * Where other writes can come before the end of this one, they must find the row as it is now: this write may have set
 * off another one of it.
 */
function refreshStatements({ shape, details, arm, nextId, cached }: Pieces): string[] {
  if (!details.isNested) return [];
  return [
    `DELETE FROM ${cacheTable} WHERE arm = ${arm} AND id <= (SELECT max(id) FROM ${cacheTable} WHERE arm = ${arm}) - ${cachedRows}`,
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

interface Trigger {
  readonly event: string;
  readonly when: string;
  readonly statements: readonly string[];
}

function rememberTriggers(pieces: Pieces): Trigger[] {
  if (displaceable(pieces, false).length === 0) return [];
  return [
    { event: "BEFORE INSERT", when: whenDisplacing(pieces, false), statements: rememberStatements(pieces, false) },
    { event: "BEFORE UPDATE", when: whenDisplacing(pieces, true), statements: rememberStatements(pieces, true) },
  ];
}

/**
 * A trigger for when rows are cached, and one with less to do for when none are. The second fires first, since it is
 * newer; the other way round, the first would empty the cache and both would fire.
 */
function inTwo(pieces: Pieces, event: string, when: readonly string[], full: string[], quick: string): Trigger[] {
  if (pieces.details.isNested) return [{ event, when: when.join(" AND "), statements: full }];
  const isCached = `EXISTS (SELECT 1 FROM ${cacheTable} WHERE arm = ${pieces.arm})`;
  return [
    { event, when: [...when, isCached].join(" AND "), statements: full },
    { event, when: [...when, `NOT ${isCached}`].join(" AND "), statements: [quick] },
  ];
}

function journalTriggers(pieces: Pieces): Trigger[] {
  const { shape, arm, newColumns, oldColumns } = pieces;
  const isSame = shape.sameRecord(shape.new, shape.old);
  const created = `INSERT INTO ${journalTable} (arm, has, ${newColumns}) SELECT ${arm}, 2, ${shape.image(shape.new)}`;
  const updated = `INSERT INTO ${journalTable} (arm, has, ${newColumns}, ${oldColumns}) SELECT ${arm}, ${updateKind(shape, shape.old)}, ${shape.image(shape.new)}, ${shape.formerImage(shape.old)}`;
  const displaced = displacedStatements(pieces, true);
  const refreshed = refreshStatements(pieces);
  const overtaken = overtakenStatements(pieces);
  const inserting = [
    ...displacedStatements(pieces, false),
    arrivedStatement(pieces),
    forgetStatement(pieces, ["new"]),
    ...refreshed,
  ];
  const updating = [...displaced, updated, forgetStatement(pieces, ["old"]), ...refreshed, ...overtaken];
  const moving = [
    ...displaced,
    leftStatement(pieces),
    // The row as it was may be remembered under a rowid that has stayed.
    ...(pieces.details.isNested ? [forgetStatement(pieces, ["old"])] : []),
    arrivedStatement(pieces),
    forgetStatement(pieces, ["old", "new"]),
    ...refreshed,
    ...overtaken,
  ];
  return [
    ...inTwo(pieces, "AFTER INSERT", [], inserting, created),
    ...inTwo(pieces, "AFTER UPDATE", [isSame], updating, updated),
    { event: "AFTER UPDATE", when: `NOT (${isSame})`, statements: moving },
    { event: "AFTER DELETE", when: "", statements: [leftStatement(pieces), forgetStatement(pieces, ["old"])] },
  ];
}

/**
 * The triggers of a table under an arm's id, by name, in the order of their making. Plain SQL, and only functions that
 * old SQLite has.
 */
export function triggersOf(details: TableDetails, arm: number): Map<string, string> {
  const pieces = piecesOf(details, arm);
  const table = quoteName(details.table.name);
  return new Map(
    [...rememberTriggers(pieces), ...journalTriggers(pieces)].map(({ event, when, statements }, index) => {
      const name = triggerName(arm, `${event.toLowerCase()} ${index}`);
      const condition = when === "" ? "" : ` WHEN ${when}`;
      return [
        name,
        `CREATE TRIGGER ${quoteName(name)} ${event} ON ${table}${condition} BEGIN ${statements.join("; ")}; END`,
      ];
    }),
  );
}
