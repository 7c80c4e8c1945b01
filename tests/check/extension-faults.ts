import { encodeFrame } from "../../src/check/wire/frames.ts";
import type { BrokenServer } from "./faults.ts";

const isStrange = /^Prefer: rocket-check-unknown/m;

/** Servers that are right but for what they make of extensions, and such with something between. */
export const brokenExtensions: readonly BrokenServer[] = [
  {
    requirement: "R-EXT-1",
    what: "refuses handshakes with preferences that it does not know",
    fault: {
      request: (head) => (isStrange.test(head) ? head.replace(/^GET \S+/, "GET /rocket-check-nothing") : head),
    },
  },
  {
    requirement: "R-EXT-1",
    what: "refuses subscriptions with preferences that it does not know",
    fault: {
      fromClient: ({ text }) => ({
        on: [isStrange.test(text) ? text.replace(/^SUBSCRIBE \S+/, "SUBSCRIBE /rocket-check-nothing") : text],
      }),
    },
  },
  {
    requirement: "R-EXT-1",
    what: "carries out a method in band that it does not name",
    fault: { response: (text) => text.replace('"methods":["GET",', '"methods":["GXT",') },
  },
  {
    requirement: "R-EXT-2",
    what: "echoes a later version that it does not speak",
    fault: {
      accepted: (head, handshake) =>
        /^sec-websocket-protocol: rocket\.v999, rocket\.v998/im.test(handshake)
          ? head.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: rocket.v999\r\n\r\n")
          : head,
    },
  },
  {
    requirement: "R-EXT-3",
    what: "says that it is of version 2.0",
    fault: { response: (text) => text.replace('"version":"1.', '"version":"2.') },
  },
  {
    requirement: "R-MID-1",
    what: "stands behind a front that ends connections on which the client is silent",
    fault: {
      fromServer: ({ index, text }) => [index > 1 ? `!${text}` : text],
      serverBytes: (bytes, { payload }) =>
        payload[0] === 0x21 ? encodeFrame({ opcode: 8, payload: Buffer.from([3, 233]), mask: "none" }) : bytes,
    },
  },
];
