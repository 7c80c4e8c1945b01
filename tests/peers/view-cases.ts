import { expect } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import type { PeerCase, Scene } from "./cases.ts";
import type { Conversation } from "./conversation.ts";
import { serve, serveInProcess } from "./places.ts";

const everywhere = ["serve", "attach", "proxy"] as const;

/** Opens `/artists` anew where another conversation left off. */
function resume({ open }: Scene, { replica }: Conversation): Conversation {
  return open("/artists", { fields: { "Last-Event-ID": replica.position ?? "" } });
}

/** What was told of records, in short. */
function told({ messages }: Conversation): string[] {
  return messages
    .filter(({ status }) => status !== 304)
    .map(({ status, fields }) => `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim());
}

/** What holds on any transport: a snapshot, what follows it, and going on where it was cut. */
export const viewCases: readonly PeerCase[] = [
  {
    title: "is given the snapshot, the mark, and each change, which equal a GET [R-L1-1] [R-SUB-1]",
    needs: ["level-1"],
    at: everywhere,
    async run({ place, open }) {
      const conversation = open("/artists");
      expect(await conversation.open()).toBe("rocket.v1");
      await conversation.caughtUp();
      expect(conversation.messages.map(({ status }) => status)).toEqual([200, 304]);
      await conversation.rows(await place.list());
      const url = await place.add("Faust");
      await conversation.about(url);
      await place.rename(url, "Faust IV");
      await conversation.about(url, 202);
      await place.remove("/artists/2");
      await conversation.rows(await place.list());
      expect(told(conversation)).toEqual(["200", `201 ${url}`, `202 ${url}`, "204 /artists/2"]);
    },
  },
  {
    title: "is given text beyond ASCII, and more than a frame's short lengths hold, as it is [R-MSG-2]",
    needs: ["level-1"],
    at: everywhere,
    async run({ place, open }) {
      const conversation = await open("/artists").caughtUp();
      for (const name of ["Mötley 🤘\u2028Crüe", "a".repeat(126), "b".repeat(65_536), "ü".repeat(150_000)]) {
        await conversation.about(await place.add(name));
      }
      await conversation.rows(await place.list());
      const later = await open("/artists").caughtUp();
      await later.rows(await place.list());
    },
  },
  {
    title: "goes on by Last-Event-ID after its connection was cut, with nothing missing or twice [R-RES-1]",
    needs: ["level-1", "fields"],
    async run(scene) {
      const { place, open } = scene;
      const before = await open("/artists").caughtUp();
      await before.about(await place.add("Faust"));
      place.line.cut();
      await before.end();
      const added = await place.add("Cluster");
      await place.remove("/artists/1");
      const after = await resume(scene, before).caughtUp();
      expect(told(after)).toEqual([`201 ${added}`, "204 /artists/1"]);
      after.replica = before.replica;
      const last = await place.add("Harmonia");
      await after.about(last);
      expect(told(after)).toEqual([`201 ${added}`, "204 /artists/1", `201 ${last}`]);
    },
  },
  {
    title: "goes on by Last-Event-ID after the server was killed and started again [R-RES-1]",
    needs: ["level-1", "fields"],
    start: serveInProcess,
    async run(scene) {
      const { place, open } = scene;
      const before = await open("/artists").caughtUp();
      const seen = await place.add("Faust");
      await before.about(seen);
      await place.restart();
      await before.end();
      const added = await place.add("Cluster");
      const after = await resume(scene, before).caughtUp();
      expect(told(before)).toEqual(["200", `201 ${seen}`]);
      expect(told(after)).toEqual([`201 ${added}`]);
    },
  },
  {
    title: "goes on in a derived view: with a 304 where nothing has changed, else with a fresh 200 [R-DER-8]",
    needs: ["level-1", "fields"],
    at: ["attach", "proxy"],
    async run(scene) {
      const { place, open } = scene;
      const before = await open("/artists").caughtUp();
      await before.about(await place.add("Faust"));
      place.line.cut();
      await before.end();
      const same = await resume(scene, before).caughtUp();
      expect(told(same)).toEqual([]);
      place.line.cut();
      await same.end();
      await place.remove("/artists/1");
      const fresh = await resume(scene, before).caughtUp();
      expect(told(fresh)).toEqual(["200"]);
      await fresh.rows(await place.list());
    },
  },
  {
    title: "is told where it was, and to come back later, by a server that stops [R-CLOSE-4]",
    needs: ["level-1"],
    start: (tls) => serve({ ...(tls && { tls }) }),
    async run({ place, open }) {
      const conversation = await open("/artists").caughtUp();
      await conversation.about(await place.add("Faust"));
      const { position } = conversation.replica;
      await place.stop();
      const { code } = await conversation.end();
      expect(code).toBe(1001);
      expect(conversation.messages.at(-1)?.status).toBe(304);
      expect(conversation.replica.position).toBe(position);
    },
  },
];
