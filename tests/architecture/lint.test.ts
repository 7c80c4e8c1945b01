import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./project.ts";

interface Diagnostic {
  readonly category: string;
  readonly severity: string;
  readonly location: { readonly start: { readonly line: number } };
}

/** The errors that the project's lint rules find in a file: `rule line`. */
function errorsIn(name: string, text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "rocket-lint-"));
  try {
    writeFileSync(join(folder, name), text);
    const args = ["lint", `--config-path=${join(root, "biome.json")}`, "--vcs-enabled=false", "--reporter=json", "."];
    const command = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
    const report = runAll(process.execPath, [command, ...args, "--max-diagnostics=100"], folder);
    const { diagnostics } = JSON.parse(report) as { readonly diagnostics: readonly Diagnostic[] };
    return diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ category, location }) => `${category.split("/").at(-1)} ${location.start.line}`)
      .sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a command writes, whether it finds fault or not. */
function runAll(file: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(file, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    return String((error as { readonly stdout: unknown }).stdout);
  }
}

describe("The lint rules", () => {
  it("find each construct that style forbids", () => {
    const lines: readonly (readonly [rule: string, line: string])[] = [
      ["noReExportAll", 'export * from "./b.ts";'],
      ["noReExportAll", 'export * as c from "./b.ts";'],
      ["noDefaultExport", 'export { d as default } from "./d.ts";'],
      ["noEnum", "export enum A { B }"],
      ["noNamespace", "declare namespace N.B {}"],
      ["noParameterProperties", "export class C { constructor(a: string, readonly b: string) {} }"],
      ["noExplicitAny", "export const x = y as any;"],
      ["noExplicitAny", "export function z(b: any): void {}"],
      ["noExplicitAny", "export const m: Map<string, any> = b;"],
    ];
    const expected = lines.map(([rule], at) => `${rule} ${at + 1}`).sort();
    expect(errorsIn("view-index.ts", lines.map(([, line]) => line).join("\n"))).toEqual(expected);
  });

  it("let such words be said in other ways", () => {
    const text = 'export const a = "as any"; // enum A {\nexport const any = await Promise.any([any2(1)]);\n';
    expect(errorsIn("view-index.test.ts", `import { any2 } from "./b.ts";\n${text}`)).toEqual([]);
  });

  it.each(["viewIndex.ts", "View.tsx", "do_it.js"])("find a file that is not named in kebab-case: %s", (name) => {
    expect(errorsIn(name, "export const a = 1;\n")).toEqual(["useFilenamingConvention 0"]);
  });
});
