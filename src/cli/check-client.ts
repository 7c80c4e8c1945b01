import { type Result, startClientCheck } from "../check/index.ts";
import { printReport } from "./check.ts";
import { explain } from "./failure.ts";
import { onOutputClosed, processOutput } from "./output.ts";
import { onStopSignal } from "./signals.ts";

/** How `rocket check --client` plays. */
export interface CheckClientCommandOptions {
  /** Default 8080; 0 picks a free one. */
  readonly port?: number;
  /** Only streams over plain HTTP, and no WebSockets. Default false. */
  readonly withoutSockets?: boolean;
  /** Print JSON. Default false. */
  readonly json?: boolean;
}

function introduce(url: string): string {
  return [
    `Follow each URL that a GET of ${url} lists with your client, one after another or all at once.`,
    "Each is a situation; a GET of its `over` is answered when it is over. Then you may POST what your client holds, a",
    "JSON array of records, to its `held`.",
    `To end: POST ${url}/end, or Ctrl-C.`,
    "",
  ].join("\n");
}

function line({ requirement, title, outcome }: Result): string {
  return `${outcome.kind === "passed" ? "ok     " : outcome.kind} [${requirement}] ${title}`;
}

/**
 * Runs `rocket check --client`: plays situations to a client until it is done, and prints what was found.
 *
 * @returns the exit code: 0 where something was checked and no MUST was found broken, else 1
 */
export async function runCheckClient(options: CheckClientCommandOptions): Promise<number> {
  const { port = 8080, json = false, withoutSockets = false } = options;
  onOutputClosed(() => {});
  try {
    const check = await startClientCheck({
      port,
      withoutSockets,
      onOver: (result) => processOutput.note(line(result)),
    });
    processOutput.note(introduce(check.url));
    const stopped = new Promise<void>((resolve) => onStopSignal(resolve));
    await Promise.race([check.ended, stopped]);
    return printReport(await check.end(), json);
  } catch (error) {
    processOutput.note(`rocket: ${explain(error)}`);
    return 1;
  }
}
