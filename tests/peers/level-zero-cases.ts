import { expect } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import type { PeerCase } from "./cases.ts";
import { opcodes } from "./frames.ts";
import { fastClock, serve } from "./places.ts";

const levelZero = { protocols: [] };

/** What a peer without `rocket.v1` sees. */
export const levelZeroCases: readonly PeerCase[] = [
  {
    title: "at Level 0 hears the proposal's three messages, byte for byte [R-L0-1] [R-L0-2]",
    needs: ["level-0"],
    async run({ place, open }) {
      const conversation = open("/artists", levelZero);
      expect(await conversation.open()).toBe("");
      const url = await place.add("Faust");
      await place.rename(url, "Faust IV");
      await place.remove(url);
      await conversation.about(url, 204);
      const fields = `\r\nContent-Type: application/json\r\nContent-Location: ${url}\r\n\r\n`;
      const record = (name: string) => JSON.stringify({ artist: { id: 4, name, url } });
      expect(conversation.frames.map((frame) => String(frame).replace(/\{.*\}/, (body) => sorted(body)))).toEqual([
        `HTTP/1.1 201 Created${fields}${sorted(record("Faust"))}`,
        `HTTP/1.1 202 Accepted${fields}${sorted(record("Faust IV"))}`,
        `HTTP/1.1 204 No Content${fields}`,
      ]);
    },
  },
  {
    title: "at Level 0 ends up with the rows of a GET, by opening first and asking then [R-L0-3]",
    needs: ["level-0"],
    at: ["serve", "attach", "proxy"],
    async run({ place, open }) {
      const conversation = open("/artists", levelZero);
      await conversation.open();
      const known = new Set((await place.list()).map(({ url }) => url));
      const added = await place.add("Faust");
      await conversation.about(added);
      await place.remove("/artists/1");
      await conversation.about("/artists/1", 204);
      for (const { status, fields } of conversation.messages) {
        const url = fieldValue(fields, "content-location") ?? "";
        if (status === 204) known.delete(url);
        else known.add(url);
      }
      expect([...known].sort()).toEqual((await place.list()).map(({ url }) => url).sort());
    },
  },
  {
    title: "at Level 0 is refused with the real status [R-L0-4]",
    needs: ["level-0", "status"],
    at: ["serve", "attach", "proxy"],
    async run({ open }) {
      expect(await open("/artists/99", levelZero).end()).toEqual({ status: 404 });
    },
  },
  {
    title: "at Level 0 may send what it likes [R-L0-5]",
    needs: ["level-0", "in-band", "ping"],
    async run({ place, open }) {
      const conversation = open("/artists", levelZero);
      await conversation.open();
      conversation.send("garbage");
      conversation.send(new Uint8Array([0, 255]));
      await conversation.ping("still there?");
      await place.remove("/artists/1");
      await conversation.about("/artists/1", 204);
      expect(conversation.messages).toHaveLength(1);
    },
  },
  {
    title: "at Level 0 answers the pings that come in a silence [R-HB-1]",
    needs: ["level-0", "in-band", "plain"],
    start: () => serve({ clock: fastClock(40) }),
    async run({ place, open }) {
      const conversation = open("/artists", levelZero);
      await conversation.open();
      await place.line.until(([call]) => {
        return (call?.sent.frames.filter(({ opcode }) => opcode === opcodes.pong).length ?? 0) >= 2;
      });
      await place.remove("/artists/1");
      await conversation.about("/artists/1", 204);
    },
  },
];

/** JSON whose members are in order: which order a record has them in is the database's. */
function sorted(json: string): string {
  return JSON.stringify(JSON.parse(json), ["artist", "id", "name", "url"]);
}
