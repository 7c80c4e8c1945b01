import { createServer } from "node:http";
import express from "express";
import { describe, expect, it } from "vitest";
import type { HttpResponse } from "../../../src/protocol/index.ts";
import type { Follower } from "./follower.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

const day = 86_400_000;

/** An app whose list is at `/api/v1/posts` and its records at `/posts/1`, and each user sees what is theirs. */
async function startBlog(
  fields: Readonly<Record<string, string>>,
  admit: (headers: express.Request) => string,
): Promise<Site> {
  const sessions = new Map([
    ["sa", "ann"],
    ["sb", "ben"],
  ]);
  const posts = [1, 2, 3, 4].map((id) => ({
    id,
    owner: id % 2 ? "ann" : "ben",
    title: `title ${id}`,
    pad: "x".repeat(200),
  }));
  const app = express();
  app.use(express.json());
  const userOf = (request: express.Request) => sessions.get(admit(request));
  app.use((request, response, next) => (userOf(request) ? next() : response.sendStatus(401)));
  const shown = (id: number, owner: string) => ({ ...posts[id - 1], url: `/posts/${id}`, reader: owner });
  app.get("/api/v1/posts", (request, response) => {
    const user = userOf(request) ?? "";
    response.set(fields).json({ posts: posts.filter(({ owner }) => owner === user).map(({ id }) => shown(id, user)) });
  });
  app.patch("/posts/:id", (request, response) => {
    Object.assign(posts[Number(request.params.id) - 1] ?? {}, request.body);
    response.json({});
  });
  app.post("/logout", (request, response) => {
    sessions.delete(admit(request));
    response.sendStatus(204);
  });
  const server = createServer(app);
  endAfterTest(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return attachTo(server, new Notes(), { refreshMs: day });
}

const byCookie = (request: express.Request) => /sid=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
const byToken = (request: express.Request) => request.headers.authorization?.replace("Bearer ", "") ?? "";

/** Whether all that somebody was sent is theirs. */
function isOnlyOf({ texts }: Follower, user: string): boolean {
  return texts.every(
    (text) => !text.includes('"reader"') || !text.includes(`"reader":"${user === "ann" ? "ben" : "ann"}"`),
  );
}

/** Resolves with the last change once there are so many. */
function changes(follower: Follower, count: number): Promise<HttpResponse> {
  return follower.until(({ messages }) => messages.filter(({ status }) => status === 202)[count - 1]);
}

describe("Two users whose list and records are under different prefixes", () => {
  it.each<
    [string, Record<string, string>, (request: express.Request) => string, (session: string) => Record<string, string>]
  >([
    ["cookies", {}, byCookie, (session) => ({ Cookie: `theme=dark; sid=${session}` })],
    ["tokens", {}, byToken, (session) => ({ Authorization: `Bearer ${session}` })],
    [
      "cookies, and answers that may be stored",
      { "Cache-Control": "private, max-age=60" },
      byCookie,
      (session) => ({ Cookie: `sid=${session}` }),
    ],
    [
      "tokens, and answers with Vary",
      { "Cache-Control": "max-age=60", Vary: "Authorization" },
      byToken,
      (session) => ({ Authorization: `Bearer ${session}` }),
    ],
  ])(
    "are given nothing of each other, see their own writes, and end at their own logout, with %s [R-DER-1] [R-DER-9]",
    async (_what, fields, admit, headersOf) => {
      const site = await startBlog(fields, admit);
      const [ann, ben] = [headersOf("sa"), headersOf("sb")];
      const anns = await site.follow("/api/v1/posts", { headers: ann }).ready();
      const bens = await site.follow("/api/v1/posts", { headers: ben }).ready();
      const second = await site.follow("/api/v1/posts", { headers: ann }).ready();

      // Her own write, at a URL that is neither above the list nor below it.
      await site.send("PATCH", "/posts/1", { title: "by ann" }, ann);
      await Promise.all([changes(anns, 1), changes(second, 1)]);
      expect(anns.texts.at(-1)).toContain('"title":"by ann"');

      // He writes to what is hers: he is shown nothing of it, and she is once she is looked for.
      await site.send("PATCH", "/posts/3", { title: "by ben" }, ben);
      site.attachment.changed("/api/v1/posts");
      expect(String((await changes(anns, 2)).body)).toContain('"title":"by ben"');
      expect(isOnlyOf(anns, "ann") && isOnlyOf(bens, "ben") && isOnlyOf(second, "ann")).toBe(true);
      expect(bens.texts.join("")).not.toContain("by ");

      await site.send("POST", "/logout", undefined, ann);
      expect(await Promise.all([anns.closed, second.closed])).toEqual([4401, 4401]);
      expect(site.attachment.counts.connections).toBe(1);
      await site.send("PATCH", "/posts/2", { title: "after" }, ben);
      expect(String((await changes(bens, 1)).body)).toContain('"title":"after"');

      // Her cookie or token opens nothing any more, whatever was stored.
      const late = site.follow("/api/v1/posts", { headers: ann });
      expect(await late.closed).toBe(4401);
      expect(late.texts.join("")).not.toContain("reader");
    },
  );
});
