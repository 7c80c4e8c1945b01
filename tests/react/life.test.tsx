// @vitest-environment happy-dom
import { act, Component, type ReactNode, Suspense, useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { ProblemError } from "../../src/client/index.ts";
import { RocketProvider, useClient, useCollection, useRecord } from "../../src/react/index.ts";
import { type Song, World } from "./fixture.ts";
import { begun, failOnConsoleErrors, showPage } from "./page.tsx";

function Titles({ suspense = false, path = "/songs" }: { suspense?: boolean; path?: string }): ReactNode {
  const { rows } = useCollection<Song>(path, { suspense });
  return <i>{rows.map(({ title }) => title).join(",")}</i>;
}

/** Shows what was thrown below it. */
class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown };
  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }
  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <button type="button" onClick={() => this.setState({ error: undefined })}>
        {error instanceof ProblemError ? error.problem.status : String(error)}
      </button>
    );
  }
}

failOnConsoleErrors((said) => said instanceof ProblemError || /no client/.test(String(said)));

describe("a component that follows", () => {
  it("has one subscription in strict mode, and one socket", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const page = await showPage(
      world.client(),
      <>
        <Titles />
        <Titles />
      </>,
      { isStrict: true },
    );
    await world.pass(5_000);
    expect(page.text).toBe("aa");
    expect(world.sockets).toHaveLength(1);
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs"]);
    expect(world.askedBy("UNSUBSCRIBE")).toEqual([]);
  });

  it("leaves nothing when it is gone: no subscription, socket or timer", async () => {
    const world = new World();
    const page = await showPage(world.client(), <Titles />, { isStrict: true });
    await world.settle();
    expect(world.hub.counts).toMatchObject({ connections: 1, subscriptions: 1 });

    await page.unmount();
    await world.pass(1_000);

    expect(world.sockets.map(({ readyState }) => readyState)).toEqual([3]);
    expect(world.hub.counts).toMatchObject({ connections: 0, subscriptions: 0 });
    const { timers } = world.clock;
    await world.hub.close(0);
    expect(timers).toBeLessThanOrEqual(1);
  });

  it("loses nothing when it is gone for a moment", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const page = await showPage(world.client(), <Titles />);
    await world.settle();

    await page.show(null);
    world.put({ id: 2, title: "b" });
    await world.pass(500);
    await page.show(<Titles />);

    expect(page.text).toBe("a,b");
    await world.settle();
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs"]);
  });

  it("shows what was known when it comes back, and resumes there", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const seen: string[] = [];
    function Watched(): ReactNode {
      const { rows, status } = useCollection<Song>("/songs");
      seen.push(`${status.state} ${rows.map(({ title }) => title)}`);
      return null;
    }
    const page = await showPage(world.client(), <Watched />);
    await world.settle();
    await page.show(null);
    await world.pass(60_000);
    world.put({ id: 2, title: "b" });
    seen.length = 0;

    await page.show(<Watched />);
    await world.settle();

    expect(seen.filter((one, at) => one !== seen[at - 1])).toEqual(["stale a", "live a,b"]);
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs", expect.stringMatching(/^\/songs@m:/)]);
  });

  it("tries a view that has failed again, when it is new", async () => {
    const world = new World();
    world.forbidden.add("/songs");
    const page = await showPage(world.client(), <Titles />);
    await world.settle();
    world.forbidden.clear();
    world.put({ id: 1, title: "a" });

    await page.show(<Titles key="new" />);
    await world.settle();

    expect(page.text).toBe("a");
  });

  it("tells what to do where there is no provider", () => {
    const Alone = (): ReactNode => useClient().url;
    return expect(showPage(undefined as never, <Alone />)).rejects.toThrow(/RocketProvider/);
  });

  it("changes to another client with its provider", async () => {
    const [one, other] = [new World(), new World()];
    one.put({ id: 1, title: "one" });
    other.put({ id: 1, title: "other" });
    const client = other.client();
    const page = await showPage(one.client(), <Titles />);
    await one.settle();
    expect(page.text).toBe("one");

    await page.show(
      <RocketProvider client={client}>
        <Titles />
      </RocketProvider>,
    );
    await other.settle();

    expect(page.text).toBe("other");
  });
});

