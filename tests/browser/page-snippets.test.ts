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

  it("runs for who has signed in by a cookie: it asks for the password", async () => {
    const site = await PageSite.start("", "--users");
    const context = await openContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    await page.goto(`${site.url}/artists?id=eq.1`);
    await page.getByLabel("Email").fill("o'ann@example.com");
    await page.getByLabel("Password").fill("correct & horse");
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.locator(".status.is-live").waitFor();
    const run = (command: string): string =>
      execFileSync("sh", ["-c", command], {
        ...{ encoding: "utf8", input: "correct & horse\n", stdio: ["pipe", "pipe", "ignore"] },
      });
    expect(run(await copyAs(page, "curl"))).toMatch(/HTTP\/1\.1 200 OK.*"The Beatles"/s);
    const tail = (await copyAs(page, "rocket tail")).replace(
      "npx rocket ",
      `"${process.execPath}" dist/bin/rocket.js `,
    );
    expect(run(`${tail} --count 1`)).toContain('"The Beatles"');
    await page.getByRole("button", { name: "Write from another program…" }).click();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    const write = await page.evaluate(() => navigator.clipboard.readText());
    expect(run(write)).toContain('"The Beatles*"');
    await page.keyboard.press("Escape");

    process.env.PASSWORD = "correct & horse";
    const code = (await copyAs(page, "Client code")).replace(
      "rocket-rest/client",
      new URL("../../dist/client/index.js", import.meta.url).href,
    );
    const program = runNode("--input-type=module", ["-e", code]);
    await program.until(({ stdout }) => stdout.includes("The Beatles*"));
    program.process.kill();
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
    const documents = (["none", "token", { email: "ann@example.com" }] as const).map((signIn, at) => {
      const code = snippetsOf({ ...place, signIn }).filter(({ name }) => /^(?:Client code|React hook)$/.test(name));
      const text = code.map((snippet) => `\`\`\`tsx\n${snippet.text}\`\`\`\n`).join("\n");
      return { path: `copied-${at}.md`, text };
    });
    expect(await typeCheckFences(documents, scratch)).toEqual([]);
  });

  it("is told for a component", () => {
    const place = {
      origin: "http://a.example",
      base: "/api",
      target: "/api/big%20rooms",
      command: "rocket",
      signIn: "none" as const,
    };
    const react = snippetsOf(place).find(({ name }) => name === "React hook")?.text ?? "";
    expect(react).toContain("function BigRooms() {");
    expect(react).toContain('createClient("http://a.example/api")');
    expect(react).toContain('useCollection("/api/big%20rooms")');
  });
});
