import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { createClient, type Status } from "../../src/client/index.ts";
import { createServer } from "../../src/node/index.ts";
import type { Scaffold } from "../../src/scaffold/index.ts";

/** A page that shows a list of a scaffold's server. */
export interface Page {
  /** How often its connection was made. */
  readonly connections: () => number;
  /** What the page showed, in order: `live 1`, with how many rows. */
  readonly shown: string[];
  /** Resolves once it shows a state, with so many rows. */
  until(state: Status["state"], rows: number): Promise<void>;
}

/** Serves a scaffold, and shows a list of it in a client, until the test ends. */
export async function showPage(scaffold: Scaffold, path: string): Promise<Page> {
  let connections = 0;
  const server = createServer({ ...scaffold, drainMs: 0 });
  const { port } = await server.listen(0, "127.0.0.1");
  const client = createClient(`http://127.0.0.1:${port}`, {
    WebSocket: class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        connections += 1;
      }
    } as never,
  });
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  const list = client.collection(path);
  const shown: string[] = [];
  const waiting = new Set<() => void>();
  list.subscribe(() => {
    const { status, rows } = list.getSnapshot();
    const text = `${status.state} ${rows.length}`;
    if (shown.at(-1) !== text) shown.push(text);
    for (const look of waiting) look();
  });
  return {
    connections: () => connections,
    shown,
    until: (state, rows) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (shown.at(-1) === `${state} ${rows}`) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
