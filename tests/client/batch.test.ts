import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Client, type ClientOptions, ConflictError, createClient, ProblemError } from "../../src/client/index.ts";
import { stored } from "../../src/client/queued-write.ts";
import { createServer } from "../../src/node/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";
import { runSql, temporaryFolder } from "../cli/database.ts";

// A write is shown at once where its code is loaded.
beforeAll(() => import("../../src/client/outbox.ts"));

interface Artist {
  readonly id: number;
  readonly name: string;
}

interface Album {
  readonly id: number;
  readonly artist_id: number;
  readonly title: string;
}

const sql = `PRAGMA journal_mode = WAL; CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists, title TEXT NOT NULL);
  INSERT INTO artists VALUES (1, 'Can'), (2, 'Neu!'); INSERT INTO albums VALUES (1, 1, 'Tago Mago');`;

/** A server over a database of its own, and what was written to it: `POST /artists`, with `*` in band. */
async function start(promises?: readonly string[]) {
  const path = join(temporaryFolder(), "music.db");
  runSql(path, sql);
  const scaffold = await createScaffold({ path, readThreads: 0 });
  const writes: string[] = [];
  const server = createServer({
    ...scaffold,
    ...(promises ? { promises } : {}),
    origin: (request) => {
      const { method, target, isInBand } = request;
      if (method !== "GET" && method !== "HEAD") writes.push(`${method} ${target}${isInBand ? " *" : ""}`);
      return scaffold.origin(request);
    },
    drainMs: 0,
  });
  const { port } = await server.listen(0);
  onTestFinished(async () => {
    await server.close();
    await scaffold.close();
  });
  return { url: `http://127.0.0.1:${port}`, writes };
}

/** A client that follows both lists, and what was shown of them, each time that something else was. */
async function follow(url: string, options: ClientOptions = {}) {
  const errors: unknown[] = [];
  const client = createClient(url, { onError: (error) => void errors.push(error), ...options });
  onTestFinished(() => client.close());
  const artists = client.collection<Artist>("/artists");
  const albums = client.collection<Album>("/albums");
  const shown: string[] = [];
  const look = (): string => {
    const titles = albums.getSnapshot().rows.map(({ title }) => title);
    return [...artists.getSnapshot().rows.map(({ name }) => name), ...titles].join();
  };
  const note = (): void => {
    if (shown.at(-1) !== look()) shown.push(look());
  };
  await Promise.all([artists.ready(), albums.ready()]);
  artists.subscribe(note);
  albums.subscribe(note);
  return { client, artists, albums, shown, look, errors };
}

const batchPost = "POST /.well-known/rocket/batch";

