import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createClient } from "../../src/client/index.ts";
import { parseItems } from "../../src/protocol/index.ts";
import { front } from "../node/front.ts";
import { Follower } from "./follower.ts";
import { proxied, proxy, upstream } from "./setting.ts";

interface Post {
  readonly id: number;
  readonly title: string;
}

/** An API at the root of its host, which knows nothing of a base path. */
function posts(seen: string[] = []): (request: IncomingMessage, response: ServerResponse) => void {
  const rows: Post[] = [{ id: 1, title: "a" }];
  return (request, response) => {
    const { method = "", url = "/" } = request;
    seen.push(`${method} ${url}`);
    const id = Number(/^\/posts\/(\d+)$/.exec(url)?.[1]);
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      const json = { "Content-Type": "application/json" };
      if (method === "POST") {
        rows.push({ id: rows.length + 1, ...(JSON.parse(text) as { title: string }) });
        response.writeHead(201, { ...json, Location: `/posts/${rows.length}` }).end(JSON.stringify(rows.at(-1)));
      } else if (method === "PATCH") {
        const at = rows.findIndex((row) => row.id === id);
        rows[at] = { ...(rows[at] as Post), ...(JSON.parse(text) as { title: string }) };
        response.writeHead(200, json).end(JSON.stringify(rows[at]));
      } else if (url.startsWith("/posts")) {
        response.writeHead(200, json).end(JSON.stringify(id ? rows.find((row) => row.id === id) : rows));
      } else response.writeHead(404).end();
    });
  };
}

describe.each([
  ["takes it off", true],
  ["leaves it", false],
])("an API below a base path, behind a front that %s,", (_what, strips) => {
  it("is followed over one socket below it, and written to [R-WK-5]", async () => {
    const seen: string[] = [];
    const { url } = await proxied(posts(seen), { basePath: "/api" });
    const shown = await front(url, strips);
    const client = createClient(`${shown.url}/api`);
    onTestFinished(() => client.close());
    const all = client.collection<Post>("/posts");
    const titles = () => all.getSnapshot().rows.map(({ title }) => title);
    const shows = (wanted: string) =>
      new Promise<void>((resolve) => {
        const stop = all.subscribe(() => {
          if (`${titles()}` !== wanted) return;
          stop();
          resolve();
        });
      });
    await all.ready();
    // The first rows are those of a GET; that they have URLs, the socket's first message says.
    await vi.waitFor(() => expect(all.urlOf(all.getSnapshot().rows[0] as Post)).toBe("/api/posts/1"));
    const [first] = all.getSnapshot().rows;
    const changed = shows("b");
    await all.update(first as Post, { title: "b" });
    await changed;
    const made = shows("b,c");
    await fetch(`${shown.url}/api/posts`, { method: "POST", body: '{"title":"c"}' });
    await made;
    expect(shown.upgrades).toEqual(["/api/.well-known/rocket"]);
    expect(seen.filter((line) => line.includes("/api"))).toEqual([]);
    expect((await fetch(`${shown.url}/api/.well-known/rocket`)).status).toBe(200);
  });

  it("has its own WebSockets", async () => {
    const api = await upstream(posts());
    const targets: string[] = [];
    const own = new WebSocketServer({ server: api.server });
    own.on("connection", (socket, { url = "" }) => {
      targets.push(url);
      socket.send("hello");
    });
    const { url } = await proxy(api.url, { basePath: "/api" });
    const shown = await front(url, strips);
    const socket = new WebSocket(`${shown.url.replace("http", "ws")}/api/chat?room=1`, ["chat"]);
    onTestFinished(() => {
      socket.terminate();
      own.close();
    });
    const text = await new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));
    expect([text, targets]).toEqual(["hello", ["/chat?room=1"]]);
  });
});

describe("an API below a base path", () => {
  it.each([
    ["/posts/1", "/api/posts/1"],
    ["/api/posts/1", "/api/posts/1"],
    ["posts/1", "posts/1"],
    ["//elsewhere.example/a", "//elsewhere.example/a"],
    ["https://elsewhere.example/a", "https://elsewhere.example/a"],
    ["http://{host}/posts/1?a#b", "http://{host}/api/posts/1?a#b"],
    ["http://{host}", "http://{host}/api/"],
  ])("that answers with Location: %s leads clients to %s", async (given, wanted) => {
    const { url } = await proxied(
      ({ headers: { host = "" } }, response) => {
        response.writeHead(302, { Location: given.replace("{host}", host) }).end();
      },
      { basePath: "/api" },
    );
    const answer = await fetch(`${url}/api/old`, { redirect: "manual" });
    expect(answer.headers.get("location")).toBe(wanted.replace("{host}", new URL(url).host));
  });

  it.each([
    ["the root of its own", "", 'list="/posts", record="", url="/api/posts/{id}"'],
    ["the prefix that it is told of", "/api", 'list="/posts", record="", link="/url"'],
  ])("has records below it whose links begin with %s", async (_what, prefix, items) => {
    const rows = [1, 2].map((id) => ({ id, url: `${prefix}/posts/${id}` }));
    const { url } = await proxied(
      ({ url: target = "" }, response) => {
        const id = Number(/^\/posts\/(\d+)$/.exec(target)?.[1]);
        response.writeHead(200, { "Content-Type": "application/json" });
        response.end(JSON.stringify(id ? rows[id - 1] : { posts: rows }));
      },
      { basePath: "/api" },
    );
    const follower = await new Follower(`${url}/api/posts`, ["rocket.v1"]).caughtUp();
    expect(follower.messages[0]).toContain(`Items: ${items}`);
  });

  it("has its links and cookies below it, and is told of it", async () => {
    const { url } = await proxied(
      ({ headers }, response) => {
        const link = '</posts?page=2>; rel="next", <https://elsewhere.example/>; rel="help"';
        const cookies = ["a=1; Path=/", "b=2; path=/posts; HttpOnly", "c=3"];
        response.writeHead(200, { Link: link, "Set-Cookie": cookies, "Content-Location": "/posts" });
        response.end(`${headers["x-forwarded-prefix"]}`);
      },
      { basePath: "/api" },
    );
    const answer = await fetch(`${url}/api/posts`);
    expect(answer.headers.get("link")).toBe(
      '</api/posts?page=2>; rel="next", <https://elsewhere.example/>; rel="help"',
    );
    expect(answer.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; path=/api/posts; HttpOnly", "c=3"]);
    expect(answer.headers.get("content-location")).toBe("/api/posts");
    expect(await answer.text()).toBe("/api");
  });
});

describe("What an API below a base path says of its records [R-FLD-15]", () => {
  it.each([
    ["a template", 'list="/marks", record="/mark", url="/marks/{id}"', "/api/marks/{id}"],
    ["a template with the base path", 'list="/marks", url="/api/marks/{id}"', "/api/marks/{id}"],
  ])("is said as its clients see it: %s", async (_what, items, url) => {
    const answer = (_: IncomingMessage, response: ServerResponse): void => {
      const body = JSON.stringify({ marks: [{ id: 7, url: "/users/1" }] });
      response.writeHead(200, { "Content-Type": "application/json", Items: items }).end(body);
    };
    const shown = await proxied(answer, { basePath: "/api" });
    const got = await fetch(`${shown.url}/api/marks`);
    expect(parseItems(got.headers.get("items") ?? "")).toEqual({ ...parseItems(items), url });
    const stream = await fetch(`${shown.url}/api/marks`, { headers: { Accept: "application/http" } });
    const { value = "" } = (await stream.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {};
    expect(value).toContain(`Items: list="/marks", record="", url="${url}"`);
  });
});
