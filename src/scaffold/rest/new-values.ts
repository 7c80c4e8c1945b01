import type { Value } from "../../server/index.ts";
import type { Member } from "../engine/table.ts";
import { type Addressed, decodeMembers, pickMembers, unwrap } from "./body.ts";
import { FieldErrors } from "./refusal.ts";
import { valuesOf } from "./related.ts";
import type { Resource } from "./resource.ts";
import type { WriteRequest } from "./write-request.ts";

/**
 * What a record of a POST is made of.
 *
 * @param addressed - the record that is there already, which gets these values
 * @throws Refusal 422 for what can't be stored, or where the body says something else than the URL
 */
export function newValues(
  resource: Resource,
  json: object,
  { within, columns }: Pick<WriteRequest, "within" | "columns">,
  addressed?: Addressed,
): Map<Member, Value> {
  const members = pickMembers(unwrap(resource, json), columns);
  // A copy's own URL is nothing here.
  const own = addressed ? members.filter(([name]) => name !== resource.urlMember) : members;
  const values = decodeMembers(resource, own, addressed);
  const errors = new FieldErrors();
  for (const [member, value] of within ? valuesOf(within) : []) {
    const given = values.get(member);
    if (given !== undefined && !member.type.isSame(given, value)) {
      errors.add(member.name, "The URL gives another value.");
    }
    values.set(member, value);
  }
  errors.refuse();
  return values;
}
