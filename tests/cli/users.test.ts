import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bearer } from "../scaffold/tokens/issuer.ts";
import { rocket, serve } from "./command.ts";
import { createDatabase } from "./database.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `rocket users` with an input, and gives what it said. */
function users(args: readonly string[], input = "") {
  const options = { cwd: root, input, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/bin/rocket.js", "users", ...args], options);
  return { status, stdout, stderr };
}

/** Types lines at a terminal, and gives all that it showed. */
const terminal = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""
for prompt in (b"Password: ", b"The same again: "):
    while not shown.endswith(prompt):
        shown += os.read(fd, 1000)
    os.write(fd, b"correct horsx\\x7fe\\r")
try:
    while True:
        some = os.read(fd, 1000)
        if not some: break
        shown += some
except OSError:
    pass
print(shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

async function signIn(url: string, email: string, password: string) {
  const response = await fetch(`${url}/auth/sign-in`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const { access_token: token = "" } = (await response.json()) as { access_token?: string };
  return { status: response.status, token };
}

describe("rocket users", () => {
  it("makes accounts, whose passwords are the first line of the input", () => {
    const path = createDatabase();

    const added = users(["add", path, "ann@example.com", "--claims", '{"role":"editor"}'], "correct horse\nmore\n");
    const again = users(["add", path, "ANN@example.com"], "correct horse");
    const list = users(["list", path]);

    expect([added.status, added.stderr]).toEqual([0, ""]);
    expect(added.stdout).toMatch(/^Added ann@example.com, with the id [\da-f-]{36}\.\n$/);
    expect([again.status, again.stderr]).toEqual([1, 'rocket: There is a user "ANN@example.com" already.\n']);
    expect(list.stdout).toMatch(/^[\da-f-]{36} {2}ann@example.com {2}{"role":"editor"}\n$/);
  });

  it.each([
    ["a short password", ["add", "DB", "ann@example.com"], "1234567", "A password has 8 characters at least."],
    ["no password", ["add", "DB", "ann@example.com"], "", "No password was given"],
    ["no email", ["add", "DB", "ann"], "correct horse", '"ann" is no email address.'],
    ["somebody who is not there", ["disable", "DB", "ann@example.com"], "", 'There is no user "ann@example.com".'],
    ["no database", ["list", "/no/such.db"], "", 'There is no database "/no/such.db".'],
    [
      "a claim of the token's own",
      ["add", "DB", "a@x.com", "--claims", '{"sub":"x"}'],
      "correct horse",
      'The claim "sub"',
    ],
  ])("says why where it is given %s", (_what, args, input, sentence) => {
    const path = createDatabase();

    const { status, stdout, stderr } = users(
      args.map((arg) => (arg === "DB" ? path : arg)),
      input,
    );

    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(sentence);
  });

  it("takes no password as an argument, and no claims that are none", () => {
    const path = createDatabase();

    expect(users(["add", path, "ann@example.com", "correct horse"]).status).toBe(2);
    expect(users(["claims", path, "ann@example.com", "[]"]).stderr).toContain("Give a JSON object");
  });

  it.skipIf(!hasPython)("asks for a password twice at a terminal, which shows nothing of it", () => {
    const path = createDatabase();
    const command = [process.execPath, "dist/bin/rocket.js", "users", "add", path, "ann@example.com"];

    const { stdout } = spawnSync("python3", ["-c", terminal, ...command], { cwd: root, encoding: "utf8" });

    expect(stdout).toMatch(
      /^Password: \r?\nThe same again: \r?\nAdded ann@example.com, with the id [\da-f-]+\.\r?\n 0\n$/,
    );
  });
});

describe("rocket serve --users", () => {
  it("lets people sign up and in, on an address that others reach, too", async () => {
    const { command, url } = await serve(createDatabase(), "--port", "0", "--users", "--host", "127.0.0.1");
    const body = JSON.stringify({ email: "ann@example.com", password: "correct horse" });
    const made = await fetch(`${url}/auth/sign-up`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    const { token, status } = await signIn(url, "ann@example.com", "correct horse");

    expect([made.status, status]).toEqual([201, 200]);
    expect(command.stdout).toContain(`Whoever comes may make an account: POST ${url}/auth/sign-up.`);
    expect((await fetch(`${url}/artists`)).status).toBe(401);
    expect((await fetch(`${url}/artists`, { headers: bearer(token) })).status).toBe(200);
  });

  it("with invite lets in those alone who were added, until they are disabled", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0", "--users", "invite");
    users(["add", path, "ann@example.com"], "correct horse");
    const { token } = await signIn(url, "ann@example.com", "correct horse");
    const get = async () => (await fetch(`${url}/artists`, { headers: bearer(token) })).status;
    expect(await get()).toBe(200);

    users(["disable", path, "ann@example.com"]);

    await expect.poll(get, { timeout: 10_000 }).toBe(401);
    expect((await signIn(url, "ann@example.com", "correct horse")).status).toBe(401);
    users(["enable", path, "ann@example.com"]);
    expect((await signIn(url, "ann@example.com", "correct horse")).status).toBe(200);
    expect((await fetch(`${url}/auth/sign-up`, { method: "POST" })).status).toBe(401);
  });

  it.each([
    [["--users-role", "person"], "--users-role needs --users"],
    [["--users", "--users-role", "person"], "--users-role is for PostgreSQL"],
    [["--users", "all"], "Allowed choices are invite"],
  ])("told %j, ends with 2 and says why", async (flags, sentence) => {
    const path = createDatabase();

    const { code, stderr } = await rocket("serve", path, "--port", "0", ...flags).result;

    expect([code, existsSync(path)]).toEqual([2, true]);
    expect(stderr).toContain(sentence);
  });
});
