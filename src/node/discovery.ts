import { varyBy } from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";

/** Whether a GET's answer is of something that can be followed. @param follows - whether what no journal follows is asked for again */
function canBeFollowed({ status, view, notLive }: OriginResponse, follows: boolean): boolean {
  return (status === 200 || status === 203) && (view !== undefined || (follows && notLive === undefined));
}

/**
 * An answer to a GET or HEAD that says where what it tells can be followed: at the same URL, by another `Accept` [R-STR-22].
 *
 * @param target - the request's path and query
 */
export function withMonitor(answer: OriginResponse, target: string, follows: boolean): OriginResponse {
  if (!canBeFollowed(answer, follows) || /[<>"\s]/.test(target)) return answer;
  return { ...answer, fields: varyBy([...answer.fields, ["Link", `<${target}>; rel="monitor"`]], "Accept") };
}
