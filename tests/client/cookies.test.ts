import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import WebSocket from "ws";
import { type Client, createClient } from "../../src/client/index.ts";
import { attach } from "../../src/node/index.ts";

interface Letter {
  readonly id: number;
  readonly to: string;
}

const letters: readonly Letter[] = [
  { id: 1, to: "ann" },
  { id: 2, to: "bob" },
];

/**
 * Everybody may see `/news`; whose cookie it is, the letters. What is written to a letter of somebody else is refused. Who has
 * to sign in is sent to a page for that by `/inbox`, which has the letters, too.
 */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, body: unknown): void => {
    const isPrivate = request.url?.startsWith("/letters") ? { "Cache-Control": "private" } : {};
    response.writeHead(status, { "Content-Type": "application/json", ...isPrivate });
    response.end(JSON.stringify(body));
  };
  const { method, url = "", headers } = request;
  const [, user] = /who=(\w+)/.exec(headers.cookie ?? "") ?? [];
  const own = letters.filter(({ to }) => to === user);
  const one = own.find(({ id }) => url === `/letters/${id}`);
  if (url === "/news") send(200, [{ id: 1 }]);
  else if (url === "/sign-in") response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Sign in</h1>");
  else if (url === "/inbox" && user === undefined) response.writeHead(302, { Location: "/sign-in" }).end();
  else if (url === "/inbox") send(200, own);
  else if (!url.startsWith("/letters")) send(404, {});
  else if (user === undefined) send(401, {});
  else if (method !== "GET" && !one) send(403, {});
  else send(200, url === "/letters" ? own : one);
}

/** A browser with its cookies, as far as a client sees them: each request and each handshake has those of that moment. */
async function openBrowser(user?: string) {
  const server = createServer(answer);
  const handle = attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = { user, handshakes: 0 };
  const cookie = (): Record<string, string> => (browser.user === undefined ? {} : { cookie: `who=${browser.user}` });
  class CookieSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers: cookie() });
      browser.handshakes += 1;
    }
  }
  const client: Client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(cookie())) headers.set(name, value);
      return fetch(input, { ...init, headers });
    },
    WebSocket: CookieSocket as never,
    onError: () => {},
  });
  onTestFinished(async () => {
    client.close();
    await handle.close();
    server.close();
  });
  const list = client.collection<Letter>("/letters");
  const news = client.collection("/news");
  news.subscribe(() => {});
  await news.ready();
  await vi.waitUntil(() => news.getSnapshot().status.state === "live");
  const shown = (): unknown => list.getSnapshot().rows.map(({ to }) => to);
  /** Waits until the letters of one are live. */
  const shows = (name: string): Promise<unknown> =>
    vi.waitUntil(() => list.getSnapshot().status.state === "live" && String(shown()) === name, { timeout: 10_000 });
  return { browser, client, list, shows, shown };
}

describe("A client whose user the cookies name", () => {
  it("asks with the cookies of now where the server refuses those that the connection was opened with", async () => {
    const { browser, list, shows } = await openBrowser();
    await expect(list.ready()).rejects.toMatchObject({ problem: { status: 401 } });
    expect(browser.handshakes).toBe(1);

    browser.user = "ann";
    list.subscribe(() => {});

    await shows("ann");
    expect(browser.handshakes).toBe(2);
  });

  it("does so where it is sent to a page for signing in, and shows nothing until then", async () => {
    const { browser, client } = await openBrowser("ann");
    const inbox = client.collection<Letter>("/inbox");
    inbox.subscribe(() => {});
    await vi.waitUntil(() => inbox.getSnapshot().status.state === "live");
    const shown = (): unknown => inbox.getSnapshot().rows.map(({ to }) => to);
    expect([shown(), browser.handshakes]).toEqual([["ann"], 1]);

    browser.user = undefined;
    client.renew();
    await vi.waitUntil(() => inbox.getSnapshot().status.state === "failed");
    expect([shown(), inbox.getSnapshot().status.problem?.status, browser.handshakes]).toEqual([[], 302, 2]);

    browser.user = "bob";
    inbox.subscribe(() => {});
    await vi.waitUntil(() => inbox.getSnapshot().status.state === "live");
    expect([shown(), browser.handshakes]).toEqual([["bob"], 3]);
  });

  it("makes no other connection where the cookies of now are refused as well", async () => {
    const { browser, list } = await openBrowser();
    for (let time = 0; time < 3; time += 1)
      await expect(list.ready()).rejects.toMatchObject({ problem: { status: 401 } });
    expect(browser.handshakes).toBe(1);
  });

  it("shows by renew() what the user of now may see", async () => {
    const { browser, client, list, shows } = await openBrowser("ann");
    list.subscribe(() => {});
    await shows("ann");

    browser.user = "bob";
    client.renew();

    await shows("bob");
  });

  it.each(["bob", undefined])(
    "shows nothing any more of its user's once a write is refused, as to %s",
    async (user) => {
      const { browser, list, shows, shown } = await openBrowser("ann");
      list.subscribe(() => {});
      await shows("ann");

      browser.user = user;
      const status = user === undefined ? 401 : 403;
      await expect(list.update("/letters/1", { to: "eve" })).rejects.toMatchObject({ problem: { status } });

      if (user !== undefined) await shows(user);
      else await vi.waitUntil(() => list.getSnapshot().status.state === "failed");
      expect(shown()).toEqual(user === undefined ? [] : [user]);
    },
  );
});
