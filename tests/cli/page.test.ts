import { describe, expect, it } from "vitest";
import { runNode } from "./command.ts";
import { createDatabase } from "./database.ts";

const browser = { Accept: "text/html" };

/** Serves in an environment, and gives the URL. */
async function start(env: NodeJS.ProcessEnv, ...flags: readonly string[]): Promise<string> {
  const command = runNode("dist/bin/rocket.js", ["serve", createDatabase(), "--port", "0", ...flags], env);
  const pattern = /http:\/\/127\.0\.0\.1:\d+\n/;
  await command.until(({ stdout }) => pattern.test(stdout));
  const [url = ""] = pattern.exec(command.stdout) ?? [];
  return url.trim();
}

/** Serves in an environment, and gives what a browser is shown at `/`. */
async function shown(env: NodeJS.ProcessEnv, ...flags: readonly string[]): Promise<string> {
  return (await fetch(await start(env, ...flags), { headers: browser })).text();
}

const line = "Programs GET the same URL and are given JSON.";
const facts = "&#34;name&#34;:&#34;music.db&#34;";

describe("rocket serve, opened in a browser", () => {
  it("shows the page", async () => {
    const text = await shown({ NODE_ENV: "" });
    expect(text).toContain(facts);
    expect(text).not.toContain(`<p>This is an API`);
  });

  it("shows one line in production", async () => {
    expect(await shown({ NODE_ENV: "production" })).toContain(line);
  });

  it("shows the page in production where that is said, and none where that is", async () => {
    expect(await shown({ NODE_ENV: "production" }, "--page")).not.toContain("<p>This is an API");
    expect(await shown({ NODE_ENV: "" }, "--no-page")).toContain(line);
  });

  it("gives data where there is nothing to follow, as it gives programs", async () => {
    const url = await start({ NODE_ENV: "" }, "--users");
    const typeAt = async (path: string): Promise<string | null> =>
      (await fetch(url + path, { headers: browser })).headers.get("content-type");
    expect(await typeAt("/auth/user")).toBe("application/problem+json");
    expect(await typeAt("/.well-known/rocket/schema")).toBe("application/problem+json");
    expect(await typeAt("/artists")).toBe("text/html; charset=utf-8");
  });
});
