import type { Value } from "../../server/index.ts";
import type { Row } from "../engine/snapshot.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import { decodeMembers, unwrap } from "./body.ts";
import type { Resource } from "./resource.ts";
import type { WriteRequest } from "./write-request.ts";

/** A record that a patch is for. */
export interface Patched {
  readonly key: RecordKey;
  readonly row: Row;
}

/** The values that a PATCH gives a record: those of the members that the body has (RFC 7396). @throws Refusal */
export function decodePatch(resource: Resource, { json }: WriteRequest, patched: Patched): Map<Member, Value> {
  return decodeMembers(resource, unwrap(resource, json), { ...patched, isPatch: true });
}
