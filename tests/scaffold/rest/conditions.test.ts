import { describe, expect, test } from "vitest";
import { musicSql, serve } from "./service.ts";

describe("If-None-Match", () => {
  test.each(["/artists", "/artists/1", "/", "/artists?genre=rock&limit=1"])(
    "answers 304 to a GET of %s",
    async (target) => {
      const { send } = await serve(musicSql);
      const etag = (await send("GET", target)).field("ETag") ?? "";

      for (const method of ["GET", "HEAD"]) {
        const answer = await send(method, target, undefined, { "If-None-Match": `"x", W/${etag}` });
        expect([answer.status, answer.body, answer.field("ETag")]).toEqual([304, "", etag]);
      }
      expect((await send("GET", target, undefined, { "If-None-Match": '"x"' })).status).toBe(200);
    },
  );

  test("of * keeps PUT from replacing, and lets it create", async () => {
    const { send } = await serve(musicSql);
    const fields = { "If-None-Match": "*" };

    expect((await send("PUT", "/artists/1", { name: "x" }, fields)).status).toBe(412);
    expect((await send("PUT", "/artists/9", { name: "x" }, fields)).status).toBe(201);
    expect((await send("PUT", "/artists/9", { name: "y" }, fields)).status).toBe(412);
  });
});

describe("If-Match", () => {
  test.each([
    ["PUT", { name: "x" }],
    ["PATCH", { name: "x" }],
    ["DELETE", undefined],
  ])("lets %s go through with the current entity tag only", async (method, body) => {
    const { send } = await serve(musicSql);
    const etag = (await send("GET", "/artists/3")).field("ETag") ?? "";
    await send("PATCH", "/artists/3", { year: 1999 });
    const now = (await send("GET", "/artists/3")).field("ETag") ?? "";

    const stale = await send(method, "/artists/3", body, { "If-Match": etag });
    const weak = await send(method, "/artists/3", body, { "If-Match": `W/${now}` });
    const fresh = await send(method, "/artists/3", body, { "If-Match": `"x", ${now}` });

    expect([stale.status, stale.field("ETag"), weak.status]).toEqual([412, now, 412]);
    expect(fresh.status).toBe(method === "DELETE" ? 204 : 200);
  });

  test("of * wants a record to be there", async () => {
    const { send } = await serve(musicSql);
    const fields = { "If-Match": "*" };

    expect((await send("PUT", "/artists/9", { name: "x" }, fields)).status).toBe(412);
    expect((await send("PUT", "/artists/1", { name: "x" }, fields)).status).toBe(200);
  });

  test("is seen in the write's own transaction: of two in one turn, the second fails", async () => {
    const { send } = await serve(musicSql);
    const etag = (await send("GET", "/artists/1")).field("ETag") ?? "";

    const answers = await Promise.all(
      ["a", "b"].map((name) => send("PATCH", "/artists/1", { name }, { "If-Match": etag })),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 412]);
  });

  test("holds for a collection, on POST, and for GET", async () => {
    const { send } = await serve(musicSql);
    const etag = (await send("GET", "/artists")).field("ETag") ?? "";

    expect((await send("POST", "/artists", { name: "x" }, { "If-Match": etag })).status).toBe(201);
    expect((await send("POST", "/artists", { name: "y" }, { "If-Match": etag })).status).toBe(412);
    expect((await send("GET", "/artists", undefined, { "If-Match": etag })).status).toBe(412);
  });

  test("does not come before what is wrong anyway", async () => {
    const { send } = await serve(musicSql);
    const fields = { "If-Match": '"x"' };

    expect((await send("DELETE", "/artists/99", undefined, fields)).status).toBe(404);
    expect((await send("PATCH", "/artists/1", { nothing: 1 }, fields)).status).toBe(422);
  });
});

describe("The entity tag of a list that a GET answers the beginning of", () => {
  test("is another one where its link to the rest is, for conditions on writes, too [R-SUB-18]", async () => {
    const { send } = await serve(musicSql, { maxRows: 3 });
    const tagOf = async () => (await send("GET", "/artists")).field("ETag") ?? "";
    let made = 0;
    const create = (etag: string) => {
      made += 1;
      return send("POST", "/artists", { name: `new ${made}` }, { "If-Match": etag });
    };
    while ((await send("GET", "/artists")).field("Link") !== undefined) {
      const { body } = await send("GET", "/artists?offset=3&limit=1");
      await send("DELETE", (JSON.parse(String(body)) as { artists: { url: string }[] }).artists[0]?.url ?? "");
    }
    const before = await tagOf();
    expect((await create(before)).status).toBe(201);

    expect(await tagOf()).not.toBe(before);
    expect((await create(before)).status).toBe(412);
    expect((await create(await tagOf())).status).toBe(201);
    expect((await send("GET", "/artists", undefined, { "If-None-Match": before })).status).toBe(200);
  });
});
