import { hasFailed, type Report } from "./case.ts";
import type { Requirements } from "./requirements.ts";

/** The report for a program: an object with `failed`, `notes`, `unseen` and `results`, each with the requirement's text. */
export function reportJson(report: Report, requirements: Requirements): string {
  const results = report.results.map(({ requirement, title, strength = "must", outcome }) => {
    const { kind, ...details } = outcome;
    return { requirement, title, strength, outcome: kind, ...details, says: requirements.textOf(requirement) };
  });
  const { subject, notes, unseen } = report;
  return `${JSON.stringify({ subject, failed: hasFailed(report), notes, results, unseen }, null, 2)}\n`;
}
