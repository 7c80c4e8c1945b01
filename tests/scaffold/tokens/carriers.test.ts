import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createServer } from "../../../src/node/index.ts";
import { decodeResponse, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { OpenStream } from "../../node/stream.ts";
import { serve } from "../sqlite/service.ts";
import { bearer, secret, signed } from "./issuer.ts";

const shared = "one-token-for+all/of/them==";
const nowS = (): number => Math.floor(Date.now() / 1_000);
const bad = (): Promise<string> => signed({ sub: "ann" }, { key: `${secret}!` });

/** A server over a database, that asks for tokens. */
async function start() {
  const { scaffold, other } = await serve("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)", {
    tokens: { secret, shared },
  });
  const { origin, journal, derived } = scaffold;
  const rocket = createServer({
    origin,
    derived,
    ...(journal ? { journal } : {}),
    drainMs: 0,
    onError: () => undefined,
  });
  onTestFinished(() => rocket.close());
  const { port } = await rocket.listen(0, "127.0.0.1");
  return { rocket, other, url: `http://127.0.0.1:${port}` };
}

/** A WebSocket and what it was sent; or the status that its handshake was refused with. */
async function dial(url: string, protocols: string[], headers: Record<string, string> = {}) {
  const socket = new WebSocket(url.replace("http", "ws"), protocols, { headers });
  onTestFinished(() => socket.terminate());
  const messages: HttpResponse[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    messages.push(decodeResponse(data.toString()));
    for (const look of waiting) look();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.on("open", () => resolve());
    socket.on("error", reject);
  });
  const until = (fits: (message: HttpResponse) => boolean): Promise<HttpResponse> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = messages.find(fits);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { socket, messages, until, closed };
}

const answers =
  (id: string) =>
  ({ fields }: HttpResponse): boolean =>
    fieldValue(fields, "request-id") === id;
const isFirst = (): boolean => true;

/** How a token comes, and the status that its holder gets. */
const carriers: readonly [string, (url: string, token: string) => Promise<number>][] = [
  ["a GET", async (url, token) => (await fetch(`${url}/notes`, { headers: bearer(token) })).status],
  [
    "a WebSocket's field",
    async (url, token) => {
      const { until } = await dial(`${url}/notes`, ["rocket.v1"], bearer(token));
      return (await until(isFirst)).status;
    },
  ],
  [
    "a WebSocket's subprotocol",
    async (url, token) => {
      const offer = `rocket.bearer.${Buffer.from(token).toString("base64url")}`;
      const { until } = await dial(`${url}/notes`, ["rocket.v1", offer]);
      return (await until(isFirst)).status;
    },
  ],
  [
    "a SUBSCRIBE in band",
    async (url, token) => {
      const { socket, until } = await dial(`${url}/.well-known/rocket`, ["rocket.v1"]);
      socket.send(`SUBSCRIBE /notes HTTP/1.1\r\nRequest-ID: 1\r\nAuthorization: Bearer ${token}\r\n\r\n`);
      return (await until(answers("1"))).status;
    },
  ],
  [
    "a POST in band",
    async (url, token) => {
      const { socket, until } = await dial(`${url}/.well-known/rocket`, ["rocket.v1"]);
      const head = `POST /notes HTTP/1.1\r\nRequest-ID: 1\r\nAuthorization: Bearer ${token}`;
      socket.send(`${head}\r\nContent-Type: application/json\r\n\r\n{"text":"a"}`);
      return (await until(answers("1"))).status;
    },
  ],
  [
    "an event stream",
    async (url, token) => (await OpenStream.open(`${url}/notes`, "text/event-stream", bearer(token))).response.status,
  ],
  [
    "a GET that waits",
    async (url, token) => (await fetch(`${url}/notes`, { headers: { Prefer: "wait=1", ...bearer(token) } })).status,
  ],
  [
    "a ticket",
    async (url, token) => {
      const asked = { method: "POST", headers: { "Content-Type": "application/json", ...bearer(token) } };
      const order = await fetch(`${url}/.well-known/rocket/tickets`, { ...asked, body: '{"url":"/notes"}' });
      if (!order.ok) return order.status;
      const { ticket } = (await order.json()) as { ticket: string };
      return (await OpenStream.open(`${url}/notes?rocket-ticket=${ticket}`, "text/event-stream")).response.status;
    },
  ],
];

describe.each(carriers)("A token that comes with %s", (_name, send) => {
  test("counts", async () => {
    const { url } = await start();

    expect(String(await send(url, await signed({ sub: "ann" })))).toMatch(/^20[01]$/);
  });

  test("counts where it is the one that all share", async () => {
    const { url } = await start();

    expect(String(await send(url, shared))).toMatch(/^20[01]$/);
  });

  test("is refused with 401 where it is not good", async () => {
    const { url, other } = await start();

    expect(await send(url, await bad())).toBe(401);
    expect(other.prepare("SELECT count(*) FROM notes").pluck().get()).toBe(0);
  });
});

describe("A subscription", () => {
  test("without a token is refused with 401", async () => {
    const { url } = await start();
    const { until, closed } = await dial(`${url}/notes`, ["rocket.v1"]);

    const refusal = await until(isFirst);

    expect([refusal.status, fieldValue(refusal.fields, "www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await closed).toBe(4401);
  });

  test("ends with a 401 at its token's end, and is told nothing after it [R-SEC-11]", async () => {
    const { url, other } = await start();
    const token = await signed({ sub: "ann", exp: nowS() + 5 });
    const { until, messages, closed } = await dial(`${url}/notes`, ["rocket.v1"], bearer(token));
    await until(({ status }) => status === 200);

    const end = await until(({ status }) => status === 401);
    other.exec("INSERT INTO notes (text) VALUES ('late')");

    expect(fieldValue(end.fields, "www-authenticate")).toBe('Bearer error="invalid_token"');
    expect(await closed).toBe(4401);
    expect(JSON.stringify(messages)).not.toContain("late");
  });

  test("goes on with a token that is given in band before that [R-SEC-11]", async () => {
    const { url, other } = await start();
    const { socket, until, messages } = await dial(`${url}/.well-known/rocket`, ["rocket.v1"]);
    const subscribe = (id: string, token: string): void =>
      socket.send(`SUBSCRIBE /notes HTTP/1.1\r\nRequest-ID: ${id}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    const shortly = { sub: "ann", exp: nowS() + 5 };
    subscribe("1", await signed(shortly));
    await until(answers("1"));
    subscribe("2", await signed({ ...shortly, exp: nowS() + 60 }));
    await until(answers("2"));
    // One more that ends then shows that the first token's time is over.
    const witness = await dial(`${url}/notes`, ["rocket.v1"], bearer(await signed(shortly)));
    await witness.until(({ status }) => status === 401);

    other.exec("INSERT INTO notes (text) VALUES ('still here')");
    await until(({ status }) => status === 201);

    expect(messages.some(({ status }) => status === 401)).toBe(false);
  });
});
