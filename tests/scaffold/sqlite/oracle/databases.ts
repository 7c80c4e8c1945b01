/** A table that random statements write to: each column with SQL texts to choose its values from. */
export interface RandomTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/** A database that random statements are run on. */
export interface RandomDatabase {
  readonly title: string;
  readonly sql: string;
  readonly tables: readonly RandomTable[];
  /** Whether UPDATE OR REPLACE is left out: its cascade could delete the row being updated, which SQLite gets wrong. */
  readonly withoutUpdateOrReplace?: boolean;
}

const small = ["1", "2", "3", "4", "5", "6", "NULL"];
const texts = ["'a'", "'A'", "'b'", "'B'", "'é'", "''", "'7'", "CAST(x'610062' AS TEXT)", "NULL"];
const anything = [
  ...["NULL", "0", "1", "-1", "1.0", "0.1", "1e300", "-0.0", "9e999", "3.141592653589793", "2.2250738585072014e-308"],
  ...["9007199254740993", "-9223372036854775808", "9223372036854775807", "'1'", "'text'", "''"],
  ...["x''", "x'00'", "x'61006200ff'", "CAST(x'00' AS TEXT)", "'it''s'"],
];

/** Each of them once found something. */
export const databases: readonly RandomDatabase[] = [
  {
    title: "an integer key and values of all types",
    sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b REAL, c TEXT, d INTEGER, e BLOB, f NUMERIC)",
    tables: [
      {
        name: "t",
        columns: { id: small, a: anything, b: anything, c: anything, d: anything, e: anything, f: anything },
      },
    ],
  },
  {
    title: "a composite key without rowids",
    sql: "CREATE TABLE t (a TEXT COLLATE NOCASE, b REAL, c, PRIMARY KEY (b DESC, a)) WITHOUT ROWID",
    tables: [{ name: "t", columns: { a: texts, b: ["1", "1.5", "2", "'x'"], c: anything } }],
  },
  {
    title: "no key",
    sql: 'CREATE TABLE "no key" (a, "the ""b""" UNIQUE, rowid)',
    tables: [
      { name: "no key", columns: { a: small, 'the "b"': small, rowid: anything, _rowid_: ["1", "2", "3", "4"] } },
    ],
  },
  {
    title: "a text key without case",
    sql: "CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY COLLATE NOCASE, v)",
    tables: [{ name: "t", columns: { k: texts, v: anything } }],
  },
  {
    title: "a text key that may be null",
    sql: "CREATE TABLE t (k TEXT PRIMARY KEY, v UNIQUE)",
    tables: [{ name: "t", columns: { k: texts, v: small, rowid: ["1", "2", "3", "4"] } }],
  },
  {
    title: "a key of two parts that may be null, without case",
    sql: "CREATE TABLE t (a TEXT COLLATE NOCASE, v UNIQUE, b INT, PRIMARY KEY (b DESC, a))",
    tables: [{ name: "t", columns: { a: texts, v: small, b: ["1", "2", "NULL"], rowid: ["1", "2", "3", "4"] } }],
  },
  {
    title: "a key that may be null, beside a column named url",
    sql: "CREATE TABLE t (k TEXT PRIMARY KEY, url, v UNIQUE)",
    tables: [{ name: "t", columns: { k: texts, url: anything, v: small, rowid: ["1", "2", "3", "4"] } }],
  },
  {
    title: "a tree by keys that may be null, with triggers of the app",
    sql: `CREATE TABLE t (k TEXT PRIMARY KEY, parent REFERENCES t ON DELETE CASCADE, a UNIQUE, n DEFAULT 0);
      CREATE TRIGGER t1 BEFORE INSERT ON t WHEN new.a = 3 BEGIN DELETE FROM t WHERE a = 4; UPDATE t SET a = 3 WHERE a = 2; END;
      CREATE TRIGGER t2 AFTER INSERT ON t BEGIN UPDATE t SET n = n + 1 WHERE k = new.k; END`,
    tables: [{ name: "t", columns: { k: texts, parent: texts, a: small, rowid: ["1", "2", "3", "4"] } }],
    withoutUpdateOrReplace: true,
  },
  {
    title: "several unique indexes",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b TEXT COLLATE NOCASE, c, d, UNIQUE (b, c));
      CREATE UNIQUE INDEX ti ON t (d COLLATE RTRIM DESC, a)`,
    tables: [{ name: "t", columns: { id: small, a: small, b: texts, c: ["1", "2"], d: ["'x'", "'x '", "'y'"] } }],
  },
  {
    title: "a partial unique index",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, a, state TEXT);
      CREATE UNIQUE INDEX ti ON t (a) WHERE state = 'live' AND a IS NOT NULL`,
    tables: [{ name: "t", columns: { id: small, a: small, state: ["'live'", "'dead'", "NULL"] } }],
  },
  {
    title: "unique indexes over expressions",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b);
      CREATE UNIQUE INDEX ti ON t (lower(a) COLLATE RTRIM, (b + 0) % 2 DESC); CREATE UNIQUE INDEX tj ON t (abs(b)) WHERE b < 3`,
    tables: [{ name: "t", columns: { id: small, a: [...texts, "'a '"], b: [...small, "-1", "-2"] } }],
  },
  {
    title: "generated columns",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, c AS (b || '-' || a) UNIQUE, a TEXT, b INTEGER AS (length(a) % 3) STORED,
      d INT GENERATED ALWAYS AS (id * 2 % 5) VIRTUAL UNIQUE)`,
    tables: [{ name: "t", columns: { id: small, a: [...texts, "'abc'", "'abcd'"] } }],
  },
  {
    title: "a STRICT table",
    sql: "CREATE TABLE t (k TEXT PRIMARY KEY, i INT, r REAL UNIQUE, b BLOB, x ANY) STRICT",
    tables: [
      {
        name: "t",
        columns: { k: texts, i: small, r: ["1", "2.5", "3", "NULL"], b: ["x'00'", "x'ff00'", "NULL"], x: anything },
      },
    ],
  },
  {
    title: "a tree that deletes its branches",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES t ON DELETE CASCADE, a UNIQUE)`,
    tables: [{ name: "t", columns: { id: small, parent: small, a: small } }],
    withoutUpdateOrReplace: true,
  },
  {
    title: "a tree that cuts its branches off and follows its roots",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES t ON DELETE SET NULL ON UPDATE CASCADE, a UNIQUE)`,
    tables: [{ name: "t", columns: { id: small, parent: small, a: small } }],
    withoutUpdateOrReplace: true,
  },
  {
    title: "two tables with a cascade between them",
    sql: `CREATE TABLE p (id INTEGER PRIMARY KEY, a UNIQUE);
      CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE, u REFERENCES p (a) ON DELETE SET NULL ON UPDATE SET NULL, v, UNIQUE (p, v))`,
    tables: [
      { name: "p", columns: { id: small, a: small } },
      { name: "c", columns: { id: small, p: small, u: small, v: ["1", "2"] } },
    ],
  },
  {
    title: "triggers of the app",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, n DEFAULT 0); CREATE TABLE log (id INTEGER PRIMARY KEY, what, a UNIQUE);
      CREATE TRIGGER b1 BEFORE INSERT ON t WHEN new.a = 3 BEGIN DELETE FROM t WHERE a = 4; UPDATE t SET a = 3 WHERE a = 2; END;
      CREATE TRIGGER b2 BEFORE UPDATE ON t WHEN new.a = 1 BEGIN INSERT INTO log (what, a) VALUES ('soon', old.id); END;
      CREATE TRIGGER a1 AFTER INSERT ON t BEGIN UPDATE t SET n = n + 1 WHERE id = new.id; END;
      CREATE TRIGGER a2 AFTER DELETE ON t BEGIN INSERT INTO log (what, a) VALUES ('gone', old.a); END;
      CREATE TRIGGER a3 AFTER UPDATE OF a ON t WHEN new.a = 5 BEGIN DELETE FROM log WHERE a = 5; END`,
    tables: [
      { name: "t", columns: { id: small, a: small, n: ["0", "1"] } },
      { name: "log", columns: { id: small, what: texts, a: small } },
    ],
  },
  {
    title: "defaults for what must not be null",
    sql: `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'a' UNIQUE ON CONFLICT REPLACE, b INT NOT NULL DEFAULT (1 + 1) UNIQUE, c CHECK (c < 6))`,
    tables: [{ name: "t", columns: { id: small, a: texts, b: small, c: small } }],
  },
  {
    title: "names that are hard to write",
    sql: `CREATE TABLE "new" ("select" INTEGER PRIMARY KEY, [a b] UNIQUE, "quote""d" TEXT); CREATE TABLE old (id TEXT PRIMARY KEY NOT NULL, arm, done UNIQUE)`,
    tables: [
      { name: "new", columns: { select: small, "a b": small, 'quote"d': texts } },
      { name: "old", columns: { id: texts, arm: small, done: small } },
    ],
  },
];
