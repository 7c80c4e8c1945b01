import type { Line } from "./transcript.ts";

/** Whether a requirement must be kept, or should. */
export type Strength = "must" | "should";

/** How a case went. */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly expected: string; readonly came: string; readonly transcript: readonly Line[] }
  | { readonly kind: "skipped"; readonly why: string };

/** What is looked at, by its requirement. */
export interface Checked {
  /** An id of PROTOCOL.md, or `RFC6455-` and a section. */
  readonly requirement: string;
  /** A sentence on what the peer does where all is well. */
  readonly title: string;
  /** Default `must`. */
  readonly strength?: Strength;
}

/** A case and how it went. */
export interface Result extends Checked {
  readonly outcome: Outcome;
}

/** Everything that was found. */
export interface Report {
  /** What was checked. */
  readonly subject: string;
  readonly results: readonly Result[];
  /** Requirements that nothing is about, and why. */
  readonly unseen: Readonly<Record<string, string>>;
  /** What whoever reads it should know beside. */
  readonly notes: readonly string[];
}

/** True where every case was left out, or there was none. */
export function isEmpty({ results }: Report): boolean {
  return results.every(({ outcome }) => outcome.kind === "skipped");
}

/** True where a MUST is broken, or nothing could be checked. */
export function hasFailed(report: Report): boolean {
  if (isEmpty(report)) return true;
  return report.results.some(({ outcome, strength = "must" }) => outcome.kind === "failed" && strength === "must");
}
