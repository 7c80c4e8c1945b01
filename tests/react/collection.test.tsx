// @vitest-environment happy-dom
import { act, memo, type ReactNode, useState } from "react";
import { describe, expect, it } from "vitest";
import type { Field, HttpResponse } from "../../src/protocol/index.ts";
import { type UseCollectionResult, useCollection, useRocketStatus } from "../../src/react/index.ts";
import { type Song, World } from "./fixture.ts";
import { begun, failOnConsoleErrors, showPage } from "./page.tsx";

failOnConsoleErrors();

type Songs = UseCollectionResult<Song>;

/** A component that hands out what the hook gave, and counts how often it was rendered. */
function createProbe(show: (songs: Songs) => ReactNode) {
  const probe = { renders: 0, songs: undefined as unknown as Songs, Probe };
  function Probe(): ReactNode {
    probe.renders += 1;
    probe.songs = useCollection<Song>("/songs");
    return show(probe.songs);
  }
  return probe;
}

const titles = ({ rows }: Songs): string => rows.map(({ title }) => title).join(",");

describe("useCollection", () => {
  it("shows rows, and what changes", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const { Probe } = createProbe(titles);
    const page = await showPage(world.client(), <Probe />);
    expect(page.text).toBe("");

    await world.settle();
    expect(page.text).toBe("a");
    world.put({ id: 1, title: "A" }, { id: 2, title: "b" });
    await world.settle();

    expect(page.text).toBe("A,b");
  });

  it("does not render for a status that nobody reads", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const probe = createProbe(titles);
    const page = await showPage(world.client(), <probe.Probe />);
    await world.settle();
    const before = probe.renders;

    await world.stop();
    await world.pass(1_000);
    world.start();
    await world.pass(60_000);

    expect(page.text).toBe("a");
    expect(probe.songs.status.state).toBe("live");
    expect(probe.renders).toBe(before);
  });

  it("renders where there are more rows than it has, and are no more, if it reads that", async () => {
    const listed = (...fields: Field[]): HttpResponse => ({
      status: 200,
      reason: "",
      fields: [["Items", 'list="/songs", url="/songs/{id}"'], ...fields],
      body: '{"songs":[{"id":1,"title":"a"}]}',
    });
    const client = new World().client({ "/songs": listed(["Link", '</songs?offset=1>; rel="next"']) });
    const { Probe } = createProbe((songs) => `${titles(songs)} ${songs.hasMore}`);
    const page = await showPage(client, <Probe />);
    expect(page.text).toBe("a true");
    const { feed } = client.collection("/songs") as unknown as { feed: { take(message: HttpResponse): void } };
    await act(async () => feed.take(listed()));
    expect(page.text).toBe("a false");
  });

  it("does not render for rows that nobody reads", async () => {
    const world = new World();
    const probe = createProbe(({ status }) => status.state);
    const page = await showPage(world.client(), <probe.Probe />);
    await world.settle();
    const before = probe.renders;
    world.put({ id: 1, title: "a" });
    await world.settle();
    expect([page.text, probe.renders]).toEqual(["live", before]);
    expect(titles(probe.songs)).toBe("");
  });

  it("renders once for the first rows, and not again when it is live", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const probe = createProbe(titles);
    await showPage(world.client(), <probe.Probe />);
    await world.settle();
    expect(probe.renders).toBe(2);
  });

  it("renders for a status that is read: a server that restarts makes it stale, then live", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    const { Probe } = createProbe((songs) => `${songs.status.state} ${titles(songs)}`);
    const page = await showPage(world.client(), <Probe />);
    expect(page.text).toBe("connecting ");
    await world.settle();
    expect(page.text).toBe("live a");

    await world.stop();
    await world.settle();
    expect(page.text).toBe("stale a");
    world.put({ id: 2, title: "b" });
    world.start();
    await world.pass(60_000);

    expect(page.text).toBe("live a,b");
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs", expect.stringMatching(/^\/songs@m:/)]);
  });

  it("shows a created row at once, under the same key when it is confirmed", async () => {
    const world = new World();
    const release = world.hold();
    const seen: string[] = [];
    const probe = createProbe((songs) =>
      songs.rows.map((row) => {
        seen.push(`${songs.keyOf(row)} ${songs.urlOf(row)} ${songs.isPending(row)}`);
        return <b key={songs.keyOf(row)}>{row.title}</b>;
      }),
    );
    const page = await showPage(world.client(), <probe.Probe />);
    await world.settle();

    const created = begun(() => probe.songs.create({ title: "new" }));
    // Before anything else runs: a controlled input would lose its caret.
    expect(page.text).toBe("new");
    const element = page.element.querySelector("b");
    release();
    await world.settle();

    expect(await created).toEqual({ id: 1, title: "new" });
    await world.pass(2_000);
    expect(page.element.querySelector("b")).toBe(element);
    expect(seen[0]).toMatch(/^(urn:uuid:\S+) \1 true$/);
    expect(seen.at(-1)).toMatch(/^urn:uuid:\S+ \/songs\/1 false$/);
  });

  it("takes a refused write back", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    world.refusal = 422;
    const release = world.hold();
    const probe = createProbe(titles);
    const page = await showPage(world.client(), <probe.Probe />);
    await world.settle();
    const [row] = probe.songs.rows;

    const updated = begun(() => probe.songs.update(row as Song, { title: "b" }));
    const refused = expect(updated).rejects.toMatchObject({ name: "ProblemError", problem: { status: 422 } });
    await world.settle();
    expect(page.text).toBe("b");
    release();
    await world.settle();
    await refused;

    expect(page.text).toBe("a");
    expect(probe.songs.rows[0]).toBe(row);
  });

  it("shows a destroyed row no more", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" }, { id: 2, title: "b" });
    const probe = createProbe(titles);
    const page = await showPage(world.client(), <probe.Probe />);
    await world.settle();

    const destroyed = begun(() => probe.songs.destroy("/songs/1"));
    await world.settle();

    await destroyed;
    expect(page.text).toBe("b");
    expect(world.store.rows("songs")).toHaveLength(1);
  });

  it("gives the functions of the collection the same at each rendering", async () => {
    const world = new World();
    const probe = createProbe(titles);
    await showPage(world.client(), <probe.Probe />);
    const { create, keyOf } = probe.songs;
    world.put({ id: 1, title: "a" });
    await world.settle();
    expect([probe.songs.create, probe.songs.keyOf]).toEqual([create, keyOf]);
  });

  it("follows what the query says, and another query when it is another", async () => {
    const world = new World();
    world.put({ id: 1, title: "a", plays: 1 }, { id: 2, title: "b", plays: 2 });
    function Played({ plays }: { plays: number }): ReactNode {
      const { rows } = useCollection<Song>("/songs", { where: { plays } });
      return rows.map(({ title }) => title).join(",");
    }
    const page = await showPage(world.client(), <Played plays={1} />);
    await world.settle();
    expect(page.text).toBe("a");

    await page.show(<Played plays={2} />);
    await world.pass(2_000);

    expect(page.text).toBe("b");
    expect(world.askedBy("SUBSCRIBE")).toEqual(["/songs?plays=1", "/songs?plays=2"]);
    expect(world.askedBy("UNSUBSCRIBE")).toEqual(["/songs?plays=1"]);
  });

  it("follows nothing where the path is null, until there is one", async () => {
    const world = new World();
    world.put({ id: 1, title: "a" });
    let songs: Songs | undefined;
    function Maybe({ path }: { path: string | null }): ReactNode {
      songs = useCollection<Song>(path, { suspense: path === null });
      return `${songs.status.state} ${titles(songs)}`;
    }
    const page = await showPage(world.client(), <Maybe path={null} />);
    await world.settle();
    expect(page.text).toBe("connecting ");
    expect(world.sockets).toHaveLength(0);
    await expect(songs?.create({ title: "b" })).rejects.toThrow(/follows nothing/);

    await page.show(<Maybe path="/songs" />);
    await world.settle();

    expect(page.text).toBe("live a");
  });

  it("renders only the changed ones of 1,000 rows", async () => {
    const world = new World();
    world.put(...Array.from({ length: 1_000 }, (_, at) => ({ id: at + 1, title: `song ${at + 1}` })));
    const rendered: number[] = [];
    const Row = memo(function Row({ song }: { song: Song }): ReactNode {
      rendered.push(song.id);
      return <li>{song.title}</li>;
    });
    const { Probe } = createProbe(({ rows, keyOf }) => rows.map((song) => <Row key={keyOf(song)} song={song} />));
    const page = await showPage(world.client(), <Probe />);
    await world.settle();
    expect(rendered).toHaveLength(1_000);
    rendered.length = 0;

    world.put({ id: 7, title: "seven" });
    world.put({ id: 400, title: "four hundred" }, { id: 1_001, title: "new" });
    await world.settle();

    expect(rendered).toEqual([7, 400, 1_001]);
    expect(page.element.querySelectorAll("li")).toHaveLength(1_001);
  });

  it("shows failures as a status", async () => {
    const world = new World();
    world.forbidden.add("/songs");
    const { Probe } = createProbe(({ status }) => `${status.state} ${status.problem?.status}`);
    const page = await showPage(world.client(), <Probe />);
    await world.settle();
    expect(page.text).toBe("failed 403");
  });
});

