import type { Outcome, Report, Result } from "../case.ts";
import { Transcript } from "../transcript.ts";
import { unseenOfServers } from "../unseen.ts";
import type { Field } from "../wire/http.ts";
import { type Flaw, jsonOf } from "../wire/messages.ts";
import { serverCases } from "./all-cases.ts";
import { request } from "./request.ts";
import { runCase } from "./run-case.ts";
import { type Site, siteAt } from "./site.ts";
import { survey } from "./survey.ts";
import type { ServerCase, TrialParts } from "./trial.ts";
import { watched } from "./watched.ts";
import type { WritePlan } from "./writer.ts";

/** How a server is checked. */
export interface CheckServerOptions {
  /** The resource: an `http:` or `https:` URL, best that of a collection with a record or more. */
  readonly url: string;
  /** The cases of which transport run, beside those of plain HTTP: WebSockets of one level, or streams. Default: all. */
  readonly level?: 0 | 1 | "stream";
  /** Whether records may be made, changed and deleted, and how. Default: nothing is written. */
  readonly write?: WritePlan | "default";
  /** Fields of every request: credentials, for example. Default none. */
  readonly fields?: readonly Field[];
  /** The path below which the server's clients see it. Default: the root. */
  readonly basePath?: string;
  /** Whether the cases that wait for heartbeats run. Default true. */
  readonly withSlow?: boolean;
  /** Milliseconds that an answer may take. Default 5,000. */
  readonly patienceMs?: number;
  /** Only cases of these requirements. Default: all. */
  readonly only?: readonly string[];
  /** Told of each case before it runs. */
  readonly onCase?: (one: Pick<ServerCase, "requirement" | "title">) => void;
}

/** The flaws that came in any message, by requirement: the first of each, and the transcript in which it stands. */
class Watch {
  readonly #found: Map<string, { readonly flaw: Flaw; readonly transcript: Transcript }> = new Map();

  readonly observe = (flaw: Flaw, transcript: Transcript): void => {
    if (!this.#found.has(flaw.requirement)) this.#found.set(flaw.requirement, { flaw, transcript });
  };

  results(): Result[] {
    return watched.map((one) => {
      const found = this.#found.get(one.requirement);
      const passed: Outcome = { kind: "passed" };
      if (!found) return { ...one, outcome: passed };
      const { lines } = found.transcript;
      const outcome: Outcome = { kind: "failed", expected: "No such thing.", came: found.flaw.what, transcript: lines };
      return { ...one, outcome };
    });
  }
}

/** What an answer on plain HTTP is needed for before all. @throws Error where nothing can be checked */
async function surveyOf(site: Site): Promise<TrialParts["survey"]> {
  const found = await survey(site);
  const { status } = found.document;
  if (status < 200 || status > 299) {
    throw new Error(
      `A GET of the URL is answered ${status}. Give one that is answered 200, and --header for credentials.`,
    );
  }
  if (found.opening && found.opening.status >= 300) {
    const { detail = "" } = (jsonOf(found.opening) ?? {}) as { detail?: string };
    throw new Error(`The URL can't be followed: a ${found.opening.status} came. ${detail}`.trim());
  }
  return found;
}

async function isAlive(site: Site): Promise<boolean> {
  try {
    return (await request(site, new Transcript(), { target: site.target })).status < 500;
  } catch {
    return false;
  }
}

/** @throws RangeError where one of the requirements that are asked for is looked at by nothing */
function requireKnown(only: readonly string[]): void {
  const known = new Set([...serverCases, ...watched].map(({ requirement }) => requirement));
  for (const id of only) {
    const why = Object.hasOwn(unseenOfServers, id) ? unseenOfServers[id] : undefined;
    if (why !== undefined) throw new RangeError(`only: ${id} can't be seen from outside. ${why}`);
    if (!known.has(id)) throw new RangeError(`only: there is no requirement ${JSON.stringify(id)}.`);
  }
}

function selected(options: CheckServerOptions): ServerCase[] {
  const { level, only } = options;
  return serverCases.filter((one) => {
    if (level !== undefined && one.level !== "http" && one.level !== level) return false;
    return only === undefined || only.includes(one.requirement);
  });
}

function notesOf({ survey: { kind, items, rows } }: TrialParts, left: readonly string[]): string[] {
  const list = items ? `a collection of ${rows.length} records` : "a document without records";
  const notes = [`The resource is ${list}; its positions are of the kind "${kind}".`];
  if (left.length > 0) notes.push(`These records could not be deleted: ${left.join(", ")}.`);
  return notes;
}

/**
 * Checks a server from outside, case after case.
 *
 * @throws Error where nobody answers, or a GET of the URL is refused
 * @throws RangeError where `only` has an id that nothing is about
 */
export async function checkServer(options: CheckServerOptions): Promise<Report> {
  const { fields = [], basePath = "", patienceMs = 5_000, withSlow = true, write: plan, only } = options;
  requireKnown(only ?? []);
  const watch = new Watch();
  const site = siteAt(new URL(options.url), { fields, basePath, patienceMs, observe: watch.observe });
  const parts: TrialParts = { site, survey: await surveyOf(site), plan };
  const results: Result[] = [];
  const left: string[] = [];
  const play = async (one: ServerCase): Promise<void> => {
    options.onCase?.(one);
    const played = await runCase(one, parts);
    results.push(played.result);
    left.push(...played.left);
  };
  const cases = selected(options);
  for (const one of cases.filter(({ isSlow }) => !isSlow)) await play(one);
  const slow = cases.filter(({ isSlow }) => isSlow);
  if (withSlow) await Promise.all(slow.map(play));
  else for (const one of slow) results.push({ ...one, outcome: { kind: "skipped", why: "It waits for a heartbeat." } });
  if (!(await isAlive(site))) results.push(dead);
  const seen = watch.results().filter(({ requirement }) => only === undefined || only.includes(requirement));
  const notes = notesOf(parts, left);
  return { subject: options.url, results: [...results, ...seen], unseen: unseenOfServers, notes };
}

const dead: Result = {
  requirement: "R-SEC-4",
  title: "still answers after all cases",
  outcome: { kind: "failed", expected: "An answer to a GET.", came: "None came.", transcript: [] },
};
