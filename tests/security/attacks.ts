import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { takenBytes } from "../../src/node/taken-bytes.ts";
import { frame } from "../node/fixture.ts";
import type { Target } from "./harness.ts";

/** A connection of an attacker's own. It reads nothing unless told to. */
export async function dial({ port }: Target): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  return socket;
}

/** Writes, at the pace that the other side takes; resolves once all is written, or nobody takes it any more. */
export async function pour(socket: Socket, pieces: Iterable<string | Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    if (socket.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        socket.off("drain", go).off("close", go);
        resolve();
      };
      socket.on("drain", go).on("close", go);
    });
  }
}

/** Resolves once the other side takes nothing more of what is sent to it. */
export async function stuck(sockets: readonly Socket[]): Promise<void> {
  const taken = () => sockets.map(takenBytes).join();
  let before = "";
  const isStuck = () => {
    const now = taken();
    const isSame = now === before && sockets.every(({ writableLength }) => writableLength > 0);
    before = now;
    return isSame;
  };
  await expect.poll(isStuck, { interval: 300, timeout: 10_000 }).toBe(true);
}

/** The head of the answer to what was sent. */
export async function answered(socket: Socket): Promise<string> {
  const [data] = await once(socket.resume(), "data");
  return String(data).split("\r\n\r\n")[0] ?? "";
}

/** A request as it stands on the wire, without a body. */
export function head(target: Target, method: string, path: string, fields: readonly string[] = []): string {
  return `${[`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${target.port}`, ...fields].join("\r\n")}\r\n\r\n`;
}

/** The handshake of a WebSocket at Level 1. */
export function handshake(target: Target, path: string): string {
  return head(target, "GET", path, [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: rocket.v1",
  ]);
}

/** A request in band. */
export function inBand(method: string, path: string, id: number | string, body = ""): Buffer {
  return frame(1, `${method} ${path} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n${body}`);
}

/** Ends connections at once. */
export function dropAll(sockets: readonly Socket[]): () => void {
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
