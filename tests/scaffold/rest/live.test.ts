import { describe, expect, onTestFinished, test } from "vitest";
import type { Batch, Journal } from "../../../src/server/index.ts";
import { musicSql, type Service, serve } from "./service.ts";

function journalOf({ scaffold }: Service): Journal {
  if (!scaffold.journal) throw new Error("This scaffold has no journal.");
  return scaffold.journal;
}

describe("The position of an answer", () => {
  test("is the journal's head, as of the state that was read", async () => {
    const service = await serve(musicSql);
    const { send, run } = service;

    await run("INSERT INTO artists (name) VALUES ('Cluster')");
    const get = await send("GET", "/artists");
    await journalOf(service).poll();

    expect(get.view?.eventId).toBe(journalOf(service).head.eventId);
    expect(get.view?.position).toBe(journalOf(service).head.position);
    expect((get.json as { artists: object[] }).artists).toHaveLength(5);
  });

  test("to a write is where its change is", async () => {
    const service = await serve(musicSql);
    const { send } = service;

    const before = (await send("GET", "/artists/1")).view?.position ?? 0;
    const patch = await send("PATCH", "/artists/1", { year: 1969 });
    const get = await send("GET", "/artists/1");
    const none = await send("PATCH", "/artists/1", {});

    expect(patch.field("Event-ID")).toBe(get.field("Event-ID"));
    expect(none.field("Event-ID")).toBe(get.field("Event-ID"));
    expect(await journalOf(service).locate(patch.field("Event-ID") ?? "")).toBe(get.view?.position);
    expect(get.view?.position).toBeGreaterThan(before);
  });

  test("to writes of one turn is the end of their transaction, and the tail hears of it unasked", async () => {
    const service = await serve(musicSql);
    const batches: Batch[] = [];
    const heard = new Promise<void>((resolve) => {
      onTestFinished(
        journalOf(service).tail((batch) => {
          batches.push(batch);
          if (batches.flatMap(({ changes }) => changes).length === 3) resolve();
        }),
      );
    });

    const answers = await Promise.all([1, 2, 3].map((id) => service.send("PATCH", `/artists/${id}`, { year: 1999 })));
    await heard;

    const ids = new Set(answers.map((answer) => answer.field("Event-ID")));
    expect([...ids]).toEqual([batches.at(-1)?.eventId]);
    expect(batches.flatMap(({ changes }) => changes).map(({ url }) => url)).toEqual([
      "/artists/1",
      "/artists/2",
      "/artists/3",
    ]);
  });
});
