import { describe, expect, it } from "vitest";
import { affinityOf } from "../../../src/scaffold/sqlite/affinity.ts";
import { readSchema } from "../../../src/scaffold/sqlite/introspect.ts";
import type { Table } from "../../../src/scaffold/sqlite/schema.ts";
import { connect, newPath } from "./workspace.ts";

function tableOf(sql: string): Table | undefined {
  return readSchema(connect(newPath(), sql)).tables[0];
}

describe("the schema", () => {
  it("has ordinary tables only, in the order of their making", () => {
    const connection = connect(
      newPath(),
      `CREATE TABLE z (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE a (x); CREATE VIEW v AS SELECT 1;
       CREATE VIRTUAL TABLE f USING fts5(x); CREATE TABLE _rocket_other (x); CREATE TABLE sqlitex (x); CREATE TEMP TABLE t (x); ANALYZE`,
    );
    expect(readSchema(connection).tables.map(({ name }) => name)).toEqual(["z", "a", "sqlitex"]);
  });

  it("has the version that it was read at, also after another connection changed it", () => {
    const path = newPath();
    const connection = connect(path, "CREATE TABLE a (x)");
    const before = readSchema(connection);
    connect(path, "ALTER TABLE a ADD COLUMN y");
    const after = readSchema(connection);
    expect(after.version).toBeGreaterThan(before.version);
    expect(after.tables[0]?.columns.map(({ name }) => name)).toEqual(["x", "y"]);
  });

  it("can be read inside a transaction", () => {
    const connection = connect(newPath(), "CREATE TABLE a (x); BEGIN; CREATE TABLE b (x)");
    expect(readSchema(connection).tables).toHaveLength(2);
    connection.exec("ROLLBACK");
  });

  it("tells all about columns", () => {
    const table = tableOf(
      "CREATE TABLE t (a varchar(9) NOT NULL DEFAULT 'x', b AS (a) STORED, c AS (a), d INTEGER PRIMARY KEY)",
    );
    expect(table?.columns).toEqual([
      {
        name: "a",
        declaredType: "VARCHAR(9)",
        affinity: "text",
        notNull: true,
        defaultSql: "'x'",
        primaryKeyPart: 0,
        generated: false,
      },
      {
        name: "b",
        declaredType: "",
        affinity: "blob",
        notNull: false,
        defaultSql: null,
        primaryKeyPart: 0,
        generated: true,
      },
      {
        name: "c",
        declaredType: "",
        affinity: "blob",
        notNull: false,
        defaultSql: null,
        primaryKeyPart: 0,
        generated: true,
      },
      {
        name: "d",
        declaredType: "INTEGER",
        affinity: "integer",
        notNull: false,
        defaultSql: null,
        primaryKeyPart: 1,
        generated: false,
      },
    ]);
  });

  it("follows foreign keys to the columns that they mean", () => {
    const { tables } = readSchema(
      connect(
        newPath(),
        `CREATE TABLE p (b, a, PRIMARY KEY (a, b)); CREATE TABLE c (x, y, z REFERENCES P (b), FOREIGN KEY (x, y) REFERENCES p)`,
      ),
    );
    expect(tables[1]?.foreignKeys).toEqual([
      { columns: ["z"], table: "p", references: ["b"] },
      { columns: ["x", "y"], table: "p", references: ["a", "b"] },
    ]);
  });
});

describe("what tells records apart", () => {
  it.each([
    ["CREATE TABLE t (id INTEGER PRIMARY KEY)", { kind: "columns", columns: ["id"] }, true],
    ["CREATE TABLE t (id INTEGER PRIMARY KEY DESC)", { kind: "rowid", alias: "rowid" }, false],
    ["CREATE TABLE t (id INT PRIMARY KEY)", { kind: "rowid", alias: "rowid" }, false],
    ["CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL)", { kind: "columns", columns: ["id"] }, false],
    ["CREATE TABLE t (id TEXT PRIMARY KEY) STRICT", { kind: "columns", columns: ["id"] }, false],
    ["CREATE TABLE t (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", { kind: "columns", columns: ["b", "a"] }, false],
    ["CREATE TABLE t (rowid, OID)", { kind: "rowid", alias: "_rowid_" }, false],
    ["CREATE TABLE t (rowid, _rowid_, oid PRIMARY KEY)", { kind: "columns", columns: ["oid"] }, false],
    ["CREATE TABLE t (rowid PRIMARY KEY, _rowid_, oid NOT NULL UNIQUE)", { kind: "columns", columns: ["oid"] }, false],
  ])("is found for %s", (sql, identity, integerKey) => {
    expect(tableOf(sql)).toMatchObject({ identity, integerKey });
  });

  it("is missing where each name of the rowid is a column's, and the table is left out", () => {
    expect(tableOf("CREATE TABLE t (rowid, _rowid_, oid)")).toBeUndefined();
  });
});

describe("a column's affinity", () => {
  it.each([
    ["BIGINT", "integer"],
    ["CHARINT", "integer"],
    ["nvarchar(5)", "text"],
    ["", "blob"],
    ["BLOB", "blob"],
    ["DOUBLE PRECISION", "real"],
    ["DECIMAL(9,2)", "numeric"],
    ["ANY", "numeric"],
  ] as const)("of %j is %s", (type, affinity) => {
    expect(affinityOf(type, false)).toBe(affinity);
  });

  it("of ANY is none in a STRICT table", () => {
    expect(affinityOf("ANY", true)).toBe("blob");
  });
});

describe("Foreign keys", () => {
  it("have their constraints' names, and what they name as the table has it", () => {
    const connection = connect(
      newPath(),
      `CREATE TABLE a (Id INTEGER PRIMARY KEY, "x y" TEXT, UNIQUE (Id, "x y"));
       CREATE TABLE b (one INTEGER CONSTRAINT "first one" REFERENCES A (id), two INTEGER CONSTRAINT filled NOT NULL REFERENCES a,
         three TEXT CHECK (three <> 'references'), "references" TEXT, CONSTRAINT pair /* , */ FOREIGN KEY (two, three) REFERENCES a (ID, "X Y"),
         FOREIGN KEY (one) REFERENCES a (Id) ON DELETE CASCADE);
       ALTER TABLE b ADD COLUMN four INTEGER CONSTRAINT later REFERENCES a`,
    );

    const keys = readSchema(connection).tables[1]?.foreignKeys;

    expect(keys).toEqual([
      { name: "first one", columns: ["one"], table: "a", references: ["Id"] },
      { columns: ["two"], table: "a", references: ["Id"] },
      { name: "later", columns: ["four"], table: "a", references: ["Id"] },
      { name: "pair", columns: ["two", "three"], table: "a", references: ["Id", "x y"] },
      { columns: ["one"], table: "a", references: ["Id"] },
    ]);
  });
});
