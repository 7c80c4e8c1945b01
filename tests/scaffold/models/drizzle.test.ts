import { relations } from "drizzle-orm";
import { integer, pgSchema, pgTable, pgView, text } from "drizzle-orm/pg-core";
import { describe, expect, test } from "vitest";
import { namesOfDrizzle } from "../../../src/scaffold/models/drizzle.ts";
import { defineRelationsLike } from "./drizzle-relations.ts";

const users = pgTable("user_rows", { id: integer("id").primaryKey(), fullName: text("full_name"), createdAt: text() });
const orders = pgSchema("sales").table("orders", { id: integer("id"), userId: integer("user_id") });
const groups = pgTable("groups", { id: integer("id") });
const members = pgTable("members", { userId: integer("user_id"), groupId: integer("group_id") });

function namesOf(exported: Record<string, unknown>) {
  const { tables, relations: named } = namesOfDrizzle(Object.entries(exported), "schema.ts");
  return { tables: tables.map(({ columns, ...table }) => ({ ...table, columns: [...columns] })), relations: named };
}

describe("A Drizzle schema", () => {
  test("names tables, views and columns by what it exports", () => {
    const names = pgView("user_names").as((query) =>
      query.select({ id: users.id, label: users.fullName, since: users.createdAt }).from(users),
    );

    expect(namesOf({ users, orders, again: users, names, other: 1, more: { nothing: null } }).tables).toEqual([
      {
        ...{ title: "the table users", table: "user_rows", schema: undefined, name: "users" },
        columns: [
          ["id", "id"],
          ["full_name", "fullName"],
          ["createdAt", "createdAt"],
          // What the option `casing` makes of it.
          ["created_at", "createdAt"],
        ],
      },
      {
        ...{ title: "the table orders", table: "orders", schema: "sales", name: "orders" },
        columns: [
          ["id", "id"],
          ["user_id", "userId"],
        ],
      },
      {
        ...{ title: "the view names", table: "user_names", schema: undefined, name: "names" },
        columns: [
          ["id", "id"],
          ["full_name", "label"],
          ["createdAt", "since"],
          ["created_at", "since"],
        ],
      },
    ]);
  });

  test("names relations, of which one end has the columns", () => {
    const userRelations = relations(users, ({ many }) => ({ orders: many(orders), memberships: many(members) }));
    const orderRelations = relations(orders, ({ one }) => ({
      buyer: one(users, { fields: [orders.userId], references: [users.id] }),
    }));

    // Nothing tells by which columns somebody is a member, and the groups are not exported.
    expect(namesOf({ users, orders, members, userRelations, orderRelations }).relations).toEqual([
      {
        name: "orders",
        isOne: false,
        table: "users",
        columns: ["id"],
        references: { table: "orders", columns: ["userId"] },
      },
      {
        name: "buyer",
        isOne: true,
        table: "orders",
        columns: ["userId"],
        references: { table: "users", columns: ["id"] },
      },
    ]);
  });

  test("names relations as defineRelations() tells them, through a third table, too", () => {
    const defined = defineRelationsLike({ users, groups, members, orders });

    expect(namesOf({ users, groups, members, orders, defined }).relations).toEqual([
      {
        name: "orders",
        isOne: false,
        table: "users",
        columns: ["id"],
        references: { table: "orders", columns: ["userId"] },
      },
      {
        ...{
          name: "groups",
          isOne: false,
          table: "users",
          columns: ["id"],
          references: { table: "groups", columns: ["id"] },
        },
        join: { table: "members", from: ["userId"], to: ["groupId"] },
      },
    ]);
  });

  test("that exports no table is refused", () => {
    expect(() => namesOf({ relations })).toThrow("schema.ts exports no table of Drizzle's (pgTable, sqliteTable).");
  });
});
