import { describe, expect, it } from "vitest";
import { administratorSql } from "../../src/scaffold/index.ts";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { bearer, secret, signed } from "../scaffold/tokens/issuer.ts";
import { rocket, runNode } from "./command.ts";
import { createDatabase } from "./database.ts";

const server = serverOfFile();
const sharedToken = "one+token/for-all.of~them_==";

/** Runs `rocket serve` with a secret in the environment; gives its URL. */
async function start(...args: readonly string[]) {
  const command = runNode("dist/bin/rocket.js", ["serve", ...args, "--port", "0"], {
    SHOP_SECRET: secret,
    SHOP_TOKEN: sharedToken,
  });
  const pattern = /http:\/\/[\d.]+:(\d+)(?=\n)/;
  await command.until(({ stdout }) => pattern.test(stdout));
  return { command, url: `http://127.0.0.1:${pattern.exec(command.stdout)?.[1]}` };
}

describe("rocket serve with --jwt-secret-env", () => {
  it("asks for tokens, and tells the secret to nobody", async () => {
    const { command, url } = await start(createDatabase(), "--jwt-secret-env", "SHOP_SECRET");

    const [without, withToken] = [
      await fetch(`${url}/artists`),
      await fetch(`${url}/artists`, { headers: bearer(await signed({ sub: "ann" })) }),
    ];

    expect([without.status, withToken.status]).toEqual([401, 200]);
    expect(command.stdout + command.stderr + (await without.text())).not.toContain(secret);
  });

  it("may listen where others reach it", async () => {
    const { url } = await start(createDatabase(), "--jwt-secret-env", "SHOP_SECRET", "--host", "0.0.0.0");

    expect((await fetch(`${url}/artists`)).status).toBe(401);
  });

  it("acts as the tokens' roles on PostgreSQL, whose tables the connection itself need not read", async () => {
    const name = await server.database();
    const client = await server.connect(name);
    await client.query(`CREATE ROLE web LOGIN NOINHERIT; CREATE ROLE anon; CREATE ROLE member; GRANT anon, member TO web;
      CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes VALUES (1); GRANT SELECT ON notes TO member`);
    await client.query(await administratorSql(server.url(name, "web")));
    const flags = ["--jwt-secret-env", "SHOP_SECRET", "--anonymous-role", "anon", "--jwt-role-claim", "part"];
    const { command, url } = await start(server.url(name, "web"), ...flags);

    const [without, withToken] = [
      await fetch(`${url}/notes`),
      await fetch(`${url}/notes`, { headers: bearer(await signed({ part: "member" })) }),
    ];

    expect([without.status, withToken.status]).toEqual([401, 200]);
    expect(await withToken.json()).toEqual({ notes: [{ url: "/notes/1", id: 1 }] });
    expect(command.stdout).toContain("\n  /notes\n");
    expect(command.stderr).toBe("");
  });
});

describe("rocket serve with --token-env", () => {
  it("asks for that token on an address that others reach, and lets those without one read where that is said", async () => {
    const { command, url } = await start(
      createDatabase(),
      ...["--token-env", "SHOP_TOKEN", "--anonymous", "read", "--host", "0.0.0.0"],
    );
    const write = { method: "POST", body: JSON.stringify({ name: "Neu!" }) };
    const json = { "Content-Type": "application/json" };

    const statuses = [
      (await fetch(`${url}/artists`)).status,
      (await fetch(`${url}/artists`, { headers: bearer(`${sharedToken}x`) })).status,
      (await fetch(`${url}/artists`, { ...write, headers: json })).status,
      (await fetch(`${url}/artists`, { ...write, headers: { ...json, ...bearer(sharedToken) } })).status,
    ];

    expect(statuses).toEqual([200, 401, 401, 201]);
    expect(command.stdout + command.stderr).not.toContain(sharedToken);
  });
});

describe("rocket serve, told wrongly which tokens count,", () => {
  it.each([
    ["an empty variable", ["--jwt-secret-env", "NO_SUCH"], '--jwt-secret-env: the variable "NO_SUCH" is not set'],
    [
      "a short secret",
      ["--jwt-secret-env", "PATH_ONLY"],
      "--jwt-secret-env: the secret in PATH_ONLY must have 32 bytes",
    ],
    ["a short token", ["--token-env", "PATH_ONLY"], "--token-env: the token in PATH_ONLY must have 16 characters"],
    ["an empty variable of a token", ["--token-env", "NO_SUCH"], '--token-env: the variable "NO_SUCH" is not set'],
    ["what those without a token may do, and no tokens", ["--anonymous", "read"], "--anonymous needs --token-env"],
    ["a word that is none", ["--anonymous", "all"], "Allowed choices are read, none"],
    [
      "a role of those without a token, and no JWTs",
      ["--token-env", "LONG", "--anonymous-role", "anon"],
      "--anonymous-role needs --jwt-secret-env, --jwks or --users-role",
    ],
    ["keys by plain http", ["--jwks", "http://id.example.com/k"], "--jwks must be an https: URL"],
    ["an audience of nothing", ["--jwt-audience", "shop"], "--jwt-audience needs --jwt-secret-env or --jwks"],
    [
      "a role without tokens",
      ["--anonymous-role", "anon"],
      "--anonymous-role needs --jwt-secret-env, --jwks or --users-role",
    ],
    [
      "a role of SQLite",
      ["--jwks", "https://a.example/k", "--anonymous-role", "anon"],
      "--anonymous-role is for PostgreSQL",
    ],
  ])("with %s, ends with 2 and says why", async (_what, flags, sentence) => {
    const path = createDatabase();
    const { code, stdout, stderr } = await runNode(
      ...([
        "dist/bin/rocket.js",
        ["serve", path, "--port", "0", ...flags],
        { PATH_ONLY: "abc", LONG: sharedToken },
      ] as const),
    ).result;

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("abc");
  });

  it("names the flags in its help", async () => {
    const { stdout } = await rocket("serve", "--help").result;

    for (const flag of ["--jwt-secret-env <name>", "--jwks <url>", "--jwt-audience <list>", "--jwt-issuer <text>"]) {
      expect(stdout).toContain(flag);
    }
    expect(stdout).toMatch(/--jwt-role-claim <name>[\s\S]*--anonymous-role <name>/);
  });
});
