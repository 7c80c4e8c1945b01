import { existsSync } from "node:fs";
import { CommandFailure } from "./failure.ts";
import type { ServeOptions } from "./serve-options.ts";
import { asksForTokens } from "./serve-tokens.ts";

/** The file that is found by itself. */
const usualFile = "./rocket.rules.json";

/** The file with row rules; `undefined` where there is none. */
export function rulesFile({ rules }: Pick<ServeOptions, "rules">): string | undefined {
  return rules ?? (existsSync(usualFile) ? usualFile : undefined);
}

/** What is said of rules at the start; `undefined` where there are none. */
export function describeRules(options: ServeOptions): string | undefined {
  const file = rulesFile(options);
  if (file === undefined) return undefined;
  const found = options.rules === undefined ? " (it was found here)" : "";
  const by = `By the rules of ${file}${found}; a table without an entry there is closed.`;
  if (asksForTokens(options)) return by;
  return `${by}\nNothing says who asks, so each comparison with a claim, as $sub, lets nobody through: add --users, --jwt-secret-env or --jwks.`;
}

/** A trouble with rules, in the words of the command; `undefined` where it is none. */
export function rulesFailure({ message }: Error): CommandFailure | undefined {
  return /^rules\b/.test(message) ? new CommandFailure(`--${message}`, 2) : undefined;
}
