import { describe, expect, test } from "vitest";
import { namesOfPrisma } from "../../../src/scaffold/models/prisma.ts";
import { parsePrisma } from "../../../src/scaffold/models/prisma-text.ts";

function namesOf(schema: string) {
  const { tables, relations } = namesOfPrisma(parsePrisma(schema, '"schema.prisma"'));
  return { tables: tables.map(({ columns, ...table }) => ({ ...table, columns: [...columns] })), relations };
}

describe("A Prisma schema", () => {
  test("names tables, columns and schemas, and hides what it ignores", () => {
    const { tables } = namesOf(`
      /* Several
         lines. */
      generator client { provider = "prisma-client-js" }
      datasource db {
        provider = "postgresql"
        url      = env("DATABASE_URL") // not read
        schemas  = ["public", "sales"]
      }
      enum Mood { CALM @map("calm")
        WILD
        @@map("moods") }
      model Order {
        id     String   @id @default(dbgenerated("gen_random_uuid()")) @db.Uuid
        no     BigInt   @default(-1) @map("order_no")
        lines  String[] @default([])
        mood   Mood?
        place  Unsupported("circle")? @map("where")
        secret String   @ignore
        at     DateTime @default(now()) @updatedAt @db.Timestamptz(6)

        @@unique([no, at(sort: Desc)], map: "order_no_at")
        @@index([lines(ops: ArrayOps)], type: Gin)
        @@map("orders")
        @@schema("sales")
      }
      view Total { sum Decimal @unique
      @@map("order_totals") }
      model Old { id Int @id

        @@ignore }`);

    expect(tables).toEqual([
      {
        ...{ title: "the model Order", table: "orders", schema: "sales", name: "Order" },
        columns: [
          ["id", "id"],
          ["order_no", "no"],
          ["lines", "lines"],
          ["mood", "mood"],
          ["where", "place"],
          ["secret", undefined],
          ["at", "at"],
        ],
      },
      { title: "the view Total", table: "order_totals", schema: undefined, name: "Total", columns: [["sum", "sum"]] },
      { title: "the model Old", table: "Old", schema: undefined, name: undefined, columns: [["id", "id"]] },
    ]);
  });

  test("names relations at both of their ends", () => {
    const { relations } = namesOf(`
      model User {
        id      Int      @id
        profile Profile?
        posts   Post[]   @relation("Written")
        edited  Post[]   @relation(name: "Edited")
      }
      model Profile {
        userId Int  @unique
        user   User @relation(fields: [userId], references: [id])
      }
      model Post {
        id       Int   @id
        authorId Int
        author   User  @relation("Written", fields: [authorId], references: [id])
        editorId Int?
        editor   User? @relation("Edited", fields: [editorId], references: [id])
      }`);

    expect(relations).toEqual([
      ...[
        {
          name: "user",
          table: "Profile",
          columns: ["userId"],
          references: { table: "User", columns: ["id"] },
          isOne: true,
        },
        {
          name: "profile",
          table: "User",
          columns: ["id"],
          references: { table: "Profile", columns: ["userId"] },
          isOne: true,
        },
        {
          name: "author",
          table: "Post",
          columns: ["authorId"],
          references: { table: "User", columns: ["id"] },
          isOne: true,
        },
        {
          name: "posts",
          table: "User",
          columns: ["id"],
          references: { table: "Post", columns: ["authorId"] },
          isOne: false,
        },
        {
          name: "editor",
          table: "Post",
          columns: ["editorId"],
          references: { table: "User", columns: ["id"] },
          isOne: true,
        },
        {
          name: "edited",
          table: "User",
          columns: ["id"],
          references: { table: "Post", columns: ["editorId"] },
          isOne: false,
        },
      ],
    ]);
  });

  test("names what leads through tables that no model is, and in a model to itself", () => {
    const { tables, relations } = namesOf(`
      model Post { id Int @id
        tags Tag[] }
      model Tag { name String @id
        posts Post[] }
      model Animal {
        id       Int      @id
        a_eats   Animal[] @relation("FoodChain")
        b_eatenBy Animal[] @relation("FoodChain")
        parentId Int?
        parent   Animal?  @relation("Family", fields: [parentId], references: [id])
        children Animal[] @relation("Family")
      }`);

    expect(tables.map(({ table, name }) => [table, name])).toEqual([
      ["Post", "Post"],
      ["Tag", "Tag"],
      ["Animal", "Animal"],
      ["_PostToTag", "_PostToTag"],
      ["_FoodChain", "_FoodChain"],
    ]);
    expect(
      relations.map(({ name, table, columns, references, join }) => [name, table, columns, references, join]),
    ).toEqual([
      ["tags", "Post", ["id"], { table: "Tag", columns: ["name"] }, { table: "_PostToTag", from: ["A"], to: ["B"] }],
      ["posts", "Tag", ["name"], { table: "Post", columns: ["id"] }, { table: "_PostToTag", from: ["B"], to: ["A"] }],
      // Of one model, the first field leads to those that stand in A.
      [
        "a_eats",
        "Animal",
        ["id"],
        { table: "Animal", columns: ["id"] },
        { table: "_FoodChain", from: ["B"], to: ["A"] },
      ],
      [
        "b_eatenBy",
        "Animal",
        ["id"],
        { table: "Animal", columns: ["id"] },
        { table: "_FoodChain", from: ["A"], to: ["B"] },
      ],
      ["parent", "Animal", ["parentId"], { table: "Animal", columns: ["id"] }, undefined],
      ["children", "Animal", ["id"], { table: "Animal", columns: ["parentId"] }, undefined],
    ]);
  });

  test.each([
    ["model A {\n  id Int @id\n", '"schema.prisma", line 3: A name was expected, and the end is there.'],
    [
      "model A {\n  id Int @id name\n}",
      '"schema.prisma", line 2: The end of the line was expected, and "name" is there.',
    ],
    ['model A {\n  id Int @map("a" "b")\n}', '"schema.prisma", line 2: "," or ")" was expected, and "b" is there.'],
    ["model A {\n  id Int % \n}", '"schema.prisma", line 2: "%" stands nowhere in a Prisma schema.'],
    [
      "model A {\n  bs B[]\n}\nmodel B {\n  as A[]\n}",
      "The model A has no field with @id, which a list of many on both sides needs.",
    ],
  ])("that can't be read says where: %j", (schema, message) => {
    expect(() => namesOf(schema)).toThrow(expect.objectContaining({ code: "model-invalid", message }));
  });
});

describe("What a Prisma schema says twice", () => {
  test.each([
    [
      'model A { id Int @id\n secret String @ignore\n @@map("a") }\nmodel B { id Int @id\n secret String\n @@map("a") }',
      'The models A and B are both the table "a": have one of them.',
    ],
    ["model A { id Int @id\n }\nmodel A { id Int @id\n no Int\n }", "There are two models A: have one of them."],
    [
      'model A { id Int @id\n shown String @map("secret")\n secret String @ignore\n }',
      'The fields shown and secret of the model A are both the column "secret": have one of them.',
    ],
  ])("is refused, as one might show what the other hides: %s", (schema, message) => {
    expect(() => namesOf(schema)).toThrow(message);
  });

  test("is fine in schemas of their own", () => {
    const { tables } = namesOf(
      'model A { id Int @id\n @@map("a")\n @@schema("x") }\nmodel B { id Int @id\n @@map("a")\n @@schema("y") }',
    );
    expect(tables.map(({ name }) => name)).toEqual(["A", "B"]);
  });
});
