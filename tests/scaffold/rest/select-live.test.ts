import { describe, expect, test } from "vitest";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { serveLibrary } from "./music-library.ts";
import { createPatientHub } from "./patient-hub.ts";

/** A follower of a URL of the library, and what a GET of it shows. */
async function follow(target: string) {
  const clock = createFakeClock();
  const service = await serveLibrary();
  const { hub, advance } = createPatientHub(service.scaffold, clock);
  const replica = new Replica(target);
  const told: string[] = [];
  const bodies: string[] = [];
  await connectMemoryPeer(hub, target, {
    fields: [["Host", "example.com"]],
    onMessage: (message) => {
      replica.take(message);
      if (message.status === 200) bodies.push(String(message.body));
      if (message.status !== 304) told.push(String(message.status));
    },
  });
  await advance(100);
  const write = async (sql: string): Promise<string[]> => {
    told.length = 0;
    await service.run(sql);
    await advance(100);
    return [...told];
  };
  /** Whether the follower has exactly what a GET has, in its order. */
  const isTrue = async (): Promise<void> => {
    const [rows] = Object.values((await service.send("GET", target)).json as object) as { url: string }[][];
    expect(replica.order.map((url) => JSON.parse(replica.records.get(url) ?? "null"))).toEqual(rows);
  };
  return { ...service, replica, write, isTrue, bodies };
}

describe("A list of what is selected", () => {
  test("is told what changes of it, and nothing of other columns", async () => {
    const { write, isTrue, replica } = await follow("/artists?select=id,label:name&genre=eq.rock");

    await isTrue();
    expect(await write("UPDATE artists SET born = 1 WHERE id = 2")).toEqual([]);
    expect(await write("UPDATE artists SET name = 'CAN' WHERE id = 2")).toEqual(["202"]);
    expect(replica.records.get("/artists/2")).toBe('{"url":"/artists/2","id":2,"label":"CAN"}');
    expect(await write("UPDATE artists SET genre = 'rock' WHERE id = 1")).toEqual(["201"]);
    expect(await write("UPDATE artists SET genre = NULL WHERE id = 2")).toEqual(["204"]);
    await isTrue();
  });

  test("may lack what it is sorted by", async () => {
    const { write, isTrue, replica } = await follow("/artists?select=name&order=born.desc&born=not.is.null");

    await write("UPDATE artists SET born = 2000 WHERE id = 2");
    await isTrue();
    expect(replica.order[0]).toBe("/artists/2");
  });
});

describe("A list with embedded records", () => {
  test("is told of the records whose others change, once for each transaction", async () => {
    const { write, isTrue } = await follow(
      "/artists?select=name,albums(title,tags(word),songs(title))&albums.order=title",
    );

    await isTrue();
    expect(await write("UPDATE songs SET title = 'x' WHERE album_id = 2")).toEqual(["202"]);
    expect(await write("UPDATE tags SET word = 'very long' WHERE id = 1")).toEqual(["202", "202"]);
    expect(await write("DELETE FROM albums_tags WHERE album_id = 3 AND tag_id = 1")).toEqual(["202"]);
    expect(await write("UPDATE songs SET seconds = 1")).toEqual([]);
    expect(await write("UPDATE albums SET artist_id = 4 WHERE id = 5")).toEqual(["202", "202"]);
    expect(await write("INSERT INTO staff (id, name) VALUES (9, 'x')")).toEqual([]);
    await isTrue();
  });

  test("has the records that what is embedded lets through", async () => {
    const { write, isTrue } = await follow("/artists?select=name,albums!inner(title)&albums.year=lt.1972");

    expect(await write("UPDATE albums SET year = 1970 WHERE id = 5")).toEqual(["201"]);
    expect(await write("UPDATE albums SET year = 1990 WHERE id = 3")).toEqual(["204"]);
    await isTrue();
  });
});

describe("A record with embedded ones", () => {
  test("is told when they change", async () => {
    const { write, replica } = await follow("/albums/5?select=title,artists(name)");

    expect(await write("UPDATE artists SET name = 'NEU!' WHERE id = 3")).toEqual(["202"]);
    expect(await write("UPDATE artists SET born = 1 WHERE id = 3")).toEqual([]);
    expect([...replica.records.values()].join()).toContain('"artists":{"url":"/artists/3","name":"NEU!"}');
    expect(await write("DELETE FROM songs WHERE album_id = 5; DELETE FROM albums WHERE id = 5")).toEqual(["204"]);
  });
});

describe("What several records come to", () => {
  test("is sent anew when it changes", async () => {
    const { write, bodies } = await follow("/artists?select=genre,count()&genre=not.is.null");

    expect(await write("UPDATE artists SET born = 3")).toEqual([]);
    expect(await write("UPDATE artists SET genre = 'rock' WHERE id = 1")).toEqual(["200"]);
    expect(bodies.at(-1)).toBe('{"artists":[{"genre":"rock","count":3}]}');
  });
});
