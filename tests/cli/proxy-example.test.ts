import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answered, freePort, hasProgram } from "../proxy/process.ts";
import { Command } from "./command.ts";
import { temporaryFolder } from "./database.ts";

/** What is typed in one terminal, and what it prints. */
interface Terminal {
  readonly commands: readonly { readonly line: string; readonly output: string }[];
}

const root = process.cwd();

/** The terminals of a document: its `console` blocks. */
function terminalsOf(document: string): Terminal[] {
  return [...document.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => ({
    commands: text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [line = "", ...output] = part.split("\n");
        return { line, output: output.join("\n").trimEnd() };
      }),
  }));
}

/** Makes one line of a transcript, or its output, that of this run. */
type Translate = (text: string) => string;

function shell(line: string, folder: string): Command {
  return new Command("sh", ["-c", `cd '${folder}' && exec ${line}`]);
}

/** Whether what was printed is what a transcript shows, where `…` stands for anything in a line, alone for any lines. */
function pattern(expected: string): RegExp {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", ".*");
  return new RegExp(`^${expected.split(/^…\n/m).map(literal).join("(?:.*\\n)*?")}$`);
}

const canRun = hasProgram("curl") && process.platform !== "win32";
if (!canRun) console.warn("curl is not installed: the transcript in examples/proxy is not run.");

describe.skipIf(!canRun)("examples/proxy/README.md", () => {
  it("shows what happens", async () => {
    const [api, proxy, writer, reader] = terminalsOf(readFileSync("examples/proxy/README.md", "utf8"));
    if (!api || !proxy || !writer || !reader) throw new Error("The page has four terminals.");
    const folder = temporaryFolder();
    cpSync("examples", join(folder, "examples"), { recursive: true });
    const [apiPort, proxyPort] = [await freePort(), await freePort()];
    const here: Translate = (text) =>
      text
        .replaceAll("npx rocket proxy", `node '${root}/dist/bin/rocket.js' proxy --port ${proxyPort}`)
        .replaceAll("npx rocket", `node '${root}/dist/bin/rocket.js'`)
        .replaceAll("npx json-server", `node '${root}/node_modules/json-server/lib/cli/bin.js'`)
        .replaceAll("3000", `${apiPort}`)
        .replaceAll("8080", `${proxyPort}`);
    await shell(here(api.commands[0]?.line ?? ""), folder).result;
    shell(here(api.commands[1]?.line ?? ""), folder);
    await answered(`http://127.0.0.1:${apiPort}/`);
    const running = shell(here(proxy.commands[0]?.line ?? ""), folder);
    await running.until(({ stdout }) => stdout.includes("inspector"));
    expect(running.stdout.trimEnd()).toBe(here(proxy.commands[0]?.output ?? ""));
    const tail = shell(here(reader.commands[0]?.line ?? ""), folder);
    const count = () => tail.stdout.split(/^HTTP\/1\.1 /m).length - 1;
    await tail.until(() => count() === 2);
    for (const { line, output } of writer.commands) {
      const before = count();
      expect((await shell(here(line), folder).result).stdout.trimEnd()).toBe(output);
      await tail.until(() => count() > before);
    }
    expect((await tail.result).stdout.trimEnd()).toMatch(pattern(here(reader.commands[0]?.output ?? "")));
  });
});
