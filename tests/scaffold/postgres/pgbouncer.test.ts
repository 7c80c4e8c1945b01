import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { sendTo } from "../answer.ts";
import { showPage } from "../away.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

function findPgbouncer(): string | undefined {
  for (const path of ["pgbouncer", "/usr/sbin/pgbouncer"]) {
    try {
      execFileSync(path, ["--version"]);
      return path;
    } catch {
      // The next one.
    }
  }
  console.log("pgbouncer is not installed: what goes through it is not tested. Debian: apt-get install pgbouncer");
  return undefined;
}

const pgbouncer = findPgbouncer();

/** A PgBouncer in transaction mode before the server, with few connections to it, and where it is. */
async function startPgbouncer(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "rocket-bouncer-"));
  chmodSync(folder, 0o777);
  const config = join(folder, "pgbouncer.ini");
  writeFileSync(
    config,
    `[databases]
* = host=${server.folder} port=5432 user=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = ${folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
`,
  );
  // It does not run as root.
  const asOther = userInfo().uid === 0 ? ["-u", "nobody"] : [];
  const child: ChildProcess = spawn(pgbouncer ?? "", [...asOther, config], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Connects through it, as soon as it is there. */
async function connectBy(folder: string, database: string): Promise<Client> {
  for (;;) {
    const client = new Client({ host: folder, port: 6432, user: "postgres", database });
    try {
      await client.connect();
      onTestFinished(() => client.end());
      return client;
    } catch {
      await client.end().catch(() => undefined);
    }
  }
}

describe.skipIf(pgbouncer === undefined)("Behind PgBouncer in transaction mode", () => {
  it("all is as without, and nothing of a session is left to those who have it next", async () => {
    const database = await server.database();
    const admin = await server.connect(database);
    await admin.query("CREATE TABLE t (id serial PRIMARY KEY, d date); INSERT INTO t (d) VALUES ('2026-03-01')");
    const folder = await startPgbouncer();
    const other = await connectBy(folder, database);
    const errors: unknown[] = [];
    const path = `postgres://postgres@${encodeURIComponent(folder)}:6432/${database}`;
    const open = async () => {
      const scaffold = await createScaffold({ path, onError: (error) => errors.push(error) });
      onTestFinished(() => scaffold.close());
      return scaffold;
    };
    const scaffolds = [await open(), await open()];
    const pages = await Promise.all(scaffolds.map((scaffold) => showPage(scaffold, "/t")));
    const sends = scaffolds.map(sendTo);
    await Promise.all(pages.map((page) => page.until("live", 1)));

    const posts = sends.flatMap((send) =>
      Array.from({ length: 10 }, (_, at) => send("POST", "/t", { d: "2026-03-02" }, { "Idempotency-Key": `"${at}"` })),
    );
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect((await sends[0]?.("PATCH", "/t/1", { d: "2026-03-03" }))?.json).toEqual({
      t: { url: "/t/1", id: 1, d: "2026-03-03" },
    });
    await admin.query("INSERT INTO t (d) VALUES ('2026-03-04')");
    await admin.query("ALTER TABLE t ADD COLUMN n int DEFAULT 7");
    expect((await sends[1]?.("GET", "/t?d=2026-03-04"))?.json).toMatchObject({ t: [{ d: "2026-03-04", n: 7 }] });
    await admin.query("DELETE FROM t WHERE d = '2026-03-03'");
    await Promise.all(pages.map((page) => page.until("live", 11)));

    const names = ["statement_timeout", "lock_timeout", "DateStyle", "role", "default_transaction_read_only"];
    const settings = names.map((name) => `current_setting('${name}')`).join(", ");
    const seen = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) {
      const { rows } = await other.query({ text: `SELECT ${settings}, pg_sleep(0.01)`, rowMode: "array" });
      seen.add(String(rows[0]));
    }
    expect([...seen]).toEqual(["0,0,ISO, MDY,none,off,"]);
    expect((await admin.query("SELECT FROM pg_prepared_statements")).rowCount).toBe(0);
    expect((await other.query("SELECT FROM pg_listening_channels()")).rowCount).toBe(0);
    expect(errors).toEqual([]);
  });
});
