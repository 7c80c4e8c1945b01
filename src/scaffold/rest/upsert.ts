import type { Field } from "../../protocol/index.ts";
import type { Placed, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { hasKey, type Member } from "../engine/table.ts";
import { changeRow, ignored } from "./change.ts";
import { parseNames } from "./names-text.ts";
import { newValues } from "./new-values.ts";
import { preferredResolution, type Resolution } from "./preferences.ts";
import { findColumn } from "./record-filter.ts";
import { Refusal, shorten } from "./refusal.ts";
import { addressMembers, addressOf, type Resource } from "./resource.ts";
import type { Target } from "./target.ts";
import type { WriteRequest } from "./write-request.ts";

/** How a POST goes on where a record is there already. */
export interface Upsert {
  readonly resolution: Resolution;
  /** The members by which a record is known to be there. */
  readonly unique: readonly Member[];
}

/** The parameter that says by what a record is known to be there. */
export const conflictName = "on_conflict";

/** The columns that `on_conflict` names; `undefined` where there is none. */
function conflictColumns({ parameters }: Target): string[] | undefined {
  const [found, ...more] = parameters.filter(([name]) => name === conflictName);
  if (more.length > 0) throw new Refusal(400, `The parameter "${conflictName}" is given more than once.`);
  return found && parseNames(conflictName, found[1]);
}

/**
 * What a POST asks for where a record is there already; `undefined` where that one is in the way.
 *
 * @throws Refusal 400 for a parameter that can't be
 */
export function parseUpsert(resource: Resource, target: Target, fields: readonly Field[]): Upsert | undefined {
  const resolution = preferredResolution(fields);
  const columns = conflictColumns(target);
  if (!resolution) {
    if (!columns) return undefined;
    const wishes = "Prefer: resolution=merge-duplicates or resolution=ignore-duplicates";
    throw new Refusal(400, `on_conflict means something with ${wishes} only.`);
  }
  if (!hasKey(resource.table))
    throw new Refusal(400, "Nothing tells these records apart, so none can be there already.");
  const unique = columns ? columns.map((name) => findColumn(resource, name)) : addressMembers(resource.table);
  const generated = unique.find((member) => member.generated);
  if (!generated) return { resolution, unique };
  const name = shorten(generated.name);
  throw new Refusal(400, `The database alone gives "${name}", so on_conflict must name other columns than that.`);
}

/** How often a record is looked for that others make and take away meanwhile. */
const maxTries = 3;

/** Makes a record, or does with the one that is there what is asked for. @throws Refusal; BrokenRule */
export function* upsert(
  transaction: Transaction,
  resource: Resource,
  { json, write }: { readonly json: object; readonly write: WriteRequest },
  { resolution, unique }: Upsert,
): Steps<Placed> {
  const values = newValues(resource, json, write);
  for (let tries = 0; tries < maxTries; tries += 1) {
    const placed = yield* transaction.insertUnless(resource.table, values, unique);
    if (!placed) break;
    if (placed.isNew || resolution === "ignore-duplicates") return placed;
    const row = yield* transaction.findToUpdate(resource.table, placed.key);
    if (!row) continue;
    const changes = newValues(resource, json, write, { key: addressOf(resource, row), row });
    yield* changeRow(transaction, resource, { key: placed.key, row, values: changes });
    return placed;
  }
  throw ignored();
}
