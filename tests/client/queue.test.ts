import { expect, it, onTestFinished } from "vitest";
import { type Client, type ClientStorage, createClient, type WebSocketConstructor } from "../../src/client/index.ts";

interface Note {
  readonly text: string;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
}

/** A socket that never opens. */
class SilentSocket extends EventTarget {
  close(): void {}
}

class MemoryStorage implements ClientStorage {
  text: string | null = null;

  getItem(): string | null {
    return this.text;
  }

  setItem(_key: string, value: string): void {
    this.text = value;
  }
}

const promises = { rocket: { levels: [1], promises: ["idempotency-key"] } };

/** A client whose requests a function answers, and those that are writes. */
function open(storage: ClientStorage, answer: (sent: Sent) => Response): { client: Client; writes: Sent[] } {
  const writes: Sent[] = [];
  const client = createClient("http://notes.test", {
    storage,
    WebSocket: SilentSocket as unknown as WebSocketConstructor,
    fetch: async (url, init) => {
      const method = init?.method ?? "GET";
      const key = new Headers(init?.headers).get("idempotency-key");
      const sent = { method, path: new URL(String(url)).pathname, key };
      if (method !== "GET") writes.push(sent);
      return answer(sent);
    },
  });
  onTestFinished(() => client.close());
  return { client, writes };
}

it("A write waits for the server's own word while a gateway answers for it", async () => {
  const gateways = [502, 503, 504];
  const { client, writes } = open(new MemoryStorage(), ({ method }) => {
    const status = gateways.shift();
    if (status !== undefined) return new Response("<h1>Away</h1>", { status });
    return method === "POST" ? Response.json({ text: "a" }, { status: 201 }) : Response.json(promises);
  });

  await client.collection<Note>("/notes").create({ text: "a" });

  expect(writes).toEqual([{ method: "POST", path: "/notes", key: expect.stringMatching(/^"[\w-]{36}"$/) }]);
});

it("A change of a record that was created meanwhile is kept with the record's URL, and sent before later writes", async () => {
  const storage = new MemoryStorage();
  const first = open(storage, ({ method }) => {
    if (method === "PATCH") throw new TypeError("There is no network.");
    if (method === "GET") return Response.json(promises);
    return Response.json({ text: "a" }, { status: 201, headers: { Location: "/notes/1" } });
  });
  const notes = first.client.collection<Note>("/notes");
  const creates = notes.create({ text: "a" });
  await new Promise<void>((resolve) => {
    const stop = notes.subscribe(() => {
      const [row] = notes.getSnapshot().rows;
      if (!row) return;
      stop();
      notes.update(row, { text: "b" }).catch(() => {});
      resolve();
    });
  });
  await creates;
  first.client.close();

  const second = open(storage, ({ method }) => Response.json(method === "GET" ? promises : { text: "b" }));
  await second.client.collection<Note>("/notes").create({ text: "c" });

  expect(second.writes.map(({ method, path }) => `${method} ${path}`)).toEqual(["PATCH /notes/1", "POST /notes"]);
});
