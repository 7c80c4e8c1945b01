import type { Problem } from "../protocol/index.ts";

/** How well what is shown agrees with the server; the same object until it changes. */
export interface Status {
  /**
   * `connecting`: nothing was received yet, or not all of the first answer; with `since` there is what a GET returned then.
   * `live`: everything up to now is here. `behind`: more comes than can be shown at once, and what is shown follows; with
   * `since`, the server has not looked since then at what may have changed, as where the application is slow or allows few
   * requests.
   * `polling`: there is no socket, and what is shown is right at the last look, every `intervalMs`. `stale`: what is here
   * was right at `since`, and the connection is being made again. `offline`: as `stale` (or `connecting`), and the server
   * can't be reached at all. `gone`: nothing is at the URL, or nothing any more: `problem` is a 404 or 410. `failed`: it is
   * over, for the reason in `problem`.
   */
  readonly state: "connecting" | "live" | "behind" | "polling" | "stale" | "offline" | "gone" | "failed";
  /** When it was last live, in milliseconds since 1970; absent while live, and where it never was or only the page can't follow. */
  readonly since?: number;
  /** How often the server is asked while `polling`, in milliseconds; each time a fifth more or less. */
  readonly intervalMs?: number;
  /** Why it failed, or is gone (RFC 9457). */
  readonly problem?: Problem;
  /** What the server said last, where it refuses for a while (408, 429, 503, …) and is asked again: with `stale` or `connecting`. */
  readonly refusal?: Problem;
}

const ranks = ["gone", "live", "behind", "polling", "connecting", "stale", "offline", "failed"] as const;

/** True where two statuses say the same. */
export function isSameStatus(a: Status, b: Status): boolean {
  const isAlike = a.problem === b.problem && a.refusal === b.refusal;
  return a.state === b.state && a.since === b.since && a.intervalMs === b.intervalMs && isAlike;
}

/** The status of a view that has ended. */
export function endedBy(problem: Problem, since: number | undefined): Status {
  const state = problem.status === 404 || problem.status === 410 ? "gone" : "failed";
  return since === undefined ? { state, problem } : { state, since, problem };
}

/** True where the server refused one view. A 401 is about whoever asks, and so about all; a 499 is the client's own end. */
function isOwnEnd({ problem }: Status): boolean {
  const { status = 0 } = problem ?? {};
  return status >= 400 && status < 499 && status !== 401;
}

/** One status for several: the worst of them. What ended by itself alone counts only where nothing else is followed. */
export function worstStatus(statuses: readonly Status[]): Status | undefined {
  const others = statuses.filter((status) => !isOwnEnd(status));
  let worst: Status | undefined;
  for (const status of others.length > 0 ? others : statuses) {
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
