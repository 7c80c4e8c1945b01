import type { AddressInfo, Server } from "node:net";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { type Mount, type MountOptions, mount } from "../../../src/node/index.ts";
import { createScaffold, type Scaffold, where } from "../../../src/scaffold/index.ts";
import { temporaryFile } from "../../scaffold/sqlite/service.ts";

interface Person {
  readonly sub: string;
}

/** A scaffold below `/db`, whose people are known by a cookie. */
export async function openScaffold(): Promise<Scaffold<Person>> {
  const path = temporaryFile();
  const database = new Database(path);
  database.exec(
    "CREATE TABLE things (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, text TEXT); INSERT INTO things VALUES (1, 'ann', 'a1'), (2, 'bob', 'b2')",
  );
  database.pragma("journal_mode = WAL");
  database.close();
  const scaffold = await createScaffold({
    path,
    basePath: "/db",
    authorize: ({ headers }): Person | null => {
      const shown = headers.get("authorization")?.replace("Bearer ", "who=") ?? headers.get("cookie") ?? "";
      const sub = /who=(\w+)/.exec(shown)?.[1];
      return sub === undefined ? null : { sub };
    },
    rows: (viewer, table) => table === "things" && where`owner=eq.${viewer.sub}`,
  });
  onTestFinished(() => scaffold.close());
  return scaffold;
}

export const anns = { Cookie: "who=ann" };

/** A scaffold that is mounted, and what was told of it. */
export interface Mounted {
  readonly scaffold: Scaffold<Person>;
  readonly api: Mount;
  readonly errors: string[];
}

/** Mounts a scaffold on a server, until the test ends. */
export async function mountOn(server: Server, options: MountOptions = {}): Promise<Mounted> {
  const scaffold = await openScaffold();
  const errors: string[] = [];
  const api = mount(server, scaffold, { drainMs: 0, onError: (error) => errors.push(String(error)), ...options });
  onTestFinished(() => api.close());
  return { scaffold, api, errors };
}

/** Where a server listens. */
export function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
