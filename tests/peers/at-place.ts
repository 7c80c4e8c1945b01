import { describe, it } from "vitest";
import { server as certificate } from "../node/attach/certificates.ts";
import { peerCases } from "./cases.ts";
import { Conversation } from "./conversation.ts";
import { nodePeers } from "./node-peers.ts";
import { pipedPeers } from "./piped-peers.ts";
import { type PlaceKind, startPlace } from "./places.ts";
import { securePeers } from "./secure-peers.ts";

/** All peers of WebSockets; those of event streams are in streams.test.ts. */
const peersOf = { ws: [...nodePeers, ...pipedPeers], wss: securePeers };

/**
 * Tests with each peer that nobody here wrote, at one kind of place: all cases that the peer can do.
 *
 * @param scheme - `wss`: the place has TLS, with HTTP/1.1 and HTTP/2. Default `ws`
 */
export function testPeersAt(kind: PlaceKind, scheme: keyof typeof peersOf = "ws"): void {
  const peers = peersOf[scheme];
  const tls = scheme === "wss" ? certificate : undefined;
  for (const { name, missing } of peers) {
    if (missing !== "") console.log(`The tests with ${name} are skipped: ${missing}.`);
  }
  describe.each(peers)(`$name at ${kind}, by ${scheme}`, (peer) => {
    const able = peerCases.filter(
      ({ needs, at = ["serve"] }) => at.includes(kind) && needs.every((ability) => peer.abilities.has(ability)),
    );
    it.skipIf(peer.missing !== "").each(able)("$title", async ({ start = startPlace[kind], run }) => {
      const place = await start(tls);
      await run({ peer, place, open: (path, options) => new Conversation(peer, place.socketUrl(path), options) });
    });
  });
}
