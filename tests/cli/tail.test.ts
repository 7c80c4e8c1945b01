import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { rocket } from "./command.ts";
import { message } from "./fake-link.ts";
import { startFakeServer, startRefusingServer } from "./fake-server.ts";

const created = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n{}";
const problem = JSON.stringify({ type: "about:blank", title: "Not Found", status: 404, detail: "There is no /x." });

describe("rocket tail against a server of Level 0", () => {
  it("prints its messages plainly, and ends after --count", async () => {
    const url = await startFakeServer({
      onConnection(socket) {
        for (const text of [created, created, created]) socket.send(text);
      },
    });
    const { code, stdout, stderr } = await rocket("tail", url, "--level", "0", "--count", "2").result;
    const printed = "HTTP/1.1 201 Created\nContent-Type: application/json\nContent-Location: /a/1\n\n{}\n\n";
    expect({ code, stdout }).toEqual({ code: 0, stdout: printed + printed });
    expect(stderr).toMatch(/^\* connected to ws:\/\/127\.0\.0\.1:\d+\/ at Level 0\n$/);
  });

  it("connects without the token where it is not echoed [R-L1-3]", async () => {
    const offers: unknown[] = [];
    const url = await startFakeServer({
      onConnection(socket, _number, request) {
        offers.push(request.headers["sec-websocket-protocol"]);
        socket.send(created);
      },
    });
    const { code, stderr } = await rocket("tail", url, "--count", "1").result;
    expect({ code, offers: offers.at(-1) }).toEqual({ code: 0, offers: undefined });
    expect(stderr).toContain("at Level 0, the server has no more");
  });

  it("does not trust the echo of a naive server [R-L1-3]", async () => {
    const url = await startFakeServer({ isNaive: true, onConnection: (socket) => socket.send(created) });
    const { code, stderr } = await rocket("tail", url.replace("http", "ws"), "--count", "1").result;
    expect(code).toBe(0);
    expect(stderr).toContain("at Level 0, the server has no more");
  });
});

describe("rocket tail", () => {
  it("reconnects and resumes at its own position, with its headers [R-RES-5]", async () => {
    const seen: unknown[] = [];
    const url = await startFakeServer({
      isNaive: true,
      onConnection(socket, number, { headers }) {
        seen.push([headers["last-event-id"], headers.authorization]);
        socket.send(number === 0 ? message(200, "s:1.1", "[]") : message(304, "s:1.1"));
        if (number === 0) socket.close(1012);
      },
    });
    const { code, stdout, stderr } = await rocket("tail", url, "--header", "Authorization: Bearer x", "--count", "2")
      .result;
    expect(code).toBe(0);
    expect(seen).toEqual([
      [undefined, "Bearer x"],
      ["s:1.1", "Bearer x"],
    ]);
    expect(stdout.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 304"]);
    expect(stderr).toMatch(/connection lost \(close code 1012\); trying again in 0\.\d s\n\* resumed after s:1\.1\n$/);
  });

  it("ends with 1 and one sentence where it is refused", async () => {
    const url = await startRefusingServer([404], problem);
    const { code, stdout, stderr } = await rocket("tail", url).result;
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "rocket: 404 Not Found: There is no /x.\n",
    });
  });

  it("tries again where the server is unwell", async () => {
    const url = await startRefusingServer([503, 404], problem);
    const { code, stderr } = await rocket("tail", url).result;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^\* no connection \(503 Service Unavailable: There is no \/x\.\); trying again in .* s\nrocket: 404/,
    );
  });

  it("says so where the server answers but opens no WebSocket", async () => {
    const url = await startRefusingServer([200], "[]");
    const { code, stderr } = await rocket("tail", url).result;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "rocket: the server answered 200 OK and opened no WebSocket: it does not speak Rocket\n",
    });
  });

  it("ends with 0 where the server is done", async () => {
    const url = await startFakeServer({
      isNaive: true,
      onConnection: (socket) => socket.close(1000, "the record is gone"),
    });
    const { code, stderr } = await rocket("tail", url).result;
    expect(code).toBe(0);
    expect(stderr).toContain("* the server ended the stream: the record is gone\n");
  });

  it("ends with 1 where bytes are no WebSocket frames", async () => {
    const url = await startFakeServer({
      isNaive: true,
      onConnection: (_socket, _number, request) => void request.socket.write(Buffer.from([0xff, 0xff])),
    });
    const { code, stderr } = await rocket("tail", url).result;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rocket: Invalid WebSocket frame: .*\n$/);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends with 0 at %s", async (signal) => {
    const url = await startFakeServer({
      isNaive: true,
      onConnection: (socket) => socket.send(message(200, "s:1.1", "[]")),
    });
    const tail = rocket("tail", url);
    await tail.until(({ stdout }) => stdout !== "");
    tail.process.kill(signal);
    expect((await tail.result).code).toBe(0);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const open: WebSocket[] = [];
    const url = await startFakeServer({
      isNaive: true,
      onConnection(socket) {
        open.push(socket);
        socket.send(message(200, "s:1.1", "[]"));
      },
    });
    const tail = rocket("tail", url);
    await tail.until(({ stdout }) => stdout !== "");
    tail.process.stdout?.destroy();
    for (const socket of open) socket.send(message(202, "s:2.2", "{}"));
    const { code, stderr } = await tail.result;
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
  });
});
