import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rocket } from "./command.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

describe("rocket, called wrongly,", () => {
  it.each([
    ["nothing", [], "Usage: rocket"],
    ["an unknown command", ["srve"], "unknown command 'srve'"],
    ["an unknown option", ["serve", "a.db", "--prot", "1"], "unknown option '--prot'"],
    ["no database", ["serve"], "missing required argument 'database'"],
    ["no path", ["serve", ""], "Give a path."],
    ["no folder", ["serve", "a.db", "--public", ""], "Give a path."],
    ["a body of nothing", ["serve", "a.db", "--max-body", "0"], "Give a whole number from 1 to 1024."],
    ["nothing to run", ["migrate", "a.db"], "missing required argument 'command'"],
    ["two databases", ["serve", "a.db", "b.db"], "too many arguments"],
    ["a port that is none", ["serve", "a.db", "--port", "80a"], "Give a whole number from 0 to 65535."],
    ["a port that is too large", ["serve", "a.db", "--port", "65536"], "Give a whole number from 0 to 65535."],
    ["an action that is none", ["serve", "a.db", "--only", "reed"], 'There is no action "reed"'],
    ["both lists of actions", ["serve", "a.db", "--only", "read", "--except", "create"], "cannot be used with"],
    ["empty names", ["serve", "a.db", "--tables", "a,,b"], "Give names, separated by commas."],
    ["an origin with a path", ["serve", "a.db", "--allow-origin", "http://a/b"], "Give scheme, host and port only"],
    ["an origin that is none", ["serve", "a.db", "--allow-origin", "*"], "Give scheme, host and port only"],
    ["a host with a port", ["serve", "a.db", "--allow-host", "a:80"], "Give a host name without port"],
    ["a base path that is none", ["serve", "a.db", "--base-path", "/a b"], "Give a path of letters, digits"],
    ["an open host", ["serve", "a.db", "--host", "0.0.0.0"], "add --read-only, or --insecure"],
    ["no URL", ["tail"], "missing required argument 'url'"],
    ["a URL that is none", ["tail", "ftp://a"], "Give an http:, https:, ws: or wss: URL."],
    ["a level that is none", ["tail", "http://a", "--level", "2"], "There are 0 and 1."],
    ["a header that is none", ["tail", "http://a", "--header", "x"], 'Give a field as "Name: value".'],
    ["a header with a line end", ["tail", "http://a", "--header", "X: a\r\nY: b"], 'Give a field as "Name: value".'],
    ["a header of the handshake", ["tail", "http://a", "--header", "Upgrade: h2c"], "Upgrade belongs to the handshake"],
    ["a position as a header", ["tail", "http://a", "--header", "Last-Event-ID: 1"], "Give it as --last-event-id."],
    [
      "a position that is none",
      ["tail", "http://a", "--last-event-id", "a b"],
      "Give the Event-ID of an earlier message",
    ],
    ["nothing to check", ["check"], "give the URL of a server, or --client"],
    ["a server and a client", ["check", "http://a", "--client"], "give the URL of a server, or --client"],
    ["a write that is none", ["check", "http://a", "--write", "POST notes"], "Give method, path and a JSON body"],
    [
      "a write whose body is no JSON",
      ["check", "http://a", "--write", "POST /a b"],
      "Give method, path and a JSON body",
    ],
    ["a count of nothing", ["tail", "http://a", "--count", "0"], "Give a whole number from 1"],
  ] as const)("with %s, ends with 2 and says why", async (_what, args, sentence) => {
    const { code, stdout, stderr } = await rocket(...args).result;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.replace(/\s+/g, " ")).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("rocket", () => {
  it("prints its version", async () => {
    const { code, stdout } = await rocket("--version").result;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${version}\n` });
  });

  it.each([
    [["--help"], ["serve", "tail", "check", "migrate", "Examples:"]],
    [
      ["check", "--help"],
      ["<url> | --client", "--write [request]", "--json", "Example:"],
    ],
    [
      ["migrate", "--help"],
      ["ROCKET_DATABASE", "<database> -- <command...>", "Examples:"],
    ],
    [
      ["serve", "--help"],
      ["--read-only", "--public <folder>", "--detach", "Example:"],
    ],
    [
      ["help", "tail"],
      ["--last-event-id", "--count", "Example:"],
    ],
  ])("prints help: %j", async (args, words) => {
    const { code, stdout } = await rocket(...args).result;
    expect(code).toBe(0);
    expect(words.filter((word) => !stdout.includes(word))).toEqual([]);
  });
});
