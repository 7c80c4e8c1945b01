import { expect, test } from "vitest";
import { dialRaw, frame, handshake as handshakeOf, startSite } from "../node/fixture.ts";
import { dial, dropAll, handshake, pour } from "./attacks.ts";
import { startServe, withstand } from "./harness.ts";

const unfinished = frame(1, Buffer.alloc(1024 * 1024, 0x61)).subarray(0, -1);
const fragment = frame(1, Buffer.alloc(100 * 1024, 0x61), false);
const goesOn = frame(0, Buffer.alloc(100 * 1024, 0x61), false);

test.each([
  ["one frame", [unfinished]],
  ["frames between pongs", [fragment, ...Array.from({ length: 9 }, () => [frame(10, "x"), goesOn]).flat()]],
])(
  "messages that do not end hold bounded memory, beyond which they are a 4503: %s [R-SEC-5]",
  async (_what, pieces) => {
    const target = await startServe();
    await withstand(
      target,
      async () => {
        const sockets = await Promise.all(Array.from({ length: 200 }, () => dial(target)));
        const closes = sockets.map(
          (socket) =>
            new Promise<string>((resolve) => {
              let text = "";
              socket.on("data", (data) => {
                text += data.toString("latin1");
              });
              socket.on("close", () => resolve(text));
              socket.resume();
            }),
        );
        for (const socket of sockets) void pour(socket, [handshake(target, "/big"), ...pieces]);
        let refused = 0;
        for (const closed of closes) void closed.then((text) => (refused += text.includes("\x88") ? 1 : 0));
        // All but those that there is room for: 64 MiB of 200. What they held may not be collected yet.
        await expect.poll(() => refused, { timeout: 10_000 }).toBeGreaterThanOrEqual(130);
        return dropAll(sockets);
      },
      { heldMib: 180, peakMib: 300 },
    );
  },
);

test.each([[[]], [["Sec-WebSocket-Protocol: rocket.v1"]]])(
  "what a socket has sent of a message is counted until it is whole: %j [R-SEC-5]",
  async (fields) => {
    const site = await startSite();
    const { held } = site.rocket.hub;
    const raw = await dialRaw(site, handshakeOf(site, "/a", fields));
    await raw.until(/ 101 /);
    raw.socket.write(unfinished);
    await expect.poll(() => held.used).toBeGreaterThanOrEqual(unfinished.length);
    raw.socket.write("a");
    await expect.poll(() => held.used).toBe(0);
  },
);
