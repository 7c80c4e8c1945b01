import { describe, expect, test } from "vitest";
import { connectMemoryPeer, createFakeClock } from "../../../src/testing/index.ts";
import { createPatientHub } from "./patient-hub.ts";
import { here, musicSql, type Service, serve } from "./service.ts";

async function namesIn({ send }: Service): Promise<string[]> {
  const { json } = await send("GET", "/artists?id=gt.4&order=id");
  return (json as { artists: { name: string }[] }).artists.map(({ name }) => name);
}

describe("A POST of a list", () => {
  test.each([
    ["by itself", (list: unknown) => list],
    ["in the collection's envelope", (artists: unknown) => ({ artists })],
  ])("%s creates all records, and shows them in its order", async (_how, body) => {
    const service = await serve(musicSql);
    const answer = await service.send("POST", "/artists", body([{ name: "Low" }, { artist: { name: "Air" } }]));
    const rows = [
      { url: "/artists/5", id: 5, name: "Low", genre: "rock", year: null, active: true },
      { url: "/artists/6", id: 6, name: "Air", genre: "rock", year: null, active: true },
    ];
    expect([answer.status, answer.json]).toEqual([201, { artists: rows }]);
    expect(answer.field("Event-ID")).toBeDefined();
    expect([answer.field("Location"), answer.field("Content-Location")]).toEqual([undefined, undefined]);
    expect(await namesIn(service)).toEqual(["Low", "Air"]);
  });

  test.each([
    ["a unique value", { name: "Can" }, 409, "name"],
    ["a check", { name: "x", year: 1 }, 422, undefined],
    ["an unknown column", { name: "x", nothing: 1 }, 422, "nothing"],
    ["what is no object", 7, 422, undefined],
  ])("that fails in one creates none, and says which: %s", async (_what, bad, status, field) => {
    const service = await serve(musicSql);
    const answer = await service.send("POST", "/artists", [{ name: "Low" }, bad, { name: "Air" }]);
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([
      status,
      expect.stringMatching(/^Record 2 of the list: /),
    ]);
    if (field) expect(answer.json).toMatchObject({ errors: [{ field }] });
    expect(await namesIn(service)).toEqual([]);
  });

  test("has as many records as an answer at most, and may have none", async () => {
    const service = await serve(musicSql, { maxRows: 2 });
    const list = ["a", "b", "c"].map((name) => ({ name }));
    const many = await service.send("POST", "/artists", list);
    expect([many.status, many.text]).toEqual([422, expect.stringContaining("A list may have 2 records at most.")]);
    const none = await service.send("POST", "/artists", []);
    expect([none.status, none.json]).toEqual([201, { artists: [] }]);
    expect((await service.send("POST", "/artists", list.slice(1))).status).toBe(201);
  });

  test("is no PUT and no PATCH", async () => {
    const { send } = await serve(musicSql);
    for (const method of ["PUT", "PATCH"]) expect((await send(method, "/artists/1", [{}])).status).toBe(422);
  });

  test("is one write to who follows, and to who repeats it with its key [R-WK-4]", async () => {
    const clock = createFakeClock();
    const { send, scaffold } = await serve(musicSql, { clock });
    const { hub, advance } = createPatientHub(scaffold, clock);
    const told: string[] = [];
    await connectMemoryPeer(hub, "/artists", {
      fields: [["Host", "example.com"]],
      onMessage: ({ status, fields }) => {
        told.push(`${status}${fields.some(([name]) => name.toLowerCase() === "event-id") ? " at a position" : ""}`);
      },
    });
    await advance(100);
    told.length = 0;
    const fields = { "Idempotency-Key": '"k"', Prefer: "return=minimal" };
    const list = [{ name: "Low" }, { name: "Air" }];
    // Writes wait for the clock.
    const [first] = await Promise.all([send("POST", "/artists", list, fields), advance(100)]);
    const [again] = await Promise.all([send("POST", "/artists", list, fields), advance(100)]);
    expect([first.status, first.text, again.fields]).toEqual([201, "", first.fields]);
    await advance(200);
    expect(told.slice(0, 2)).toEqual(["201", "201 at a position"]);
  });

  test("in an envelope is a record where a column has the collection's name", async () => {
    const json = here({ sqlite: "JSON", postgres: "jsonb" });
    const { send } = await serve(`CREATE TABLE things (id integer PRIMARY KEY, things ${json})`);
    const answer = await send("POST", "/things", here({ sqlite: { things: [1] }, postgres: { things: [1], id: 1 } }));
    expect([answer.status, answer.json]).toMatchObject([201, { thing: { things: [1] } }]);
  });
});
