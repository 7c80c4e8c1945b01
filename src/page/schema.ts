import type { Client } from "../client/index.ts";
import { readable } from "./readable.ts";
import { messageOf, problemIn } from "./refusal.ts";
import { selectedNames } from "./selected-names.ts";

/** What kind of JSON a column's values are. */
export type Kind = "boolean" | "number" | "text" | "bytes" | "json";

/** Where a column's values are found as the key of another collection. */
export interface Reference {
  readonly url: string;
  readonly column: string;
}

/** A column of a collection. */
export interface Column {
  readonly name: string;
  /** What the database calls its type; empty where it has no name. */
  readonly type: string;
  readonly kind: Kind;
  readonly nullable: boolean;
  /** Computed: shown, and never written. */
  readonly generated: boolean;
  /** Whether a new record has a value of it that nobody gave. */
  readonly hasDefault?: boolean;
  /** All values that it takes beside NULL, where the database has a list of them. */
  readonly values?: readonly (string | number)[];
  /** What the viewer may do with its values. */
  readonly may: readonly ("read" | "create" | "update")[];
  readonly references?: Reference;
}

/** Rows of another collection that refer to a row of this one. */
export interface Referrer {
  readonly name: string;
  readonly url: string;
  /** The columns there, and those here whose values they have. */
  readonly columns: Readonly<Record<string, string>>;
}

/** A collection, as its viewer may see it. */
export interface CollectionInfo {
  readonly name: string;
  readonly url: string;
  /** What one record is called: `artist`. */
  readonly record: string;
  readonly key: readonly string[];
  readonly columns: readonly Column[];
  /** Those that the viewer may give, and not read. */
  readonly unread: readonly Column[];
  readonly methods: { readonly collection: readonly string[]; readonly record: readonly string[] };
  readonly referrers?: readonly Referrer[];
}

/** All that the viewer may see. */
export interface Schema {
  /** Whether who signs in may see and do more. */
  readonly anonymous: boolean;
  readonly collections: readonly CollectionInfo[];
}

/** Why there is no schema: nobody tells one here, or it is told to those who sign in; and what the server says of that. */
export type NoSchema = "none" | { readonly refusal: string };

/** Asks the server what there is. @throws Error where it can't be reached */
export async function readSchema(client: Client, base: string): Promise<Schema | NoSchema> {
  const response = await client.fetch(`${base}/.well-known/rocket/schema`, { headers: { Accept: "application/json" } });
  if (response.status === 401) return { refusal: messageOf(await problemIn(response)) };
  if (!response.ok || !/json/.test(response.headers.get("content-type") ?? "")) return "none";
  const schema = (await response.json()) as Partial<Schema>;
  return Array.isArray(schema.collections) ? (schema as Schema) : "none";
}

/** The collection whose rows a path has: also of a list below a record, as `/artists/3/albums`. */
export function collectionAt({ collections }: Schema, path: string): CollectionInfo | undefined {
  const known = collections.find(({ url }) => url === path);
  if (known) return known;
  const parent = collections.find(({ url }) => path.startsWith(`${url}/`));
  const [, last] = parent ? (/^[^/]+\/([^/]+)$/.exec(path.slice(parent.url.length + 1)) ?? []) : [];
  return last === undefined ? undefined : collections.find(({ url }) => url.endsWith(`/${last}`));
}

function kindOf(value: unknown): Kind {
  if (typeof value === "boolean" || typeof value === "number") return typeof value as "boolean" | "number";
  return typeof value === "object" && value !== null ? "json" : "text";
}

/** A column of which nothing is known. */
const anyColumn: Column = {
  name: "",
  type: "",
  kind: "text",
  nullable: true,
  generated: false,
  may: ["read", "create", "update"],
};

/** Whether a new record has to be given a value of it. */
export function isRequired({ nullable, generated, hasDefault }: Column): boolean {
  return !nullable && !generated && hasDefault === false;
}

/** What rows tell of their collection, where nobody else does. */
export function guessCollection(path: string, rows: readonly Readonly<Record<string, unknown>>[]): CollectionInfo {
  const columns = new Map<string, Column>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      const known = columns.get(name);
      if (known && (value === null || known.kind !== "text")) continue;
      columns.set(name, { ...anyColumn, name, kind: kindOf(value) });
    }
  }
  const all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  const name = readable(path.slice(path.lastIndexOf("/") + 1));
  const methods = { collection: all, record: all };
  return { name, url: path, record: name, key: [], columns: [...columns.values()], unread: [], methods };
}

/**
 * What a `select` shows of a collection: what its rows have, to be read only, as a name may stand for anything.
 *
 * @param select - tells the columns where there are no rows
 */
export function selectedCollection(
  known: CollectionInfo | undefined,
  path: string,
  rows: readonly Readonly<Record<string, unknown>>[],
  select: string,
): CollectionInfo {
  const guessed = guessCollection(path, rows);
  const all = known?.columns ?? [];
  const names = selectedNames(
    select,
    all.map(({ name }) => name),
  );
  const shown =
    rows.length > 0
      ? guessed.columns
      : names.map((name) => all.find((one) => one.name === name) ?? { ...anyColumn, name });
  const columns = shown.map((column): Column => ({ ...column, may: ["read"] }));
  const reads = ["GET", "HEAD"];
  return { ...guessed, name: known?.name ?? guessed.name, columns, methods: { collection: reads, record: reads } };
}