describe("suspense", () => {
  it("waits for the first rows", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const client = world.client();
    const ready = vi.spyOn(client.collection("/songs"), "ready");
    const page = await showPage(
      client,
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
      { isStrict: true },
    );
    expect(page.text).toBe("waiting");
    await world.settle();
    expect(page.text).toBe("a");
    expect(ready).toHaveBeenCalledTimes(1);
    world.put({ id: 2, title: "b" });
    await world.pass(10_000);
    expect(page.text).toBe("a,b");
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs"]);
  });

  it("waits for no socket where a GET is answered before there is one", async () => {
    const world = new World();
    world.hasFastReads = true;
    world.put({ id: 1, title: "a" });
    const page = await showPage(
      world.client(),
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
    );
    expect(page.text).toBe("a");
    await world.settle();
    world.put({ id: 2, title: "b" });
    await world.settle();
    expect(page.text).toBe("a,b");
  });

  it("does not wait for what is known", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const page = await showPage(world.client(), <Titles />);
    await world.settle();
    const waited = vi.fn(() => null);
    const Waiting = (): ReactNode => waited();
    await page.show(
      <Suspense fallback={<Waiting />}>
        <Titles suspense />
      </Suspense>,
    );
    expect(page.text).toBe("a");
    expect(waited).not.toHaveBeenCalled();
  });

  it("shows an empty list that is known", async () => {
    const world = new World();
    const page = await showPage(
      world.client(),
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
    );
    await world.settle();
    expect(page.element.innerHTML).toBe("<i></i>");
  });

  it("shows what came before the connection was lost, and does not ask again and again", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    world.bookmarkMs = 50;
    const client = world.client();
    const ready = vi.spyOn(client.collection("/songs"), "ready");
    const page = await showPage(
      client,
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
    );
    await world.settle();
    await world.stop();
    await world.pass(10_000);
    await page.show(
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
    );
    expect(client.status).toEqual({ state: "offline" });
    expect(page.text).toBe("a");
    expect(ready.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it("goes on waiting while the server can't be reached", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    world.isUp = false;
    const page = await showPage(
      world.client(),
      <Suspense fallback="waiting">
        <Titles suspense />
      </Suspense>,
    );
    await world.pass(10_000);
    expect(page.text).toBe("waiting");
    world.start();
    await world.pass(120_000);
    expect(page.text).toBe("a");
  });

  it("throws a refusal to the error boundary, and begins anew when that is asked to", async () => {
    const world = new World();
    world.forbidden.add("/songs");
    const client = world.client();
    const page = await showPage(
      client,
      <Boundary>
        <Suspense fallback="waiting">
          <Titles suspense />
        </Suspense>
      </Boundary>,
    );
    await world.settle();
    expect(page.text).toBe("403");

    world.forbidden.clear();
    world.put({ id: 1, title: "a" });
    client
      .collection("/songs")
      .ready()
      .catch(() => {});
    await act(async () => page.element.querySelector("button")?.click());
    await world.settle();

    expect(page.text).toBe("a");
  });

  it("throws a later refusal too, and waits again after it", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const client = world.client();
    const page = await showPage(
      client,
      <Boundary>
        <Suspense fallback="waiting">
          <Titles suspense />
        </Suspense>
      </Boundary>,
    );
    await world.settle();
    world.forbidden.add("/songs");
    await world.stop();
    world.start();
    await world.pass(60_000);
    expect(page.text).toBe("403");

    world.forbidden.clear();
    await act(async () => {
      void client.collection("/songs").ready();
      page.element.querySelector("button")?.click();
    });
    expect(page.text).toBe("waiting");
    await world.settle();
    expect(page.text).toBe("a");
  });
});

describe("useRecord", () => {
  it("shows a record, its pending write, and its end", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const release = world.hold();
    let song: ReturnType<typeof useRecord<Song>> | undefined;
    function Title(): ReactNode {
      song = useRecord<Song>("/songs/1");
      return `${song.row?.title} ${song.isPending} ${song.status.state}`;
    }
    const page = await showPage(world.client(), <Title />);
    expect(page.text).toBe("undefined false connecting");
    await world.settle();
    expect(page.text).toBe("a false live");

    const updated = begun(() => song?.update({ title: "b" }));
    await world.settle();
    expect(page.text).toBe("b true live");
    release();
    await world.settle();
    expect(await updated).toEqual({ id: 1, title: "b" });
    expect(page.text).toBe("b false live");
    await act(async () => song?.destroy());
    await world.settle();

    expect(page.text).toBe("undefined false gone");
  });

  it("waits by suspense, and renders only for its selection", async () => {
    const world = new World();
    world.put({ id: 1, title: "a", plays: 1 });
    let renders = 0;
    function Title(): ReactNode {
      renders += 1;
      const [path] = useState("/songs/1");
      return useRecord(path, { suspense: true, select: (song: Song | undefined) => song?.title }).selected;
    }
    const page = await showPage(
      world.client(),
      <Suspense fallback="waiting">
        <Title />
      </Suspense>,
    );
    expect(page.text).toBe("waiting");
    await world.settle();
    const before = renders;

    world.put({ id: 1, title: "a", plays: 2 });
    await world.settle();

    expect([page.text, renders]).toEqual(["a", before]);
  });

  it("renders for a write that is pending, where nothing else is read", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const release = world.hold();
    let song: ReturnType<typeof useRecord<Song>> | undefined;
    function Pending(): ReactNode {
      song = useRecord<Song>("/songs/1");
      return String(song.isPending);
    }
    const page = await showPage(world.client(), <Pending />);
    await world.settle();
    const updated = begun(() => song?.update({ title: "b" }));
    await world.settle();
    expect(page.text).toBe("true");
    release();
    await world.settle();
    await updated;
    expect(page.text).toBe("false");
  });

  it("follows nothing without a path", async () => {
    const world = new World();
    function Title(): ReactNode {
      return String(useRecord<Song>(undefined, { suspense: true }).row);
    }
    const page = await showPage(world.client(), <Title />);
    await world.settle();
    expect([page.text, world.sockets.length]).toEqual(["undefined", 0]);
  });
});
