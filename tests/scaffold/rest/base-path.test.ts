import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { type Client, createClient } from "../../../src/client/index.ts";
import { createServer } from "../../../src/node/index.ts";
import { type Front, front } from "../../node/front.ts";
import { temporaryFolder } from "../sqlite/service.ts";
import { here, musicSql, type Service, serve } from "./service.ts";

interface Artist {
  readonly id: number;
  readonly url: string;
  readonly name: string;
  readonly genre: string;
}

interface Site extends Service {
  /** Where the server itself is, without what is before it. */
  readonly direct: string;
  readonly front: Front;
  readonly client: Client;
}

/** A database that a front shows below /api, with a page beside it. */
async function site(strips: boolean): Promise<Site> {
  const service = await serve(musicSql, {
    basePath: "/api",
    maxRows: 3,
  });
  await service.run('CREATE TABLE "big room" (id INTEGER PRIMARY KEY)');
  await service.send("GET", "/api/big%20room");
  const publicFolder = join(temporaryFolder(), "public");
  mkdirSync(join(publicFolder, "docs"), { recursive: true });
  for (const path of ["index.html", "docs/index.html"]) writeFileSync(join(publicFolder, path), `<p>${path}`);
  const server = createServer({ ...service.scaffold, derived: {}, publicFolder, drainMs: 0 });
  const { port } = await server.listen(0);
  const direct = `http://127.0.0.1:${port}`;
  const shown = await front(direct, strips);
  const client = createClient(`${shown.url}/api`);
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  return { ...service, direct, front: shown, client };
}

/** Resolves once `test` holds of a snapshot. */
function until(view: { subscribe(listener: () => void): () => void }, test: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!test()) return;
      stop();
      resolve();
    };
    const stop = view.subscribe(() => look());
    look();
  });
}

describe.each([
  ["takes it off", true],
  ["leaves it", false],
])("a database below a base path, behind a front that %s,", (_what, strips) => {
  it("says in each URL where clients see it [R-WK-5]", async () => {
    const { front } = await site(strips);
    const list = await fetch(`${front.url}/api/artists?order=name`);
    expect(list.headers.get("link")?.split(", ")).toContain(
      '</api/artists?offset=3&order=name.asc%2Cid.asc>; rel="next"',
    );
    expect(list.headers.get("items")).toContain('url="/api/artists/{id}"');
    const { artists } = (await list.json()) as { readonly artists: readonly Artist[] };
    expect(artists.map(({ url }) => url)).toEqual(["/api/artists/2", "/api/artists/4", "/api/artists/1"]);
    const headers = { "Content-Type": "application/json" };
    const made = await fetch(`${front.url}/api/artists`, { method: "POST", headers, body: '{"name":"Low"}' });
    expect([made.status, made.headers.get("location")]).toEqual([201, "/api/artists/5"]);
    const index = (await (await fetch(`${front.url}/api/`)).json()) as { readonly collections: readonly Artist[] };
    expect(index.collections.map(({ url }) => url)).toEqual(["/api/artists", "/api/albums", "/api/big%20room"]);
    expect((await fetch(`${front.url}/api/.well-known/rocket`)).status).toBe(200);
    expect((await fetch(`${front.url}/api/none`)).status).toBe(404);
  });

  it("is followed over one socket below it [R-WK-5]", async () => {
    const { front, client, run } = await site(strips);
    const rock = client.collection<Artist>("/artists", { where: { genre: "rock" }, order: "name" });
    const names = () => rock.getSnapshot().rows.map(({ name }) => name);
    await rock.ready();
    await until(rock, () => rock.getSnapshot().status.state === "live");
    expect(names()).toEqual(["Can", "Faust", "Neu!"]);
    await run("DELETE FROM artists WHERE name = 'Faust'");
    await until(rock, () => names().length === 2);
    const made = await rock.create({ name: "Low" });
    // PostgreSQL gives no number of a sequence twice.
    const id = here({ sqlite: 4, postgres: 5 });
    expect(rock.urlOf(made)).toBe(`/api/artists/${id}`);
    await rock.update(made, { name: "Amon" });
    await until(rock, () => names()[0] === "Amon");
    const record = client.record<Artist>(`/artists/${id}`);
    expect((await record.ready()).row?.name).toBe("Amon");
    expect(client.record<Artist>(`/api/artists/${id}`)).toBe(record);
    expect(front.upgrades).toEqual(["/api/.well-known/rocket"]);
  });

  it("is followed in windows, and at Level 0", async () => {
    const { front, client, run } = await site(strips);
    const two = client.collection<Artist>("/artists", { order: "name", limit: 2 });
    await two.ready();
    const socket = new WebSocket(`${front.url.replace("http", "ws")}/api/artists?genre=jazz`);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const message = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    await run("INSERT INTO artists (id, name, genre) VALUES (9, 'Amon', 'jazz')");
    expect(await message).toContain("\r\nContent-Location: /api/artists/9\r\n");
    socket.close();
    await until(two, () => two.getSnapshot().rows[0]?.url === "/api/artists/9");
  });

  it("has its files beside it", async () => {
    const { front } = await site(strips);
    const headers = { Accept: "text/html" };
    expect(await (await fetch(`${front.url}/api/`, { headers })).text()).toBe("<p>index.html");
    expect(await (await fetch(`${front.url}/api/a/page`, { headers })).text()).toBe("<p>index.html");
    const folder = await fetch(`${front.url}/api/docs?a=b`, { headers, redirect: "manual" });
    expect([folder.status, folder.headers.get("location")]).toEqual([301, "/api/docs/?a=b"]);
    expect(await (await fetch(`${front.url}/api/docs?a=b`, { headers })).text()).toBe("<p>docs/index.html");
    expect((await fetch(`${front.url}/api/artists/1`)).headers.get("content-type")).toBe("application/json");
  });
});

describe("a database below a base path", () => {
  it("is not served beside it by its origin, which knows clients' URLs only", async () => {
    const { scaffold, send } = await serve(musicSql, { basePath: "/music/v1" });
    expect((await send("GET", "/music/v1/artists/1")).status).toBe(200);
    expect((await send("GET", "/music/v1")).status).toBe(200);
    expect((await send("GET", "/artists/1")).json).toMatchObject({
      status: 404,
      detail: "There is nothing at /artists/1. The collections are listed at /music/v1/.",
    });
    expect(["/music/v1/artists?a", "/artists", "/music/v1"].map((target) => scaffold.owns(target))).toEqual([
      true,
      false,
      false,
    ]);
  });
});
