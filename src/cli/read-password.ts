import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CommandFailure } from "./failure.ts";
import { processOutput } from "./output.ts";

/** Asks at a terminal, which shows nothing of what is typed. @throws CommandFailure where nothing is: Ctrl-C, Ctrl-D */
async function ask(prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Not before: until then, the terminal itself shows what is typed.
  process.stderr.write(prompt);
  const gone = new AbortController();
  lines.once("close", () => gone.abort());
  lines.once("SIGINT", () => lines.close());
  try {
    return await lines.question("", { signal: gone.signal });
  } catch (cause) {
    throw new CommandFailure("No password was given.", 1, { cause });
  } finally {
    lines.close();
    processOutput.note("");
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const [line = ""] = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
  if (line === "") throw new CommandFailure("No password was given: the first line of the input is one.");
  return line;
}

/**
 * Reads a new password: asked for twice at a terminal, else the first line of the input. Never from an argument, which others see.
 *
 * @throws CommandFailure where there is none, or the second differs
 */
export async function readPassword(): Promise<string> {
  if (process.stdin.isTTY !== true) return readInput();
  const password = await ask("Password: ");
  if ((await ask("The same again: ")) !== password) throw new CommandFailure("The two are not the same.");
  return password;
}
