import { acceptedRanges, isAcceptedByName } from "./accept.ts";
import type { Field } from "./message.ts";

/** The type of a merge patch (RFC 7396). */
export const mergePatchType = "application/merge-patch+json";

/** A viewer's fields, and whether they ask for deltas. */
export interface DeltaChoice {
  readonly takesDeltas: boolean;
  /** What the origin is asked with: the name of merge patches is out of `Accept` [R-DELTA-5]. */
  readonly fields: readonly Field[];
}

function isAccept(name: string): boolean {
  return name.toLowerCase() === "accept";
}

/** Whether a viewer asks for deltas: where its `Accept` has the name of merge patches, with a weight above 0 [R-DELTA-1]. */
export function chooseDeltas(fields: readonly Field[]): DeltaChoice {
  // Nearly nobody asks: they pay for no more than this look.
  if (!fields.some(([name, value]) => isAccept(name) && /merge-patch/i.test(value))) {
    return { takesDeltas: false, fields };
  }
  const ranges = acceptedRanges(fields);
  const rest = ranges.filter(({ type }) => type !== mergePatchType);
  if (rest.length === ranges.length) return { takesDeltas: false, fields };
  const others = fields.filter(([name]) => !isAccept(name));
  const isAnything = rest.every(({ weight }) => weight === 0);
  return {
    takesDeltas: isAcceptedByName(ranges, mergePatchType),
    fields: isAnything ? others : [...others, ["Accept", rest.map(({ text }) => text).join(", ")]],
  };
}
