import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, describe, expect, it } from "vitest";
import { snippetsOf } from "../../src/page/snippets.ts";
import { typeCheckFences } from "../architecture/documents.ts";
import { root } from "../architecture/project.ts";
import { runNode } from "../cli/command.ts";
import { temporaryFolder } from "../cli/database.ts";
import { describeInBrowser } from "./browser.ts";
import { PageSite } from "./page-site.ts";

/** Below dist, so that `rocket-rest/…` means this package there, as it was built. */
const scratch = "dist/.copied";
const appFolder = join(root, "dist/.copied-app");

afterAll(() => {
  for (const folder of [join(root, scratch), appFolder]) rmSync(folder, { recursive: true, force: true });
});

/** Copies what the page shows, as a person does. */
async function copyAs(page: Page, name: string): Promise<string> {
  await page.getByRole("button", { name: "Copy as ▾" }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
  await page.getByText(`Copied: ${name}`).last().waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Builds a front end that shows the component `App` of some code. */
async function buildApp(code: string, outDir: string): Promise<void> {
  const files = {
    "app.tsx": code,
    "main.tsx": `import { createRoot } from "react-dom/client";
      import { App } from "./app.tsx";
      createRoot(document.body.appendChild(document.createElement("div"))).render(<App />);`,
    "index.html": `<!doctype html><title>App</title><body><script type="module" src="./main.tsx"></script></body>`,
  };
  mkdirSync(appFolder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(appFolder, name), text);
  await build({ root: appFolder, configFile: false, logLevel: "error", build: { outDir, emptyOutDir: true } });
}

describeInBrowser("what is copied on the page", (openContext) => {
  it("runs: curl, rocket tail, client code and an EventSource", async () => {
    const site = await PageSite.start();
    const context = await openContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await site.open(context, "/artists?name=like.The*&order=formed.desc");
    const copy = (name: string): Promise<string> => copyAs(page, name);

    const curl = execFileSync("sh", ["-c", await copy("curl")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(await copy("curl")).toMatch(/^curl -g -i /);
    expect(curl).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(curl).toContain('"name":"The Clash"');

    const tail = (await copy("rocket tail")).replace(/^npx rocket /, `"${process.execPath}" dist/bin/rocket.js `);
    const tailed = execFileSync("sh", ["-c", `${tail} --count 1`], { encoding: "utf8" });
    expect(tailed).toContain('"name":"The Clash"');

    const code = (await copy("Client code")).replace(
      "rocket-rest/client",
      new URL("../../dist/client/index.js", import.meta.url).href,
    );
    const run = runNode("--input-type=module", ["-e", code]);
    await run.until(({ stdout }) => stdout.includes("The Clash"));
    run.process.kill();

    const source = await copy("EventSource");
    const logged = page.waitForEvent("console", (message) => message.text().includes("The Clash"));
    // As what is pasted into a browser's console, it is run by the debugger.
    await page.evaluate(source);
    await logged;
  });

  it("runs: a component of React, which is built, and live", async () => {
    const publicFolder = temporaryFolder();
    const site = await PageSite.start("", "--public", publicFolder);
    const context = await openContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await site.open(context, "/.well-known/rocket/inspector#/artists?name=like.The*&order=formed.desc");
    const code = await copyAs(page, "React hook");

    await buildApp(code, publicFolder);
    const app = await context.newPage();
    await app.goto(site.url);
    await app.getByText(/^live.*"The Clash"/s).waitFor();
    site.run("UPDATE artists SET name = 'The Slits' WHERE name = 'The Clash'");
    await app.getByText(/^live.*"The Slits"/s).waitFor();
  });
});

describe("what is copied", () => {
  it("is code that type-checks", async () => {
    const place = { origin: "http://127.0.0.1:8080", base: "", target: "/artists?genre=eq.rock", command: "rocket" };
    const documents = [true, false].map((needsToken) => {
      const code = snippetsOf({ ...place, needsToken }).filter(({ name }) => /^(?:Client code|React hook)$/.test(name));
      const text = code.map((snippet) => `\`\`\`tsx\n${snippet.text}\`\`\`\n`).join("\n");
      return { path: `copied-${needsToken}.md`, text };
    });
    expect(await typeCheckFences(documents, scratch)).toEqual([]);
  });

  it("is told for a component", () => {
    const place = {
      origin: "http://a.example",
      base: "/api",
      target: "/api/big%20rooms",
      command: "rocket",
      needsToken: false,
    };
    const react = snippetsOf(place).find(({ name }) => name === "React hook")?.text ?? "";
    expect(react).toContain("function BigRooms() {");
    expect(react).toContain('createClient("http://a.example/api")');
    expect(react).toContain('useCollection("/api/big%20rooms")');
  });
});
