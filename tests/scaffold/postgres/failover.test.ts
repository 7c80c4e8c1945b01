import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createScaffold, type Scaffold } from "../../../src/scaffold/index.ts";
import { sendTo } from "../answer.ts";
import { showPage } from "../away.ts";
import { serverOfFile, type TestServer } from "./server.ts";

const primary = serverOfFile("wal_level=replica", "hot_standby=on");

/** What a DNS name or a proxy is: it leads to one server, and then to another. */
class Name {
  readonly folder: string = mkdtempSync(join(tmpdir(), "rocket-name-"));
  #target: TestServer;
  readonly #server = createServer((socket) => this.#join(socket));

  constructor(target: TestServer) {
    this.#target = target;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(join(this.folder, ".s.PGSQL.5432"), resolve));
    onTestFinished(() => {
      this.#server.close();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Connections that there are stay where they lead. */
  leadTo(target: TestServer): void {
    this.#target = target;
  }

  url(database: string): string {
    return `postgres://postgres@${encodeURIComponent(this.folder)}:5432/${database}`;
  }

  #join(socket: Socket): void {
    const other = connect(join(this.#target.folder, ".s.PGSQL.5432"));
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  }
}

interface Site {
  readonly name: Name;
  readonly database: string;
  readonly scaffolds: readonly Scaffold[];
  readonly standbys: readonly TestServer[];
}

/** Two processes that reach a database by a name, and standbys of it. */
async function makeSite(standbyCount: number): Promise<Site> {
  const database = await primary.database();
  const client = await primary.connectWriter(database);
  await client.query("CREATE TABLE t (id serial PRIMARY KEY, by text)");
  await client.end();
  const name = new Name(primary);
  await name.open();
  const open = async (): Promise<Scaffold> => {
    const scaffold = await createScaffold({ path: name.url(database), onError: () => undefined });
    onTestFinished(() => scaffold.close());
    return scaffold;
  };
  const scaffolds = [await open(), await open()];
  const standbys: TestServer[] = [];
  for (let count = 0; count < standbyCount; count += 1) {
    const standby = await primary.startStandby();
    onTestFinished(async () => {
      await standby.stop();
      standby.remove();
    });
    standbys.push(standby);
  }
  return { name, database, scaffolds, standbys };
}

async function run(server: TestServer, database: string, sql: string): Promise<string> {
  const client = await server.connectWriter(database);
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
  await client.end();
  return String(rows[0]?.[0]);
}

/** Resolves once a standby shows so many rows. */
async function replicated(standby: TestServer, { database }: Site, rows: number): Promise<void> {
  while ((await run(standby, database, "SELECT count(*) FROM t")) !== String(rows));
}

describe("A failover", () => {
  it("to a standby that is promoted leaves all servers with all that it has, and what comes then", async () => {
    const site = await makeSite(1);
    const { database, name } = site;
    const [standby = primary] = site.standbys;
    const pages = await Promise.all(site.scaffolds.map((scaffold) => showPage(scaffold, "/t")));
    const sends = site.scaffolds.map(sendTo);
    const posts = sends.flatMap((send) => Array.from({ length: 5 }, () => send("POST", "/t", { by: "rocket" })));
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(Array(10).fill(201));
    await Promise.all(pages.map((page) => page.until("live", 10)));
    await replicated(standby, site, 10);

    await primary.crash();
    await Promise.all(pages.map((page) => page.until("behind", 10)));
    expect((await sends[0]?.("POST", "/t", { by: "nobody" }))?.status).toBe(503);
    await run(standby, database, "SELECT pg_promote(true, 60)");
    await run(standby, database, "INSERT INTO t (by) VALUES ('before the name')");
    name.leadTo(standby);
    await Promise.all(pages.map((page) => page.until("live", 11)));
    for (const send of sends) expect((await send("POST", "/t", { by: "rocket" })).status).toBe(201);
    await Promise.all(pages.map((page) => page.until("live", 13)));

    expect(pages.map((page) => page.connections())).toEqual([1, 1]);
    const segments = site.scaffolds.map(({ journal }) => journal?.head.eventId.split(":")[0]);
    expect(segments[0]).toBe(segments[1]);
    await primary.start();
  });

  it("by way of a server that is a standby still is gone through: it is read from, and not kept to", async () => {
    const site = await makeSite(2);
    const { database, name } = site;
    const [standby = primary, next = primary] = site.standbys;
    const [scaffold] = site.scaffolds;
    if (!scaffold) throw new Error("There is no scaffold.");
    const [page, send] = [await showPage(scaffold, "/t"), sendTo(scaffold)];
    expect((await send("POST", "/t", { by: "rocket" })).status).toBe(201);
    await page.until("live", 1);
    for (const one of site.standbys) await replicated(one, site, 1);

    await primary.crash();
    name.leadTo(standby);
    await page.until("behind", 1);
    const answers = [await send("GET", "/t"), await send("GET", "/t/1"), await send("POST", "/t", { by: "nobody" })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 503]);
    await run(next, database, "SELECT pg_promote(true, 60)");
    name.leadTo(next);
    await page.until("live", 1);
    expect((await send("POST", "/t", { by: "rocket" })).status).toBe(201);
    await page.until("live", 2);

    const lists = await Promise.all(Array.from({ length: 5 }, () => send("GET", "/t")));
    expect(lists.map(({ json }) => (json as { t: object[] }).t.length)).toEqual([2, 2, 2, 2, 2]);
    expect(page.connections()).toBe(1);
    await primary.start();
  });

  it("is none for a server that was started on a standby: it reads, and says why it does no more", async () => {
    const site = await makeSite(1);
    const [standby = primary] = site.standbys;
    const scaffold = await createScaffold({ path: standby.url(site.database) });
    onTestFinished(() => scaffold.close());
    const send = sendTo(scaffold);
    expect((await sendTo(site.scaffolds[0] ?? scaffold)("POST", "/t", { by: "rocket" })).status).toBe(201);
    await replicated(standby, site, 1);

    expect((await send("GET", "/t")).json).toEqual({ t: [{ url: "/t/1", id: 1, by: "rocket" }] });
    expect((await send("POST", "/t", { by: "x" })).status).toBe(405);
    expect(scaffold.notLive).toMatch(/no journal/);
  });
});
