import { changeBytes } from "../change-size.ts";
import type { Batch, Change, Image, Representation } from "../ports/journal.ts";
import type { Ahead } from "../ports/origin.ts";

/** A record that was deleted and created again within one batch: to those who follow it, it changed. */
export class Renewal implements Change {
  readonly kind = "update";
  readonly position: number;
  readonly collection: string;
  readonly url: string;
  readonly bytes: number;
  readonly deleted: Change;
  readonly created: Change;

  constructor(deleted: Change, created: Change) {
    this.position = created.position;
    this.collection = created.collection;
    this.url = created.url;
    this.bytes = changeBytes(deleted) + changeBytes(created);
    this.deleted = deleted;
    this.created = created;
  }

  get before(): Image | undefined {
    return this.deleted.before;
  }

  get after(): Image | undefined {
    return this.created.after;
  }

  represent(): Representation {
    return this.created.represent();
  }
}

/** The batch with a change in place of each delete and create of the same record, where the create was [R-SUB-5]. */
export function netBatch(batch: Batch): Batch {
  const deletes = new Map<string, number>();
  const changes: (Change | undefined)[] = [...batch.changes];
  let isNet = true;
  batch.changes.forEach((change, at) => {
    if (change.kind === "delete") deletes.set(change.url, at);
    if (change.kind !== "create" || deletes.size === 0) return;
    const deletedAt = deletes.get(change.url);
    const deleted = deletedAt === undefined ? undefined : batch.changes[deletedAt];
    if (deletedAt === undefined || !deleted) return;
    deletes.delete(change.url);
    changes[deletedAt] = undefined;
    changes[at] = new Renewal(deleted, change);
    isNet = false;
  });
  return isNet ? batch : { ...batch, changes: changes.filter((change) => change !== undefined) };
}

/** What is left of a change for one whose answer showed some of what comes; `undefined`: nothing. */
export function changeBeyond(change: Change, ahead: Ahead | undefined): Change | undefined {
  if (!ahead) return change;
  if (!(change instanceof Renewal)) return ahead.shows(change) ? undefined : change;
  if (ahead.shows(change.created)) return undefined;
  return ahead.shows(change.deleted) ? change.created : change;
}

/** What a change is to one who was told of all that came up to `position`: of a delete, too, whose create comes after. */
export function changeSince(change: Change, position: number): Change {
  return change instanceof Renewal && change.deleted.position <= position ? change.created : change;
}
