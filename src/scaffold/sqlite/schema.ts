/** A value in SQLite's storage classes. Integers beyond 2^53 are bigints, all others numbers. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** How a column converts what is stored in it or compared with it (SQLite's column affinity). */
export type Affinity = "integer" | "real" | "numeric" | "text" | "blob";

/** A table of FTS5 that has a column of the same name, and indexes the texts of an ordinary table. */
export interface TextIndex {
  readonly table: string;
  /** The ordinary table's column, or name of its rowid, that the index's own rowids are. */
  readonly rowid: string;
}

/** A column of a table, generated ones included. */
export interface Column {
  readonly name: string;
  /** The type as declared, in upper case; may be empty. */
  readonly declaredType: string;
  readonly affinity: Affinity;
  readonly notNull: boolean;
  /** The DEFAULT expression's SQL; `null` where there is none. */
  readonly defaultSql: string | null;
  /** 1-based place in the declared primary key; 0 where it is no part of it. */
  readonly primaryKeyPart: number;
  readonly generated: boolean;
  /** Whether a CHECK says `json_valid` of it, or models say that its texts are JSON. */
  readonly holdsJson?: true;
  /** The values that a CHECK lists; absent where none does. */
  readonly listed?: readonly (string | number)[];
  /** Whether models say that its numbers are booleans. */
  readonly holdsBoolean?: true;
  /** By what its texts can be searched; absent where by nothing. */
  readonly textIndex?: TextIndex;
}

/** A foreign key of a table; column lists run in parallel. */
export interface ForeignKey {
  /** The constraint's name; absent where it has none. */
  readonly name?: string;
  readonly columns: readonly string[];
  readonly table: string;
  /** The referenced columns; the referenced table's primary key where none were declared. */
  readonly references: readonly string[];
}

/**
 * What tells a table's records apart: the primary key's columns, or the rowid where there is no key that is never
 * null. `alias` is a name of the rowid that no column hides; `key` are the columns of a primary key that may be null:
 * records that have it are addressed by it.
 */
export type Identity =
  | { readonly kind: "columns"; readonly columns: readonly string[] }
  | { readonly kind: "rowid"; readonly alias: string; readonly key?: readonly string[] };

/** The tables that a view is read from. */
export interface ViewSources {
  readonly tables: readonly string[];
  /** Whether it reads something else, too, whose changes can't be watched. */
  readonly isUnwatched: boolean;
}

/** What is done to rows, as triggers have it. */
export type RowEvent = "insert" | "update" | "delete";

/** The table that a view's rows are from, each from one of its rows. */
export interface ViewOfTable {
  readonly table: string;
  /** The view's names of the table's columns, by the table's; of those that it shows as they are. */
  readonly columns: ReadonlyMap<string, string>;
}

/** What makes a view of what could be a table. */
export interface ViewFacts {
  /** Absent where its rows are from no single table, or nobody can tell. */
  readonly of?: ViewOfTable;
  /** Its CREATE VIEW. */
  readonly sql: string;
  readonly sources: ViewSources;
  /** What INSTEAD OF triggers do to its rows. */
  readonly events: readonly RowEvent[];
}

/** An ordinary table, or a view. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly identity: Identity;
  readonly foreignKeys: readonly ForeignKey[];
  /** True where the single key column is an alias of the rowid (INTEGER PRIMARY KEY). */
  readonly integerKey: boolean;
  /** Sets of columns, without expressions, of which no two rows share all values. In a view, those of what it is of. */
  readonly unique?: readonly (readonly string[])[];
  /** Columns whose collation this program does not have; absent where it has all. */
  readonly uncollated?: readonly string[];
  /** Whether no column has a collation of its own: texts are compared byte for byte. Absent where that is not known. */
  readonly binary?: true;
  /** There where it is a view. Its {@link identity} has no columns where nothing tells its rows apart. */
  readonly view?: ViewFacts;
  /** Whether texts are stored as UTF-16, which SQLite compares byte for byte. */
  readonly utf16?: true;
}

/**
 * The columns that a record's URL is made of where its rowid is its identity and none of them is null; empty where all
 * records are at their rowid, or at their identity's columns.
 */
export function urlKey({ identity }: Table): readonly string[] {
  return identity.kind === "columns" ? [] : (identity.key ?? []);
}

/** A table or view that is no collection. */
export interface LeftOut {
  readonly name: string;
  /** Why: a `shadow` table is a virtual one's own; nothing tells a `keyless` table's rows apart; an `unreadable` one needs what this program does not have. */
  readonly kind: "virtual" | "shadow" | "keyless" | "unreadable";
  /** What SQLite says of an unreadable one. */
  readonly detail?: string;
}

/** The tables of a database at one `schema_version`. */
export interface Schema {
  readonly version: number;
  /** Without views. */
  readonly tables: readonly Table[];
  readonly views: readonly Table[];
  /** What else is there, and why it is none of these. SQLite's and Rocket's own tables are neither. */
  readonly leftOut: readonly LeftOut[];
}
