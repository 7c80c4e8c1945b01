// @vitest-environment happy-dom
import { act, type ReactNode, Suspense } from "react";
import { renderToReadableStream, renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { Client, ClientState } from "../../src/client/index.ts";
import { RocketProvider, useCollection, useRocketStatus } from "../../src/react/index.ts";
import { readText } from "../architecture/project.ts";
import { type Song, World } from "./fixture.ts";
import { failOnConsoleErrors, showPage } from "./page.tsx";

failOnConsoleErrors();

function Songs({ suspense = false }: { suspense?: boolean }): ReactNode {
  const { rows, status, keyOf } = useCollection<Song>("/songs", { suspense });
  return (
    <ul className={status.state}>
      {rows.map((row) => (
        <li key={keyOf(row)}>{row.title}</li>
      ))}
    </ul>
  );
}

function App(): ReactNode {
  return (
    <main className={useRocketStatus().state}>
      <Songs />
    </main>
  );
}

function htmlOf(client: Client, node: ReactNode): string {
  return renderToString(<RocketProvider client={client}>{node}</RocketProvider>);
}

/** What a server does for a request: the page, and what it knows. */
async function serve(world: World, node: ReactNode): Promise<{ html: string; state: ClientState }> {
  const client = world.client();
  const isReady = client.collection("/songs").ready();
  await world.settle();
  await isReady;
  const html = htmlOf(client, node);
  const state = JSON.parse(JSON.stringify(await client.dehydrate())) as ClientState;
  client.close();
  world.asked.length = 0;
  return { html, state };
}

describe("server rendering", () => {
  it("leaves the module to client components", () => {
    expect(readText("src/react/index.ts").text).toMatch(/^"use client";\n/);
  });

  it("renders rows that are there", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const { html } = await serve(world, <App />);
    expect(html).toBe('<main class="connecting"><ul class="stale"><li>a</li></ul></main>');
  });

  it("renders the same where the server says only later that this is all", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    world.bookmarkMs = 50;
    const client = world.client();
    const rendered = client
      .collection("/songs")
      .ready()
      .then(() => htmlOf(client, <App />));
    await world.pass(100);
    expect(await rendered).toBe('<main class="connecting"><ul class="stale"><li>a</li></ul></main>');
  });

  it("follows nothing, and opens nothing", async () => {
    const world = new World();
    const html = htmlOf(world.client(), <App />);
    await world.settle();
    expect(html).toBe('<main class="connecting"><ul class="connecting"></ul></main>');
    expect(world.sockets).toHaveLength(0);
    expect(world.clock.timers).toBeLessThanOrEqual(1);
  });

  it("is hydrated without a mismatch, and the view resumes at its position", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" }, { id: 2, title: "b" });
    const { html, state } = await serve(world, <App />);
    world.put({ id: 3, title: "c" });
    const mismatches: unknown[] = [];
    const page = await showPage(world.client(state), <App />, { html, onMismatch: (error) => mismatches.push(error) });
    const [first] = page.element.querySelectorAll("li");
    expect(page.text).toBe("ab");

    await world.settle();

    expect(page.text).toBe("abc");
    expect(page.element.querySelector("ul")?.className).toBe("live");
    expect(page.element.querySelector("li")).toBe(first);
    expect(mismatches).toEqual([]);
    expect(world.askedBy("SUBSCRIBE")).toEqual([expect.stringMatching(/^\/songs@m:/)]);
  });

  it("is hydrated without a mismatch where there is nothing to show", async () => {
    const world = new World();
    const { html, state } = await serve(world, <App />);
    const mismatches: unknown[] = [];
    const page = await showPage(world.client(state), <App />, { html, onMismatch: (error) => mismatches.push(error) });
    expect(html).toContain('<ul class="stale"></ul>');
    await world.settle();
    expect(page.element.querySelector("ul")?.className).toBe("live");
    expect(mismatches).toEqual([]);
  });

  it("is hydrated without a mismatch where the state was not handed over", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const html = htmlOf(world.client(), <App />);
    const mismatches: unknown[] = [];
    const page = await showPage(world.client(), <App />, { html, onMismatch: (error) => mismatches.push(error) });
    await world.settle();
    expect(page.text).toBe("a");
    expect(mismatches).toEqual([]);
  });

  it("hydrates a part that comes late from what the server rendered, not from what is known by now", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    let arrive = (): void => {};
    const code = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let isThere = true;
    function Late(): ReactNode {
      if (!isThere) throw code;
      return <Songs />;
    }
    const tree = (
      <>
        <Songs />
        <Suspense fallback="waiting">
          <Late />
        </Suspense>
      </>
    );
    const { html, state } = await serve(world, tree);
    isThere = false;
    const mismatches: unknown[] = [];
    const page = await showPage(world.client(state), tree, { html, onMismatch: (error) => mismatches.push(error) });
    world.put({ id: 2, title: "b" });
    await world.settle();
    expect(page.text).toBe("aba");

    isThere = true;
    await act(async () => arrive());
    await world.settle();

    expect(page.text).toBe("abab");
    expect(mismatches).toEqual([]);
  });

  it("streams what suspense waits for", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const client = world.client();
    const stream = await renderToReadableStream(
      <RocketProvider client={client}>
        <Suspense fallback="waiting">
          <Songs suspense />
        </Suspense>
      </RocketProvider>,
    );
    await world.settle();
    await stream.allReady;
    const html = await new Response(stream).text();
    expect(html).toContain('<ul class="stale"><li>a</li></ul>');
    client.close();
  });
});
