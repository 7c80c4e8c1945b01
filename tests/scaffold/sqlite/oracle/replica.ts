import type { Connection } from "../../../../src/scaffold/sqlite/driver.ts";
import type { Schema, Table } from "../../../../src/scaffold/sqlite/schema.ts";
import { quoteName } from "../../../../src/scaffold/sqlite/sql-text.ts";
import type { Batch, Change, Image } from "../../../../src/server/index.ts";
import { exactText, plainFormat } from "../plain-format.ts";

type Records = Map<string, string>;

function imageText(image: Image | undefined): string {
  if (!image) return "none";
  return Object.entries(image)
    .map(([name, value]) => `${name}=${exactText(value)}`)
    .join("; ");
}

function readTable(connection: Connection, table: Table): Records {
  const { identity, columns } = table;
  const names = columns.map((column) => quoteName(column.name));
  const key =
    identity.kind === "rowid"
      ? [columns.length]
      : identity.columns.map((name) => columns.findIndex((c) => c.name === name));
  if (identity.kind === "rowid") names.push(identity.alias);
  const records: Records = new Map();
  for (const row of connection.prepare(`SELECT ${names.join(", ")} FROM ${quoteName(table.name)}`).all()) {
    const shown = [...columns.map(({ name }) => name), ...(identity.kind === "rowid" ? [identity.alias] : [])];
    const image = Object.fromEntries(shown.map((name, index) => [name, row[index] ?? null]));
    const url = plainFormat.recordUrl(
      table,
      key.map((place) => row[place] ?? null),
      row,
    );
    records.set(url, imageText(image));
  }
  return records;
}

/** What someone has who knows the database only by its changes, and what was wrong with them. */
export class Replica {
  readonly troubles: string[] = [];
  readonly #connection: Connection;
  readonly #collections: Map<string, Records> = new Map();
  #resets = 0;

  constructor(connection: Connection, schema: Schema) {
    this.#connection = connection;
    for (const table of schema.tables) this.#collections.set(`/${table.name}`, readTable(connection, table));
  }

  /** How often a collection had to be read anew. */
  get resets(): number {
    return this.#resets;
  }

  apply(batch: Batch, schema: Schema): void {
    const reset = new Set(batch.changes.filter(({ kind }) => kind === "reset").map(({ collection }) => collection));
    this.#resets += reset.size;
    let { after } = batch;
    for (const change of batch.changes) {
      if (change.position <= after) this.troubles.push(`position ${change.position} follows ${after}`);
      after = change.position;
      if (!reset.has(change.collection)) this.#applyChange(change);
    }
    if (after > batch.position) this.troubles.push(`the batch ends at ${batch.position}, before ${after}`);
    for (const table of schema.tables) {
      const path = `/${table.name}`;
      if (reset.has(path)) this.#collections.set(path, readTable(this.#connection, table));
    }
  }

  compare(schema: Schema): void {
    for (const table of schema.tables) {
      const expected = [...readTable(this.#connection, table)].sort();
      const actual = [...(this.#collections.get(`/${table.name}`) ?? [])].sort();
      if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
      this.troubles.push(`${table.name} is ${JSON.stringify(expected)}, but by its changes ${JSON.stringify(actual)}`);
    }
  }

  #applyChange(change: Change): void {
    const records = this.#collections.get(change.collection) ?? new Map<string, string>();
    const known = records.get(change.url);
    const said = `${change.position} ${change.kind} ${change.url}`;
    if ((change.kind === "create") === (known !== undefined)) this.troubles.push(`${said}: the kind is wrong`);
    if (change.kind !== "create" && known !== imageText(change.before)) {
      this.troubles.push(`${said}: the old image is ${imageText(change.before)}, not ${known}`);
    }
    if (change.kind === "delete") records.delete(change.url);
    else records.set(change.url, imageText(change.after));
  }
}
