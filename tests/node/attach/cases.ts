import { expect } from "vitest";
import type { AttachOptions } from "../../../src/node/index.ts";
import { bearerSubprotocol, fieldValue } from "../../../src/protocol/index.ts";
import { bearer } from "./notes.ts";
import type { Site } from "./site.ts";

/** One thing that holds whatever framework the application is made with. */
export interface Case {
  readonly id: string;
  readonly title: string;
  readonly options?: AttachOptions;
  readonly run: (site: Site) => Promise<void>;
}

const documents: readonly Case[] = [
  {
    id: "collection",
    title: "a collection's follower gets what is added, changed and removed [R-DER-4] [R-DER-5]",
    async run(site) {
      const follower = await site.follow("/api/notes").ready();
      expect(follower.list).toEqual([{ id: 1, text: "one" }]);
      await site.send("POST", "/api/notes", { text: "two" });
      await follower.rows([
        { id: 1, text: "one" },
        { id: 2, text: "two" },
      ]);
      await site.send("PUT", "/api/notes/1", { text: "ONE" });
      await follower.rows([
        { id: 1, text: "ONE" },
        { id: 2, text: "two" },
      ]);
      await site.send("DELETE", "/api/notes/1");
      await follower.rows([{ id: 2, text: "two" }]);
      const told = follower.messages.map(({ status }) => status).filter((status) => status > 200 && status < 300);
      expect(told).toEqual([201, 202, 204]);
    },
  },
  {
    id: "record",
    title: "a record's follower gets its change, and its 204 when it is gone",
    async run(site) {
      const follower = await site.follow("/api/notes/1").ready();
      await site.send("PUT", "/api/notes/1", { text: "ONE" });
      const change = await follower.status(202);
      expect(JSON.parse(String(change.body))).toEqual({ id: 1, text: "ONE" });
      await site.send("DELETE", "/api/notes/1");
      expect(await follower.closed).toBe(1000);
      expect(follower.messages.at(-1)?.status).toBe(204);
    },
  },
  {
    id: "level-0",
    title: "a WebSocket without a subprotocol gets the proposal's bytes [R-L0-2]",
    async run(site) {
      const follower = site.follow("/api/notes", { protocols: [] });
      await follower.opened;
      await site.send("POST", "/api/notes", { text: "two" });
      const { body } = await follower.status(201);
      const head = `HTTP/1.1 201 Created\r\nContent-Type: TYPE\r\nContent-Location: /api/notes/2\r\n\r\n${String(body)}`;
      expect(follower.texts[0]?.replace(/Content-Type: [^\r]+/, "Content-Type: TYPE")).toBe(head);
      expect(JSON.parse(String(body))).toEqual({ id: 2, text: "two" });
    },
  },
  {
    id: "in-band",
    title: "one connection follows several URLs [R-BAND-3]",
    async run(site) {
      const follower = site.follow("/.well-known/rocket");
      await follower.opened;
      expect((await follower.request("SUBSCRIBE", "/api/notes")).status).toBe(200);
      expect((await follower.request("SUBSCRIBE", "/secret")).status).toBe(401);
      expect((await follower.request("SUBSCRIBE", "/secret", [["Authorization", bearer]])).status).toBe(200);
      await site.send("POST", "/api/notes", { text: "two" });
      const { fields } = await follower.status(201);
      expect(fieldValue(fields, "subscription")).toBe("/api/notes");
    },
  },
  {
    id: "compression",
    title: "a document that the application compresses against the wish is read",
    async run(site) {
      const follower = await site.follow("/zipped").ready();
      site.notes.add("two");
      site.attachment.changed("/zipped");
      await follower.rows(site.notes.list);
      expect(follower.replica.snapshots).toBe(1);
    },
  },
  {
    id: "etag",
    title: "a document with an ETag is asked for on that condition",
    options: { refreshMs: 20 },
    async run(site) {
      const follower = await site.follow("/api/notes").ready();
      // A write that changes nothing.
      while (site.notes.unchanged === 0) await site.send("PUT", "/api/notes/1", { text: "one" });
      site.notes.add("two");
      await follower.rows(site.notes.list);
      expect(follower.replica.snapshots).toBe(1);
    },
  },
];

