import { type Field, fieldValue, RocketError } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import { BrokenRule, type Place } from "../engine/broken-rule.ts";
import { Denied } from "../engine/denied.ts";
import type { Query, RowRule } from "../engine/query.ts";
import type { KeptAnswer, Placed, RecordChange, Row, Transaction, Values } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { hasKey, keyOf, type Member, type RecordKey, type ServedTable } from "../engine/table.ts";
import { claimIn, claimOf, plainText } from "./claims.ts";
import { mayMeet, settlePaths, startsOfPaths } from "./may-meet.ts";
import { RuledSnapshot, ruledQuery } from "./ruled-snapshot.ts";
import { hasChangedFor, looksAtSelf, withoutSelf } from "./self-proof.ts";
import type { TableRights, ViewerRights } from "./viewer-rights.ts";

/** Says by which claims an answer that is kept was given; it is never sent. */
const claimsField = "Rocket-Claims";

/** The members of some that may be written. @throws Denied where others are given a value */
function requireWritable({ table: { writable } }: TableRights, values: Values): void {
  const other = writable && [...values.keys()].find((member) => !writable.has(member));
  // The request has named it, so that is told.
  if (other) throw new Denied(undefined, `You may not write ${JSON.stringify(other.name)}.`);
}

/** @throws RocketError `rule-broken` where nothing tells a new record from the others, so that it can't be judged */
function requireJudgeable({ real }: TableRights, rule: RowRule | undefined): void {
  if (!rule || hasKey(real)) return;
  const name = JSON.stringify(real.name);
  throw new RocketError(
    "rule-broken",
    `A new record of ${name}, which has no key, can't be judged: \`rows\` may give true or false.`,
  );
}

/** @throws Denied for a claim that the viewer lacks, or that the column can't hold */
function valueToSet(
  { viewer: { claims } }: TableRights,
  { type }: Member,
  json: string | number | boolean | null,
): Value {
  const name = typeof json === "string" ? claimIn(json) : undefined;
  const given = name === undefined ? (typeof json === "string" ? plainText(json) : json) : claimOf(claims, name);
  const decoded = given === undefined ? undefined : type.fromJson(given);
  if (!decoded || "detail" in decoded) throw new Denied();
  return decoded.value;
}

/** A write as a viewer may make it by the rules. Whatever writes, writes here. */
export class RuledTransaction extends RuledSnapshot implements Transaction {
  readonly #inner: Transaction;
  /** The columns that the viewer may know of, of the table that was written last. */
  #columns: ReadonlySet<string> | undefined;

  constructor(inner: Transaction, rights: ViewerRights) {
    super(inner, rights);
    this.#inner = inner;
  }

  about(place: Place): void {
    this.#inner.about(place);
  }

  *findToUpdate(table: ServedTable, key: RecordKey): Steps<Row | undefined> {
    const rights = this.rights.of(table);
    const row = yield* this.#inner.findToUpdate(rights.real, key, rights.rule("read"));
    if (!row) return undefined;
    yield* this.#require(rights, key, rights.require("update"));
    return rights.shownRow(row);
  }

  *eachToWrite(
    table: ServedTable,
    query: Query,
    action: "update" | "destroy",
    limit: number,
    visit: (row: Row) => boolean,
  ): Steps<void> {
    const rights = this.rights.of(table);
    const rule = rights.require(action === "update" ? "update" : "delete");
    const keys: RecordKey[] = [];
    const take = (row: Row): boolean => {
      keys.push(keyOf(rights.real, row));
      return visit(rights.shownRow(row));
    };
    yield* this.#inner.eachToWrite(rights.real, ruledQuery(query, rights), action, limit, take);
    // What is taken away is judged then.
    if (action === "update") for (const key of keys) yield* this.#require(rights, key, rule);
  }

  *insert(table: ServedTable, values: Values): Steps<RecordKey | undefined> {
    const rights = this.rights.of(table);
    const { rule, all } = this.#toCreate(rights, values);
    const settled = yield* this.#settled(rule, all);
    const key = yield* this.#judged(rights, settled, all, () => this.#inner.insert(rights.real, all));
    if (key && hasKey(rights.real)) yield* this.#requireNew(rights, key, rule);
    return key;
  }

  *insertKeyless(table: ServedTable, values: Values): Steps<{ readonly row: Row | undefined } | undefined> {
    const rights = this.rights.of(table);
    const { rule, all } = this.#toCreate(rights, values);
    const settled = yield* this.#settled(rule, all);
    const made = yield* this.#judged(rights, settled, all, () => this.#inner.insertKeyless(rights.real, all));
    // Whether it may be read can't be asked of a record that nothing tells from others.
    const isShown = made?.row && !rights.rule("read");
    return made && { row: isShown ? rights.shownRow(made.row) : undefined };
  }

  *insertUnless(table: ServedTable, values: Values, unique: readonly Member[]): Steps<Placed | undefined> {
    const rights = this.rights.of(table);
    const { rule, all } = this.#toCreate(rights, values);
    const settled = yield* this.#settled(rule, all);
    const placed = yield* this.#judged(rights, settled, all, () => this.#inner.insertUnless(rights.real, all, unique));
    if (placed?.isNew) yield* this.#requireNew(rights, placed.key, rule);
    // Who could not make it is not told that it is there.
    else if (settled && !mayMeet(settled, all)) throw new Denied();
    return placed;
  }

