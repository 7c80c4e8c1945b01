import type { AnyPgColumn, PgTable } from "drizzle-orm/pg-core";

type Columns = Readonly<Record<string, AnyPgColumn>>;

interface Tables {
  readonly users: PgTable & { readonly id: AnyPgColumn };
  readonly groups: PgTable & { readonly id: AnyPgColumn };
  readonly members: PgTable & { readonly userId: AnyPgColumn; readonly groupId: AnyPgColumn };
  readonly orders: PgTable & { readonly userId: AnyPgColumn };
}

function many(target: PgTable, source: AnyPgColumn, to: AnyPgColumn): object {
  return { relationType: "many", targetTable: target, sourceColumns: [source], targetColumns: [to] };
}

/** What `defineRelations` of Drizzle 1.0 gives: written down from 1.0.0-rc.5. */
export function defineRelationsLike({ users, groups, members, orders }: Tables): object {
  const wrapped = (column: Columns[string]): object => ({ _: { column } });
  return {
    users: {
      table: users,
      name: "users",
      relations: {
        orders: many(orders, users.id, orders.userId),
        groups: {
          ...many(groups, users.id, groups.id),
          throughTable: members,
          through: { source: [wrapped(members.userId)], target: [wrapped(members.groupId)] },
        },
      },
    },
    groups: { table: groups, name: "groups", relations: {} },
  };
}
