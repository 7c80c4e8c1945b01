import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createServer, type ServerOptions } from "../../src/node/index.ts";
import { createScaffold, type ScaffoldOptions } from "../../src/scaffold/index.ts";
import { runSql, temporaryFolder } from "../cli/database.ts";

/** A server of ten records, and what has come in. */
export interface RecordsSite {
  readonly url: string;
  /** The methods of requests over HTTP. */
  readonly requests: string[];
  /** How many connections were made, and how many of them are WebSockets. */
  readonly connections: { all: number; upgraded: number };
  readonly seen: { readonly method: string; readonly target: string; readonly isInBand: boolean }[];
  /** Makes the server answer nothing in band from now on. */
  isMute: boolean;
  /** Breaks every WebSocket. */
  cut(): void;
  texts(): Promise<string[]>;
}

/** @param limits - those of the database's pages and reads */
export async function startRecords(
  options: Partial<ServerOptions> = {},
  limits: Partial<ScaffoldOptions> & { readonly mainReadMs?: number } = {},
): Promise<RecordsSite> {
  const path = join(temporaryFolder(), "records.db");
  const rows = Array.from({ length: 10 }, (_, at) => `(${at + 1}, 'text ${at + 1}')`).join();
  runSql(
    path,
    `CREATE TABLE records (id INTEGER PRIMARY KEY, text TEXT NOT NULL); INSERT INTO records VALUES ${rows};`,
  );
  const scaffold = await createScaffold({ path, readTimeoutMs: 60_000, ...limits });
  const sockets = new Set<{ destroy(): void }>();
  const requests: string[] = [];
  const connections = { all: 0, upgraded: 0 };
  const seen: RecordsSite["seen"] = [];
  const rocket = createServer({
    ...scaffold,
    origin: async (request) => {
      const answer = await scaffold.origin(request);
      const { method, target, isInBand = false } = request;
      // HEADs are how the hub asks anew.
      if (isInBand || method !== "HEAD") seen.push({ method, target, isInBand });
      return isInBand && site.isMute ? new Promise(() => {}) : answer;
    },
    drainMs: 0,
    ...options,
  });
  const { server } = rocket;
  server.prependListener("request", ({ method }) => requests.push(method ?? ""));
  server.prependListener("upgrade", (_request, socket) => {
    connections.upgraded += 1;
    sockets.add(socket);
  });
  server.on("connection", () => {
    connections.all += 1;
  });
  const { port } = await rocket.listen(0);
  onTestFinished(async () => {
    await rocket.close();
    await scaffold.close();
  });
  const site: RecordsSite = {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections,
    seen,
    isMute: false,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    texts: async () => {
      const { body } = await scaffold.origin({ method: "GET", target: "/records", fields: [], body: "" });
      return (JSON.parse(String(body)) as { records: { text: string }[] }).records.map(({ text }) => text);
    },
  };
  return site;
}
