import { expect } from "vitest";
import { fieldValue, wellKnownPath } from "../../src/protocol/index.ts";
import type { PeerCase } from "./cases.ts";

/** What needs a way back on the connection: requests in band, control frames, closes. */
export const inBandCases: readonly PeerCase[] = [
  {
    title: "subscribes and unsubscribes in band, by text and by binary [R-BAND-3] [R-BAND-6] [R-MSG-2]",
    needs: ["level-1", "in-band"],
    at: ["serve", "attach", "proxy"],
    async run({ place, open }) {
      const conversation = open(wellKnownPath);
      await conversation.until(({ messages }) => messages[0]);
      const opening = await conversation.request("SUBSCRIBE", "/artists", { isBinary: true });
      expect([opening.status, fieldValue(opening.fields, "subscription")]).toEqual([200, "/artists"]);
      const added = await place.add("Faust");
      expect(fieldValue((await conversation.about(added)).fields, "subscription")).toBe("/artists");
      const left = await conversation.request("UNSUBSCRIBE", "/artists");
      expect([left.status, fieldValue(left.fields, "subscription")]).toEqual([204, "/artists"]);
      const unheard = await place.add("Cluster");
      const record = await conversation.request("SUBSCRIBE", unheard);
      expect(record.status).toBe(200);
      await place.rename(unheard, "Kluster");
      await conversation.about(unheard, 202);
      const about = conversation.messages.filter(({ fields }) => fieldValue(fields, "content-location") === unheard);
      expect(about.map(({ fields }) => fieldValue(fields, "subscription"))).toEqual([unheard]);
      expect((await conversation.request("UNSUBSCRIBE", "/artists")).status).toBe(404);
    },
  },
  {
    title: "reads and writes in band, by text and by binary [R-BAND-12] [R-BAND-17]",
    needs: ["level-1", "in-band"],
    at: ["serve", "attach", "proxy"],
    async run({ place, open }) {
      const added = await place.add("Faust");
      const conversation = open(wellKnownPath);
      await conversation.until(({ messages }) => messages[0]);
      expect(String((await conversation.request("GET", added)).body)).toContain('"Faust"');
      for (const isBinary of [false, true]) {
        const name = `Fäust ${isBinary}`;
        const fields = [["Content-Type", "application/json"]] as const;
        const body = JSON.stringify({ name });
        const written = await conversation.request("PATCH", added, { fields, body, isBinary });
        expect(written.status).toBeLessThan(300);
        expect(String((await conversation.request("GET", added, { isBinary })).body)).toContain(JSON.stringify(name));
      }
      const head = await conversation.request("HEAD", added);
      expect([head.status, head.body.length, fieldValue(head.fields, "content-length")]).toEqual([200, 0, undefined]);
    },
  },
  {
    title: "that can't set fields goes on by a SUBSCRIBE at the well-known URL [R-RES-5] [R-WK-2]",
    needs: ["level-1", "in-band"],
    async run({ place, open }) {
      const before = open(wellKnownPath);
      await before.until(({ messages }) => messages[0]);
      await before.request("SUBSCRIBE", "/artists");
      const seen = await place.add("Faust");
      const position = fieldValue((await before.about(seen)).fields, "event-id") ?? "";
      place.line.cut();
      await before.end();
      const missed = await place.add("Cluster");
      const after = open(wellKnownPath);
      await after.until(({ messages }) => messages[0]);
      const opening = await after.request("SUBSCRIBE", "/artists", { fields: [["Last-Event-ID", position]] });
      expect([opening.status, fieldValue(opening.fields, "event-id")]).toEqual([304, position]);
      await after.about(missed);
      const urls = after.messages.map(({ fields }) => fieldValue(fields, "content-location"));
      expect(urls.filter((url) => url !== undefined)).toEqual([missed]);
    },
  },
  {
    title: "is refused in band, and then closed with the status [R-L1-5]",
    needs: ["level-1", "close"],
    at: ["serve", "attach", "proxy"],
    async run({ open }) {
      const conversation = open("/artists/99");
      expect((await conversation.end()).code).toBe(4404);
      expect(conversation.messages.map(({ status }) => status)).toEqual([404]);
      expect(fieldValue(conversation.messages[0]?.fields ?? [], "content-type")).toBe("application/problem+json");
    },
  },
  {
    title: "is closed with 1000 once the record that it follows is gone [R-SUB-9]",
    needs: ["level-1", "close"],
    at: ["serve", "attach", "proxy"],
    async run({ place, open }) {
      const conversation = await open("/artists/2").caughtUp();
      await place.remove("/artists/2");
      expect((await conversation.end()).code).toBe(1000);
      expect(conversation.messages.at(-1)?.status).toBe(204);
    },
  },
  {
    title: "is closed with 1002 where it sends what is no message [R-MSG-3]",
    needs: ["level-1", "in-band", "close"],
    async run({ open }) {
      const conversation = await open("/artists").caughtUp();
      conversation.send("SUBSCRIBE /artists\r\n\r\n");
      expect((await conversation.end()).code).toBe(1002);
    },
  },
  {
    title: "is closed with 1009 where it sends more than a message may have [R-MSG-16]",
    needs: ["level-1", "in-band", "close"],
    async run({ open }) {
      const conversation = await open("/artists").caughtUp();
      conversation.send("a".repeat(1_100_000));
      expect((await conversation.end()).code).toBe(1009);
    },
  },
  {
    title: "has its pings answered between messages",
    needs: ["level-1", "ping"],
    async run({ place, open }) {
      const conversation = await open("/artists").caughtUp();
      await conversation.ping("one");
      await conversation.about(await place.add("Faust"));
      await conversation.ping("two");
      expect(conversation.pongs).toEqual(["one", "two"]);
    },
  },
  {
    title: "offers permessage-deflate in vain, and goes on without [R-SEC-6]",
    needs: ["level-1", "deflate", "plain"],
    at: ["serve", "attach", "proxy"],
    async run({ place, open }) {
      const conversation = await open("/artists").caughtUp();
      const [call] = place.line.calls;
      expect(call?.sent.head).toMatch(/^sec-websocket-extensions: .*permessage-deflate/im);
      expect(call?.received.head).not.toMatch(/^sec-websocket-extensions:/im);
      await conversation.about(await place.add("Faust".repeat(100)));
    },
  },
  {
    title: "says good-bye with a code of its own, and is answered with it",
    needs: ["level-1", "in-band", "close"],
    async run({ place, open }) {
      const conversation = await open("/artists").caughtUp();
      conversation.close(4321, "enough");
      expect((await conversation.end()).code).toBe(4321);
      expect(await place.list()).toHaveLength(3);
    },
  },
];
