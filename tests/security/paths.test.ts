import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AttachOptions, attach } from "../../src/node/index.ts";
import { Follower } from "../proxy/follower.ts";
import { listen, Wire } from "../proxy/setting.ts";
import { handshake, rocket } from "./doors.ts";

/** An application whose every URL answers, and which notes what it is asked. */
async function start(paths: AttachOptions["paths"]): Promise<{ port: number; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    response.setHeader("Content-Type", "application/json");
    response.end("[]");
  });
  const { port, url } = await listen(server);
  const attachment = attach(server, paths === undefined ? {} : { paths });
  onTestFinished(() => attachment.close());
  return { port, url, asked };
}

/** Paths that some application reads as `/api` or what is below, and another one does not; and such as lead out of it. */
const spellings = [
  "//api/x",
  "///api",
  "/.//api/x",
  "/%61pi/x",
  "/ap%69",
  "/api%2Fx",
  "/api%2fx",
  "/API/x",
  "/api;a/x",
  "/api\\x",
  "/api/../x",
  "/api/..",
  "/api/%2e%2e/x",
  "/api/.%2E/x",
  "/api/%2e",
  "/api/..%2Fx",
  "/api/..%5cx",
  "/api/..\\x",
  "/api%00",
  "/api/%zz",
];

describe("the paths of attach", () => {
  it.each(spellings)("have no other spelling, as %s", async (path) => {
    const { url, port, asked } = await start(["/api"]);
    const follower = await new Follower(`${url}/api/a`, ["rocket.v1"]).caughtUp();
    follower.socket.send(`SUBSCRIBE ${path} HTTP/1.1\r\nRequest-ID: 1\r\n\r\n`);
    expect((await follower.first(3))[2]).toMatch(/^HTTP\/1\.1 4(?:22|00) /);
    const raw = new Wire(port).send(`GET ${path} HTTP/1.1`, "Host: localhost", ...rocket, "", "");
    // A handshake of Level 1 is refused after its 101, by a problem.
    expect(await raw.until(/HTTP\/1\.1 4\d\d /)).toMatch(/HTTP\/1\.1 4(?:22|00) /);
    expect(asked).toEqual(["/api/a"]);
    const bare = new Wire(port).send(`GET ${path} HTTP/1.1`, "Host: localhost", ...handshake, "", "");
    // Nobody's WebSocket: a plain request, which is the application's.
    expect(await bare.until(/^HTTP\/1\.1 \d{3}/)).toMatch(/^HTTP\/1\.1 200/);
  });

  it.each([
    [["/api"], ["/api", "/api?x=//", "/api/", "/api//x", "/api/a%2Fb", "/api/a%20b", "http://localhost/api/x"]],
    [["/"], ["/", "//api/x", "/x"]],
    [
      ["/käse", "/a b/"],
      ["/k%C3%A4se", "/k%C3%A4se/1", "/a%20b", "/a%20b/c"],
    ],
    [["//api"], ["//api", "//api/x"]],
  ])("%j hold what is spelt as they are, and the application is asked for just that", async (paths, targets) => {
    const { port, asked } = await start(paths);
    for (const target of targets) {
      const wire = new Wire(port).send(`GET ${target} HTTP/1.1`, "Host: localhost", ...handshake, "", "");
      await wire.until(/^HTTP\/1\.1 101/);
      wire.socket.destroy();
    }
    expect(asked).toEqual(targets.map((target) => target.replace("http://localhost", "")));
  });

  it("are asked of a function as they were sent", async () => {
    const seen: string[] = [];
    const { port } = await start((path) => {
      seen.push(path);
      return true;
    });
    const wire = new Wire(port).send("GET //%61pi/../x?y HTTP/1.1", "Host: localhost", ...handshake, "", "");
    await wire.until(/^HTTP\/1\.1 101/);
    expect(new Set(seen)).toEqual(new Set(["//%61pi/../x"]));
  });
});
