import { describe, it } from "vitest";
import { peerCases } from "./cases.ts";
import { Conversation } from "./conversation.ts";
import { nodePeers } from "./node-peers.ts";
import { pipedPeers } from "./piped-peers.ts";
import { type PlaceKind, startPlace } from "./places.ts";

/**
 * All peers. Those of event streams (`eventsource`, `@microsoft/fetch-event-source`, `curl -N` without an upgrade) belong
 * here too, once there are such streams: with `level-1`, and `fields` where they can set them.
 */
const peers = [...nodePeers, ...pipedPeers];

/** Tests with each peer that nobody here wrote, at one kind of place: all cases that the peer can do. */
export function testPeersAt(kind: PlaceKind): void {
  for (const { name, missing } of peers) {
    if (missing !== "") console.log(`The tests with ${name} are skipped: ${missing}.`);
  }
  describe.each(peers)(`$name at ${kind}`, (peer) => {
    const able = peerCases.filter(
      ({ needs, at = ["serve"] }) => at.includes(kind) && needs.every((ability) => peer.abilities.has(ability)),
    );
    it.skipIf(peer.missing !== "").each(able)("$title", async ({ start = startPlace[kind], run }) => {
      const place = await start();
      await run({ peer, place, open: (path, options) => new Conversation(peer, place.socketUrl(path), options) });
    });
  });
}
