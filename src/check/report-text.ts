import { isEmpty, type Report, type Result } from "./case.ts";
import type { Requirements } from "./requirements.ts";

/** The areas of requirements, by the middle of their ids, in the specification's order. */
const areas: readonly (readonly [name: string, title: string])[] = [
  ["RFC6455", "WebSocket (RFC 6455)"],
  ["MSG", "Messages"],
  ["L0", "Level 0"],
  ["L1", "Level 1"],
  ["POS", "Positions"],
  ["FLD", "Fields"],
  ["SUB", "Subscriptions"],
  ["RES", "Resuming"],
  ["DER", "Derived views"],
  ["BAND", "Requests in band"],
  ["BATCH", "Batches"],
  ["WK", "The well-known URL"],
  ["HB", "Liveness"],
  ["STR", "Streams over HTTP"],
  ["DELTA", "Deltas"],
  ["CLOSE", "Closing"],
  ["SEC", "Security"],
  ["EXT", "Extensions and versions"],
  ["MID", "What stands between"],
];

function areaOf({ requirement }: Result): string {
  return /^R-([A-Z0-9]+)-/.exec(requirement)?.[1] ?? requirement.split("-")[0] ?? "";
}

function wrap(text: string, indent: string, width = 110): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width - indent.length) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => indent + one).join("\n");
}

function failure(result: Result, requirements: Requirements): string[] {
  const { outcome, requirement, strength = "must", title } = result;
  if (outcome.kind !== "failed") return [];
  const said = requirements.textOf(requirement);
  return [
    `  ${strength === "must" ? "FAILED " : "warning"} [${requirement}] ${title}`,
    ...(said === "" ? [] : [wrap(said, "          | ")]),
    `          should have come: ${outcome.expected}`,
    `          came:             ${outcome.came}`,
    ...outcome.transcript.map(({ by, text }) => `          ${by === "check" ? "→" : "←"} ${text}`),
    "",
  ];
}

function group(title: string, results: readonly Result[], requirements: Requirements): string[] {
  if (results.length === 0) return [];
  const count = (kind: string) => results.filter(({ outcome }) => outcome.kind === kind).length;
  const counts = [`${count("passed")} passed`];
  if (count("failed") > 0) counts.push(`${count("failed")} failed`);
  if (count("skipped") > 0) counts.push(`${count("skipped")} left out`);
  return [`${title}: ${counts.join(", ")}`, ...results.flatMap((result) => failure(result, requirements))];
}

/** Why cases were left out, each reason once. */
function leftOut({ results }: Report): string[] {
  const reasons = new Map<string, string[]>();
  for (const { outcome, requirement } of results) {
    if (outcome.kind === "skipped") reasons.set(outcome.why, [...(reasons.get(outcome.why) ?? []), requirement]);
  }
  if (reasons.size === 0) return [];
  const lines = [...reasons].map(([why, ids]) => wrap(`${why} ${[...new Set(ids)].join(" ")}`, "  "));
  return ["", "Left out:", ...lines];
}

/** The report for a person: by area, with all that is needed to see a failure. */
export function formatReport(report: Report, requirements: Requirements): string {
  const { results, subject, notes } = report;
  const groups = areas.flatMap(([name, title]) => {
    return group(
      title,
      results.filter((result) => areaOf(result) === name),
      requirements,
    );
  });
  const failed = results.filter(({ outcome, strength = "must" }) => outcome.kind === "failed" && strength === "must");
  const warned = results.filter(({ outcome, strength }) => outcome.kind === "failed" && strength === "should");
  const ids = [...new Set(failed.map(({ requirement }) => requirement))];
  const verdict = isEmpty(report)
    ? "Nothing could be checked."
    : failed.length === 0
      ? `No MUST was found broken${warned.length > 0 ? `; ${warned.length} warnings` : ""}.`
      : `${failed.length} cases failed, of ${ids.length} requirements: ${ids.join(" ")}`;
  const unseen = wrap(`Can't be seen from outside (--json says why): ${Object.keys(report.unseen).join(" ")}`, "");
  return [subject, ...notes, "", ...groups, ...leftOut(report), "", unseen, "", wrap(verdict, ""), ""].join("\n");
}