describe("select", () => {
  it("renders only for a selection that is another", async () => {
    const world = new World();
    world.put({ id: 1, title: "a", plays: 1 }, { id: 2, title: "b", plays: 5 });
    let renders = 0;
    function Count(): ReactNode {
      renders += 1;
      const { selected } = useCollection("/songs", { select: (rows: readonly Song[]) => rows.length });
      return selected;
    }
    const page = await showPage(world.client(), <Count />);
    await world.settle();
    const before = renders;

    world.put({ id: 1, title: "A" });
    await world.settle();
    expect([page.text, renders]).toEqual(["2", before]);
    world.put({ id: 3, title: "c" });
    await world.settle();

    expect([page.text, renders]).toEqual(["3", before + 1]);
  });

  it("keeps a list of the same members", async () => {
    const world = new World();
    world.put({ id: 1, title: "a", plays: 9 }, { id: 2, title: "b", plays: 1 });
    const selections = new Set<readonly Song[]>();
    const often = (rows: readonly Song[]): Song[] => rows.filter(({ plays = 0 }) => plays > 5);
    function Hits(): ReactNode {
      const { selected } = useCollection("/songs", { select: (rows: readonly Song[]) => often(rows) });
      const [count, setCount] = useState(0);
      selections.add(selected);
      return (
        <button type="button" onClick={() => setCount(count + 1)}>
          {selected.map(({ title }) => title)}
        </button>
      );
    }
    const page = await showPage(world.client(), <Hits />);
    await world.settle();
    selections.clear();

    world.put({ id: 2, title: "B", plays: 2 });
    await world.settle();
    await page.show(<Hits />);
    world.put({ id: 3, title: "c", plays: 3 });
    await world.settle();
    await page.show(<Hits />);

    expect(page.text).toBe("a");
    expect(selections.size).toBe(1);
  });

  it("throws in the component", async () => {
    const world = new World();
    let thrown: unknown;
    function Fragile(): ReactNode {
      const songs = useCollection("/songs", { select: ([first]: readonly Song[]) => first?.title.length });
      try {
        return songs.selected;
      } catch (error) {
        thrown = error;
        return "caught";
      }
    }
    const page = await showPage(world.client(), <Fragile />);
    await world.settle();
    world.put({ id: 1, title: null as unknown as string });
    await world.settle();
    expect(page.text).toBe("caught");
    expect(thrown).toBeInstanceOf(TypeError);
  });
});

describe("useRocketStatus", () => {
  it("shows the worst of all that is followed", async () => {
    const world = new World();
    const { Probe } = createProbe(titles);
    function Status(): ReactNode {
      return useRocketStatus().state;
    }
    const page = await showPage(
      world.client(),
      <>
        <Status />
        <Probe />
      </>,
    );
    expect(page.text).toBe("connecting");
    await world.settle();
    expect(page.text).toBe("live");
    await world.stop();
    await world.settle();
    expect(page.text).toBe("stale");
  });
});
