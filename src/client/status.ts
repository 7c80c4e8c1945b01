import type { Problem } from "../protocol/index.ts";

/** How well what is shown agrees with the server; the same object until it changes. */
export interface Status {
  /**
   * `connecting`: nothing was received yet, or not all of the first answer; with `since` there is what a GET returned then.
   * `live`: everything up to now is here. `behind`: more comes than can be shown at once, and what is shown follows.
   * `polling`: there is no socket, and what is shown is right at the last look, every `intervalMs`. `stale`: what is here
   * was right at `since`, and the connection is being made again. `offline`: as `stale` (or `connecting`), and the server
   * can't be reached at all. `failed`: it is over, for the reason in `problem`.
   */
  readonly state: "connecting" | "live" | "behind" | "polling" | "stale" | "offline" | "failed";
  /** When it was last live, in milliseconds since 1970; absent while live, and where it never was. */
  readonly since?: number;
  /** How often the server is asked while `polling`, in milliseconds; each time a fifth more or less. */
  readonly intervalMs?: number;
  /** Why it failed (RFC 9457). */
  readonly problem?: Problem;
}

const ranks = ["live", "behind", "polling", "connecting", "stale", "offline", "failed"] as const;

/** True where two statuses say the same. */
export function isSameStatus(a: Status, b: Status): boolean {
  return a.state === b.state && a.since === b.since && a.intervalMs === b.intervalMs && a.problem === b.problem;
}

/** One status for several: the worst of them. */
export function worstStatus(statuses: Iterable<Status>): Status | undefined {
  let worst: Status | undefined;
  for (const status of statuses) {
    if (!worst || ranks.indexOf(status.state) > ranks.indexOf(worst.state)) worst = status;
  }
  return worst;
}

/** True while what is shown follows what the server has. */
export function isCurrent({ state }: Status): boolean {
  return state === "live" || state === "behind" || state === "polling";
}

/** What is shown follows, while more comes than can be shown at once. */
export const behind: Status = { state: "behind" };
