import { type Field, fieldValue, preferredWaitSeconds } from "../../protocol/index.ts";

/** A GET that is ready to wait for a change. */
export interface LongPoll {
  readonly fields: readonly Field[];
  readonly waitSeconds: number;
}

/** A longer wait meets the time limits of fronts. */
const maxWaitSeconds = 60;

/** What a request waits for; `undefined` where it has to be answered at once [R-STR-21]. */
export function readLongPoll(method: string, fields: readonly Field[]): LongPoll | undefined {
  if (method !== "GET") return undefined;
  const wait = preferredWaitSeconds(fields) ?? 0;
  const names = ["last-event-id", "if-none-match"];
  if (wait === 0 || !names.some((name) => fieldValue(fields, name) !== undefined)) return undefined;
  return { fields, waitSeconds: Math.min(wait, maxWaitSeconds) };
}

/** Says that a wish to wait was heard (RFC 7240 §3). */
export function preferenceApplied({ waitSeconds }: LongPoll): Field {
  return ["Preference-Applied", `wait=${waitSeconds}`];
}
