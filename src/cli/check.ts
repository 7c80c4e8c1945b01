import {
  checkServer,
  formatReport,
  hasFailed,
  type Report,
  Requirements,
  reportJson,
  type WritePlan,
} from "../check/index.ts";
import type { Field } from "../protocol/index.ts";
import { explain } from "./failure.ts";
import { onOutputClosed, processOutput } from "./output.ts";

/** What `rocket check` looks at, and how. */
export interface CheckOptions {
  /** The resource of the server that is checked. */
  readonly url: string;
  /** The cases of which level run, or those of streams. Default: all. */
  readonly level?: 0 | 1 | "stream";
  /** Whether it may write, and what. Default: nothing is written. */
  readonly write?: WritePlan | "default";
  /** Fields of every request. Default none. */
  readonly header?: readonly Field[];
  /** The path below which the server's clients see it. Default: the root. */
  readonly basePath?: string;
  /** Leave out the cases that wait for a heartbeat. Default false. */
  readonly quick?: boolean;
  /** Only cases of these requirements. Default: all. */
  readonly only?: readonly string[];
  /** Seconds that an answer may take. Default 5. */
  readonly timeout?: number;
  /** Print JSON. Default false. */
  readonly json?: boolean;
}

/** Prints a report; gives the exit code. */
export function printReport(report: Report, isJson: boolean): number {
  const requirements = new Requirements();
  processOutput.write(isJson ? reportJson(report, requirements) : formatReport(report, requirements));
  return hasFailed(report) ? 1 : 0;
}

/**
 * Runs `rocket check`: plays every case against a server, and prints what was found.
 *
 * @returns the exit code: 0 where something was checked and no MUST was found broken, else 1
 */
export async function runCheck(options: CheckOptions): Promise<number> {
  const { url, level, write, header = [], basePath, quick = false, only, timeout = 5, json = false } = options;
  onOutputClosed(() => {});
  try {
    const report = await checkServer({
      ...{ url, fields: header, withSlow: !quick, patienceMs: timeout * 1_000 },
      ...(level === undefined ? {} : { level }),
      ...(write === undefined ? {} : { write }),
      ...(basePath === undefined ? {} : { basePath }),
      ...(only === undefined ? {} : { only }),
    });
    return printReport(report, json);
  } catch (error) {
    processOutput.note(`rocket: ${explain(error)}`);
    return 1;
  }
}
