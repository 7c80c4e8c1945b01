import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bearer, secret, signed } from "../scaffold/tokens/issuer.ts";
import { Command } from "./command.ts";
import { createDatabase } from "./database.ts";

const main = fileURLToPath(new URL("../../dist/bin/rocket.js", import.meta.url));
const listening = /http:\/\/127\.0\.0\.1:\d+(?=\n)/;

/** Runs `rocket serve` in the folder of a database. */
function start(database: string, ...flags: readonly string[]): Command {
  // What comes behind the script stands where the script's own name would.
  const script = "process.chdir(process.argv.splice(1, 1)[0]); import(process.argv[1])";
  const args = ["-e", script, dirname(database), main, "serve", "music.db", "--port", "0", ...flags];
  return new Command(process.execPath, args, { APP_SECRET: secret });
}

async function urlOf(command: Command): Promise<string> {
  await command.until(({ stdout }) => listening.test(stdout) && stdout.includes("To remove"));
  return listening.exec(command.stdout)?.[0] ?? "";
}

/** A database, and a file beside it. */
function withRules(rules: unknown, name = "rocket.rules.json"): string {
  const database = createDatabase();
  writeFileSync(join(dirname(database), name), typeof rules === "string" ? rules : JSON.stringify(rules));
  return database;
}

describe("rocket serve with row rules", () => {
  it("finds the file where it runs, says so, and goes by it", async () => {
    const database = withRules({ artists: { read: "name=eq.$sub" } });
    const command = start(database, "--jwt-secret-env", "APP_SECRET", "--anonymous", "read");
    const url = await urlOf(command);

    const mine = await fetch(`${url}/artists`, { headers: bearer(await signed({ sub: "Can" })) });
    const others = await fetch(`${url}/artists`);
    const closed = await fetch(`${url}/albums`);

    expect(command.stdout).toContain("By the rules of ./rocket.rules.json (it was found here)");
    expect(command.stdout).not.toContain("Nothing says who asks");
    expect(((await mine.json()) as { artists: object[] }).artists).toMatchObject([{ name: "Can" }]);
    expect(await others.json()).toEqual({ artists: [] });
    expect(closed.status).toBe(404);
  });

  it("says that nobody can be told apart without tokens, and answers 403", async () => {
    const command = start(withRules({ artists: { read: "" } }, "mine.json"), "--rules", "mine.json");
    const url = await urlOf(command);

    const write = await fetch(`${url}/artists/1`, { method: "DELETE" });

    expect(command.stdout).toContain("By the rules of mine.json; ");
    expect(command.stdout).toContain(
      "Nothing says who asks, so each comparison with a claim, as $sub, lets nobody through",
    );
    expect(write.status).toBe(403);
  });

  it("takes a module with functions", async () => {
    const module = 'export default { artists: { read: ({ claims }) => "name=eq." + claims.sub } };';
    const command = start(withRules(module, "rules.mjs"), "--rules", "rules.mjs", "--jwt-secret-env", "APP_SECRET");
    const url = await urlOf(command);

    const mine = await fetch(`${url}/artists`, { headers: bearer(await signed({ sub: "Can" })) });

    expect(((await mine.json()) as { artists: object[] }).artists).toMatchObject([{ name: "Can" }]);
  });

  it.each([
    [
      { artists: { read: "nme=eq.$sub" } },
      '--rules: The rule of "artists" for read can\'t be: There is no column "nme"',
    ],
    ["{", "can't be read: "],
    [
      { artists: { reed: "" } },
      '--rules.artists has "reed"; what it can have is read, create, update, delete, columns.',
    ],
  ])("is refused where the rules can't be: %j", async (rules, text) => {
    const { code, stderr } = await start(withRules(rules)).result;

    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  it("is refused where there is no such file", async () => {
    const { code, stderr } = await start(createDatabase(), "--rules", "none.json").result;

    expect(code).toBe(2);
    expect(stderr).toMatch(/--rules: "[^"]*none\.json" can't be read: ENOENT/);
  });
});