  *update(table: ServedTable, key: RecordKey, { defaulted = [], ...change }: RecordChange): Steps<boolean> {
    const rights = this.rights.of(table);
    const rule = rights.require("update");
    requireWritable(rights, change.values);
    const { writable } = rights.table;
    // What may not be written stays as it is where all others are replaced.
    const replaced = writable ? defaulted.filter((member) => writable.has(member)) : defaulted;
    if (change.values.size === 0 && replaced.length === 0) return true;
    const update = (): Steps<boolean> => this.#inner.update(rights.real, key, { ...change, defaulted: replaced });
    const isOwnProof = rule !== undefined && looksAtSelf(rule, rights.real);
    const before = isOwnProof ? yield* this.#inner.find(rights.real, key) : undefined;
    const all = yield* this.#changed(rights, key, rule, { ...change, defaulted: replaced });
    const settled = yield* this.#settled(rule, all);
    const isDone = yield* this.#judged(rights, settled, all, update);
    const after = before && (yield* this.#inner.find(rights.real, key));
    const isSame = rule && before && after && !hasChangedFor(rule, rights.real, before, after);
    if (isDone) yield* isSame || !isOwnProof ? this.#require(rights, key, rule) : this.#requireNew(rights, key, rule);
    return isDone;
  }

  *remove(table: ServedTable, key: RecordKey, seen: Row): Steps<boolean> {
    const rights = this.rights.of(table);
    const rule = rights.require("delete");
    // Of a view, the database does not say whether something was taken away.
    if (rights.real.isView) yield* this.#require(rights, key, rule);
    const remove = (): Steps<boolean> => this.#inner.remove(rights.real, key, rights.wholeRow(seen), rule);
    const isDone = yield* this.#judged(rights, undefined, new Map(), remove);
    if (!isDone) yield* this.#require(rights, key, rule);
    return isDone;
  }

  /**
   * What was answered then may be shown no more: a repeated answer shows a record as it is now, and has no content where the
   * viewer's claims are others by now.
   */
  *findAnswer(key: string): Steps<KeptAnswer | undefined> {
    const kept = yield* this.#inner.findAnswer(key);
    if (!kept) return undefined;
    const fields = kept.fields.filter(([name]) => name !== claimsField);
    const isSame = fieldValue(kept.fields, claimsField) === this.rights.claimsDigest;
    const isRecord = fieldValue(fields, "content-location") !== undefined;
    return { ...kept, fields, body: isSame && !isRecord ? kept.body : undefined };
  }

  keepAnswer(key: string, answer: Omit<KeptAnswer, "eventId">): Steps<void> {
    const fields: readonly Field[] = [...answer.fields, [claimsField, this.rights.claimsDigest]];
    return this.#inner.keepAnswer(key, { ...answer, fields });
  }

  /** What failed, with nothing that the viewer may not know. */
  told(error: unknown): unknown {
    const columns = this.#columns;
    if (!(error instanceof BrokenRule) || !columns) return error;
    const known = error.columns.filter((name) => columns.has(name));
    const isAllKnown = known.length === error.columns.length && error.kind !== "check";
    return isAllKnown
      ? error
      : new BrokenRule(error.kind, { columns: known, text: undefined, place: error.place }, error.cause);
  }

  /** What a new record gets, and has to meet. @throws Denied where none may be made of these values */
  #toCreate(rights: TableRights, values: Values): { readonly rule: RowRule | undefined; readonly all: Values } {
    const rule = rights.require("create");
    requireJudgeable(rights, rule);
    requireWritable(rights, values);
    const all = new Map(values);
    for (const [member, json] of rights.table.set) all.set(member, valueToSet(rights, member, json));
    return { rule, all };
  }

  /** All values after a change, where a rule's path starts at one that changes; else the changed ones. */
  *#changed(
    { real }: TableRights,
    key: RecordKey,
    rule: RowRule | undefined,
    { values, defaulted = [] }: RecordChange,
  ): Steps<Values> {
    if (!rule || !startsOfPaths(rule).some((member) => values.has(member))) return values;
    const row = yield* this.#inner.find(real, key);
    const kept = real.members.map((member, at) => [member, row?.[at] ?? null] as const);
    return new Map([...kept.filter(([member]) => !defaulted.includes(member)), ...values]);
  }

  /** A rule as it is before a write: when that fails, PostgreSQL answers no more questions in its transaction. */
  *#settled(rule: RowRule | undefined, values: Values): Steps<RowRule | undefined> {
    return rule && mayMeet(rule, values) ? yield* settlePaths(this.#inner, rule, values) : rule;
  }

  /** @throws Denied where a record does not meet a rule, or can't be found so that it could be judged */
  *#require({ real }: TableRights, key: RecordKey, rule: RowRule | undefined): Steps<void> {
    if (rule && !(yield* this.#inner.find(real, key, rule))) throw new Denied();
  }

  /** As `#require`, for a record that this write has made, or made another one. */
  #requireNew(rights: TableRights, key: RecordKey, rule: RowRule | undefined): Steps<void> {
    return this.#require(rights, key, rule && withoutSelf(rule, rights.real, key));
  }

  /** @throws Denied where the write fails, and would not have been the viewer's: then it is told nothing more */
  *#judged<Result>(
    rights: TableRights,
    rule: RowRule | undefined,
    values: Values,
    write: () => Steps<Result>,
  ): Steps<Result> {
    const { shown, real } = rights.table;
    // Where all columns are known, so are the checks.
    const isCut = shown.members.length < real.members.length;
    this.#columns = isCut ? new Set([...shown.members, ...(shown.unread ?? [])].map(({ name }) => name)) : undefined;
    try {
      return yield* write();
    } catch (error) {
      if (error instanceof BrokenRule && rule && !mayMeet(rule, values)) throw new Denied(error);
      throw this.told(error);
    }
  }
}
