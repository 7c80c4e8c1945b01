import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { bearerSubprotocol, decodeResponse } from "../../src/protocol/index.ts";
import { guardedDoors } from "./guarded-doors.ts";

describe.each(guardedDoors)("A bearer token at $name", ({ open }) => {
  it("that is offered as a subprotocol counts at both levels, and is not echoed [R-SEC-3] [R-L1-2]", async () => {
    const door = await open();
    for (const protocols of [["rocket.v1", bearerSubprotocol("abc")], [bearerSubprotocol("abc")]]) {
      door.seen.length = 0;
      const socket = new WebSocket(`ws://127.0.0.1:${door.port}/a`, protocols);
      onTestFinished(() => socket.terminate());
      // ws takes a missing echo for an error; the handshake was answered by then.
      socket.on("error", () => {});
      const [answer] = await once(socket, "upgrade");
      expect(String(answer.headers["sec-websocket-protocol"] ?? "")).not.toContain("bearer");
      await expect.poll(() => door.seen.map(({ authorization }) => authorization)).toContain("Bearer abc");
      expect(door.seen.some(({ authorization }) => authorization !== "Bearer abc")).toBe(false);
    }
  });

  it("in the handshake's own field counts before one that is offered [R-SEC-3]", async () => {
    const door = await open();
    await door.socket("/a", { Authorization: "Bearer own" }, ["rocket.v1", bearerSubprotocol("abc")]);
    expect(door.seen.map(({ authorization }) => authorization)).not.toContain("Bearer abc");
  });

  it("of a request in band counts for that request, in the place of the handshake's [R-BAND-9] [R-BAND-12]", async () => {
    const door = await open();
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}/.well-known/rocket`, [
      "rocket.v1",
      bearerSubprotocol("abc"),
    ]);
    onTestFinished(() => socket.terminate());
    const statuses = new Map<string, number>();
    socket.on("message", (data: Buffer) => {
      const { status, fields } = decodeResponse(data.toString());
      const id = fields.find(([name]) => name === "Request-ID")?.[1];
      if (id !== undefined) statuses.set(id, status);
    });
    await once(socket, "open");
    const ask = async (id: string, line: string, token?: string): Promise<readonly (string | undefined)[]> => {
      door.seen.length = 0;
      const own = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
      socket.send(`${line} HTTP/1.1\r\nRequest-ID: ${id}\r\n${own}\r\n`);
      await expect.poll(() => statuses.get(id)).toBe(200);
      return [...new Set(door.seen.map(({ authorization }) => authorization))];
    };
    expect(await ask("1", "SUBSCRIBE /a")).toEqual(["Bearer abc"]);
    expect(await ask("2", "GET /a", "own")).toEqual(["Bearer own"]);
    expect(await ask("3", "SUBSCRIBE /a?id=1", "third")).toEqual(["Bearer third"]);
    expect(await ask("4", "GET /a")).toEqual(["Bearer abc"]);
  });
});
