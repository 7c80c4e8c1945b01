import { RocketError } from "../protocol/index.ts";
import { getSystemErrorMessage } from "./system-error.ts";

/** Why a command ends without success: a sentence for a person, and the exit code. */
export class CommandFailure extends Error {
  /** 1 for a failure, 2 where the command was called wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "CommandFailure";
    this.exitCode = exitCode;
  }
}

/** What a person is told about any error: one line, no stack. Of Rocket's own, which are written for people, all lines. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RocketError) return error.message;
  const text = getSystemErrorMessage(error) ?? error.message;
  return text.split("\n")[0]?.trim() || error.name;
}