const viewers: readonly Case[] = [
  {
    id: "bearer",
    title: "a bearer token decides, in the handshake's fields or a subprotocol [R-SUB-2] [R-SEC-3]",
    async run(site) {
      const stranger = site.follow("/secret");
      expect((await stranger.status(401)).status).toBe(401);
      expect(await stranger.closed).toBe(4401);
      await expect(site.follow("/secret", { protocols: [] }).opened).rejects.toThrow("refused with 401");
      const known = await site.follow("/secret", { headers: { Authorization: bearer } }).ready();
      const page = site.follow("/secret", { protocols: ["rocket.v1", bearerSubprotocol(bearer.slice(7))] });
      await page.ready();
      expect([known.list, page.list]).toEqual([site.notes.list, site.notes.list]);
    },
  },
  {
    id: "session",
    title: "each session's followers get their own answers, and nobody else's [R-DER-1]",
    async run(site) {
      const [alice, bob] = [await site.logIn("alice"), await site.logIn("bob")];
      const alices = await site.follow("/mine", { headers: { Cookie: alice } }).ready();
      const bobs = await site.follow("/mine", { headers: { Cookie: bob } }).ready();
      await site.send("POST", "/mine", { text: "a" }, { Cookie: alice });
      await alices.until(({ texts }) => texts.some((text) => text.includes("alice: a")));
      await site.send("POST", "/mine", { text: "b" }, { Cookie: bob });
      await bobs.until(({ texts }) => texts.some((text) => text.includes("bob: b")));
      expect(bobs.texts.join()).not.toContain("alice");
      expect(alices.texts.join()).not.toContain("bob");
    },
  },
  {
    id: "login",
    title: "a redirect to the login ends the subscription with its Location [R-L1-6]",
    async run(site) {
      const follower = site.follow("/mine");
      const redirect = await follower.status(302);
      expect(fieldValue(redirect.fields, "location")).toBe("/login");
      expect(await follower.closed).toBe(4302);
    },
  },
  {
    id: "mark",
    title: "the application tells Rocket's requests from others, and nobody can forge one",
    async run(site) {
      await site.follow("/api/notes").ready();
      await site.send("GET", "/api/notes", undefined, { "Rocket-Request": "1", "X-Rocket": "1" });
      // The list, and whether a record is at its own URL.
      expect(site.notes.asked.map(({ isRocket }) => isRocket)).toEqual([true, true, false]);
    },
  },
  {
    id: "fields",
    title: "a request on a follower's behalf has the follower's fields, not its handshake's or its trace's",
    async run(site) {
      const headers = {
        "Accept-Language": "de",
        "Cache-Control": "no-cache",
        "X-Tenant": "7",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        Range: "bytes=0-1",
      };
      await site.follow("/api/notes", { headers }).ready();
      const fields = Object.keys(site.notes.asked[0]?.fields ?? {}).sort();
      const expected = ["accept", "accept-encoding", "accept-language", "host", "sec-fetch-mode", "x-tenant"];
      expect(fields).toEqual(expected);
      expect(site.notes.asked[0]?.fields.accept).toBe("application/json, */*;q=0.5");
    },
  },
];

const failures: readonly Case[] = [
  {
    id: "rate-limit",
    title: "a 429 of the application's rate limit parks the view and never ends it [R-DER-7]",
    async run(site) {
      const follower = await site.follow("/limited").ready();
      site.notes.tooMany = 1;
      site.notes.add("two");
      site.attachment.changed("/limited");
      await follower.rows(site.notes.list);
      expect(site.notes.refused).toBe(1);
      expect(follower.replica.snapshots).toBe(1);
    },
  },
  {
    id: "endless",
    title: "an answer that streams for ever is a 415 by its head, and the application sees its client go",
    async run(site) {
      const follower = site.follow("/stream");
      expect((await follower.status(415)).status).toBe(415);
      expect(await follower.closed).toBe(4415);
      while (site.notes.open > 0) await site.send("GET", "/api/notes");
    },
  },
  {
    id: "never",
    title: "an answer that never comes is a 504 in time, and the application sees its client go",
    options: { limits: { originTimeoutMs: 50 } },
    async run(site) {
      const follower = site.follow("/never");
      expect((await follower.status(504)).status).toBe(504);
      expect(await follower.closed).toBe(4504);
      while (site.notes.open > 0) await site.send("GET", "/api/notes");
    },
  },
  {
    id: "outcomes",
    title: "a write that ends with a 5xx is looked at, one that is refused is not [R-DER-4]",
    async run(site) {
      const follower = await site.follow("/broken").ready();
      const looks = () => site.notes.asked.filter(({ isRocket, path }) => isRocket && path === "/broken").length;
      expect((await site.send("POST", "/broken", { text: "" })).status).toBe(422);
      expect((await site.send("POST", "/broken", { text: "" })).status).toBe(422);
      expect(looks()).toBe(1);
      expect((await site.send("POST", "/broken", { text: "two" })).status).toBe(500);
      await follower.rows(site.notes.list);
      expect(site.notes.list).toHaveLength(2);
    },
  },
  {
    id: "close",
    title: "closing the server ends its followers with 1001, and does not hang [R-CLOSE-4]",
    async run(site) {
      const follower = await site.follow("/api/notes").ready();
      await new Promise((resolve) => site.server.close(resolve));
      expect(await follower.closed).toBe(1001);
      expect(site.attachment.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    },
  },
];

export const cases: readonly Case[] = [...documents, ...viewers, ...failures];