describe("client.batch", () => {
  it.each(["http", "socket"] as const)(
    "sends writes as one, shows them at once, and confirms them together: by %s",
    async (requests) => {
      const { url, writes } = await start();
      const { client, artists, albums, look, errors } = await follow(url, { requests });
      const [can] = artists.getSnapshot().rows;
      let made: Promise<Artist> | undefined;
      const done = client.batch(() => {
        made = artists.create({ id: 3, name: "Low" });
        void albums.create({ id: 2, artist_id: 3, title: "Trust" });
        void artists.update(can as Artist, { name: "CAN" });
        void albums.destroy("/albums/1");
      });
      expect(look()).toBe("CAN,Neu!,Low,Trust");
      await done;
      expect(await made).toEqual({ url: "/artists/3", id: 3, name: "Low" });
      expect(writes).toEqual([requests === "socket" ? `${batchPost} *` : batchPost]);
      await vi.waitFor(() =>
        expect(artists.getSnapshot().rows.map((row) => artists.isPending(row))).not.toContain(true),
      );
      const other = await follow(url);
      expect([look(), errors]).toEqual([other.look(), []]);
    },
  );

  it("takes all of them back where one is refused, together [R-BATCH-5]", async () => {
    const { url, writes } = await start();
    const { client, artists, albums, shown, look, errors } = await follow(url);
    const before = look();
    const own: Promise<unknown>[] = [];
    const done = client.batch(() => {
      own.push(albums.create({ id: 2, artist_id: 1, title: "Future Days" }));
      own.push(artists.update("/artists/1", { name: "Neu!" }));
      own.push(albums.destroy("/albums/1"));
    });
    const error = await done.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).problem).toMatchObject({ status: 409, request: 1, errors: [{ field: "name" }] });
    expect(await Promise.allSettled(own)).toEqual(own.map(() => ({ status: "rejected", reason: error })));
    await vi.waitFor(() => expect([look(), shown.at(-1)]).toEqual([before, before]));
    // All of it was shown, then nothing: never a part.
    expect(shown).toEqual(["Neu!,Neu!,Future Days", before]);
    expect([writes, errors]).toEqual([[batchPost], []]);
  });

  it("is told once to onError where nobody waits for it", async () => {
    const { url } = await start();
    const { client, artists, errors } = await follow(url);
    void client.batch(() => {
      void artists.update("/artists/1", { name: "Neu!" });
      void artists.destroy("/artists/2");
    });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(errors[0]).toBeInstanceOf(ProblemError);
  });

  it("sends nothing to a server that does not promise it [R-BATCH-5]", async () => {
    const { url, writes } = await start(["idempotency-key"]);
    const { client, artists, look } = await follow(url);
    const done = client.batch(() => void artists.create({ id: 3, name: "Low" }));
    await expect(done).rejects.toMatchObject({ code: "no-batch" });
    expect([writes, look()]).toEqual([[], "Can,Neu!,Tago Mago"]);
  });

  it("is carried out once though its first answer is lost", async () => {
    const { url, writes } = await start();
    let isLost = false;
    const losing: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (isLost || init?.method !== "POST") return answer;
      isLost = true;
      throw new TypeError("The network is gone.");
    };
    const { client, artists, look } = await follow(url, { fetch: losing });
    await client.batch(() => {
      void artists.create({ name: "Low" });
      void artists.create({ name: "Air" });
    });
    expect(writes).toEqual([batchPost, batchPost]);
    await vi.waitFor(() => expect(look()).toBe("Can,Neu!,Low,Air,Tago Mago"));
  });

  it("outlives a reload as one", async () => {
    const { url, writes } = await start();
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
    };
    const offline: typeof fetch = (input, init) =>
      init?.method === "POST" ? new Promise(() => {}) : fetch(input, init);
    const first = await follow(url, { storage, user: "ann", fetch: offline });
    first.client
      .batch(() => {
        void first.artists.create({ id: 3, name: "Low" });
        void first.artists.create({ id: 4, name: "Air" });
      })
      .catch(() => {});
    await vi.waitFor(() => expect(JSON.parse([...kept.values()][0] ?? "[]")).toHaveLength(2));
    first.client.close();
    const second = await follow(url, { storage, user: "ann" });
    await vi.waitFor(() => expect(writes).toEqual([batchPost]));
    await vi.waitFor(() => {
      const { rows } = second.artists.getSnapshot();
      expect(rows.map((row) => [row.name, second.artists.isPending(row)])).toEqual(
        ["Can", "Neu!", "Low", "Air"].map((name) => [name, false]),
      );
    });
  });

  it("stays one through whatever is noted of its writes meanwhile", () => {
    const write = { id: "w", kind: "create", view: "/a", url: "/a", values: {}, user: "", batch: "b" } as const;
    expect(stored(write).batch).toBe("b");
  });

  it("tells both versions of a record that somebody else has changed, and takes all back", async () => {
    const { url } = await start();
    const { client, artists, look } = await follow(url);
    const other: Client = createClient(url);
    onTestFinished(() => other.close());
    const [seen] = artists.getSnapshot().rows;
    await other.collection<Artist>("/artists").update("/artists/1", { name: "CAN" });
    const done = client.batch(() => {
      void artists.create({ id: 3, name: "Low" });
      void artists.update("/artists/1", { name: "Mine" }, { base: seen });
    });
    const error = await done.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConflictError);
    expect((error as ConflictError).conflict).toMatchObject({ url: "/artists/1", theirs: { name: "CAN" } });
    await vi.waitFor(() => expect(look()).toBe("CAN,Neu!,Tago Mago"));
  });

  it("is nothing where what makes it throws, awaits, makes too many, or what is no write", async () => {
    const { url, writes } = await start();
    const { client, artists, look } = await follow(url);
    const create = (): void => void artists.create({ name: "Low" }).catch(() => {});
    const makers: readonly (readonly [() => void, string])[] = [
      [
        () => {
          create();
          throw new Error("No.");
        },
        "No.",
      ],
      [async () => create(), "can't await anything"],
      [() => Array.from({ length: 101 }).forEach(create), "at most 100 writes"],
      [
        () => {
          create();
          void artists.update({} as Artist, { name: "x" }).catch(() => {});
        },
        "could not be made",
      ],
      [() => void client.batch(create).catch(() => {}), ""],
    ];
    for (const [make, text] of makers) {
      const done = client.batch(make);
      await (text === "" ? done : expect(done).rejects.toThrow(text));
      expect(look()).toBe("Can,Neu!,Tago Mago");
    }
    await artists.create({ id: 9, name: "Air" });
    expect(writes).toEqual(["POST /artists"]);
  });
});
