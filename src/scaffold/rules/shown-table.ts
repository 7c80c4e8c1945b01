import { keyMembers, type Member, type ServedTable } from "../engine/table.ts";
import type { ResolvedTableRules } from "./rules.ts";

/** A table as those are shown it who may read some of its columns. The key is always read: it is in URLs. */
export function shownTable(table: ServedTable, { readable, writable }: ResolvedTableRules): ServedTable {
  if (!readable) return table;
  const { key, named } = table;
  const always = new Set([...keyMembers(table), ...(named ?? []).map((at) => table.members[at])]);
  const isShown = (member: Member): boolean => readable.has(member.name) || always.has(member);
  const members = table.members.filter(isShown);
  const unread = table.members.filter((member) => !isShown(member) && writable?.has(member.name));
  const placeOf = (at: number): number => members.indexOf(table.members[at] as Member);
  if (members.length === table.members.length) return table;
  return { ...table, members, unread, key: key.map(placeOf), named: named?.map(placeOf) };
}

/** A table as those see it who may add records to it, and read none. */
export function unseenTable(table: ServedTable): ServedTable {
  return { ...table, key: [], named: undefined };
}
