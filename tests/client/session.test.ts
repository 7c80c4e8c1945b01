import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket as NodeWebSocket } from "ws";
import { type ClientStorage, createSession, type Session, type SessionOptions } from "../../src/client/index.ts";
import { createServer } from "../../src/node/index.ts";
import { createScaffold, openUsers, type UsersOptions } from "../../src/scaffold/index.ts";
import { type Clock, systemClock } from "../../src/server/index.ts";
import { connect, newPath } from "../scaffold/sqlite/workspace.ts";

const users = { signUp: true, passwordCost: 4 } as UsersOptions;
const ann = { email: "ann@example.com", password: "correct horse" };
const ben = { email: "ben@example.com", password: "correct horse" };

/** A server where people sign in, and what it was asked. */
async function start() {
  const path = newPath();
  connect(path, "PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, wallTime: () => systemClock.wallTime() + skippedMs };
  const scaffold = await createScaffold({ path, users, clock });
  const { journal, revocations, derived } = scaffold;
  const asked: string[] = [];
  const rocket = createServer({
    origin: (request) => {
      asked.push(`${request.method} ${request.target}`);
      return scaffold.origin(request);
    },
    ...{ derived, drainMs: 0, onError: () => undefined },
    ...(journal ? { journal } : {}),
    ...(revocations ? { revocations } : {}),
  });
  onTestFinished(async () => {
    await rocket.close();
    await scaffold.close();
  });
  const { port } = await rocket.listen(0, "127.0.0.1");
  const skip = (ms: number): void => {
    skippedMs += ms;
  };
  return { path, url: `http://127.0.0.1:${port}`, asked, skip };
}

function open(url: string, options: SessionOptions = {}): Session {
  const session = createSession(url, { onError: () => undefined, ...options });
  onTestFinished(() => session.close());
  return session;
}

/** What browsers keep: one for the tabs of one. */
function createStorage(): ClientStorage & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return { entries, getItem: (key) => entries.get(key) ?? null, setItem: (key, value) => void entries.set(key, value) };
}

/** A browser as far as cookies go. */
function createBrowser() {
  const jar = new Map<string, string>();
  const cookie = (): string => [...jar].map((pair) => pair.join("=")).join("; ");
  const browserFetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    if (jar.size > 0) headers.set("Cookie", cookie());
    const response = await fetch(input, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
  class BrowserWebSocket extends NodeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: jar.size > 0 ? { Cookie: cookie() } : {} });
    }
  }
  return { jar, options: { keep: "cookie", fetch: browserFetch, WebSocket: BrowserWebSocket as never } as const };
}

const texts = (session: Session): unknown[] =>
  session.client
    .collection<{ text: string }>("/notes")
    .getSnapshot()
    .rows.map(({ text }) => text);

/** Follows the notes as whoever has signed in. */
async function follow({ client }: Session) {
  const notes = client.collection<{ id: number; text: string }>("/notes");
  const end = notes.subscribe(() => undefined);
  onTestFinished(end);
  await notes.ready();
  return notes;
}

describe.each<[string, () => SessionOptions]>([
  ["a token", () => ({ keep: "token" })],
  ["a cookie", () => createBrowser().options],
])("A session that is shown by %s", (_name, optionsOf) => {
  test("is nobody's at first, and somebody's from sign-up to sign-out", async () => {
    const { url } = await start();
    const session = open(url, optionsOf());
    const changes: (string | undefined)[] = [];
    session.onChange(() => void changes.push(session.user?.email));
    await session.ready;
    expect([session.state, session.user]).toEqual(["signed-out", undefined]);
    const nobodys = session.client;

    const user = await session.signUp(ann);
    const notes = await follow(session);
    await notes.create({ text: "mine" });

    expect([session.state, session.user]).toEqual(["signed-in", user]);
    expect([user.email, texts(session)]).toEqual([ann.email, ["mine"]]);
    expect(nobodys.status.problem?.status).toBe(499);

    const mine = session.client;
    await session.signOut();
    await session.signOut();

    expect([session.state, session.user, mine.status.problem?.status]).toEqual(["signed-out", undefined, 499]);
    expect((await session.client.fetch("/notes")).status).toBe(401);
    expect(changes).toEqual([undefined, ann.email, undefined]);
  });

  test("shows nothing of who was there before, once somebody else signs in", async () => {
    const { url } = await start();
    const session = open(url, optionsOf());
    await session.signUp(ann);
    const before = session.client;
    const notes = await follow(session);

    await session.signUp(ben);

    expect([session.user?.email, before.status.problem?.status, notes.getSnapshot().rows.length]).toEqual([
      ben.email,
      499,
      0,
    ]);
    expect((await session.client.fetch("/notes")).status).toBe(200);
  });

  test("leaves no rows in a collection of who signs out", async () => {
    const { url } = await start();
    const session = open(url, optionsOf());
    await session.signUp(ann);
    const notes = await follow(session);
    await notes.create({ text: "mine" });
    expect(notes.getSnapshot().rows).toHaveLength(1);

    await session.signOut();

    const { rows, status } = notes.getSnapshot();
    expect([rows, status.problem?.status]).toEqual([[], 499]);
  });

  test("is over once the server says so: who was signed out is told", async () => {
    const { url, path } = await start();
    const session = open(url, optionsOf());
    await session.signUp(ann);
    await follow(session);
    const over = new Promise<void>((resolve) => session.onChange(() => resolve()));
    const people = await openUsers(path, users);
    onTestFinished(() => people.close());

    await people.disable(ann.email);
    await over;

    expect([session.state, session.user]).toEqual(["signed-out", undefined]);
  });

  test("says what is wrong where the password is", async () => {
    const { url } = await start();
    const session = open(url, optionsOf());

    await expect(session.signIn(ann)).rejects.toMatchObject({
      problem: { status: 401, detail: "The email or the password is not right." },
    });
    await expect(session.signUp({ ...ann, password: "short" })).rejects.toMatchObject({ problem: { status: 422 } });
    expect(session.user).toBeUndefined();
  });
});

describe("The session of a token", () => {
  test("is renewed in place before the token ends: what is followed stays live", async () => {
    const { url, asked } = await start();
    let now = Date.now();
    const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
    const session = open(url, {
      keep: "token",
      clock: {
        now: () => now,
        random: () => 0.5,
        setTimer(callback, ms) {
          const timer = { at: now + ms, callback };
          timers.add(timer);
          const soon = ms < 1_000 ? setTimeout(() => timers.delete(timer) && callback(), ms) : undefined;
          return () => {
            clearTimeout(soon);
            timers.delete(timer);
          };
        },
      },
    });
    await session.signUp(ann);
    const notes = await follow(session);
    await expect.poll(() => notes.getSnapshot().status.state).toBe("live");
    const states: string[] = [];
    notes.subscribe(() => void states.push(notes.getSnapshot().status.state));

    now += 9 * 60_000 + 1_000;
    for (const timer of [...timers].filter(({ at }) => at <= now && at > now - 60_000)) {
      timers.delete(timer);
      timer.callback();
    }
    await expect.poll(() => asked.filter((request) => request === "POST /auth/refresh").length).toBe(1);
    await notes.create({ text: "after" });

    expect(notes.getSnapshot().rows.map(({ text }) => text)).toEqual(["after"]);
    expect(states.filter((state) => state !== "live")).toEqual([]);
  });

  test("outlives a reload where there is a storage, and not its sign-out", async () => {
    const { url } = await start();
    const storage = createStorage();
    const first = open(url, { keep: "token", storage });
    await first.signUp(ann);
    first.close();

    const second = open(url, { keep: "token", storage });
    await second.ready;
    expect([second.state, second.user?.email]).toEqual(["signed-in", ann.email]);
    expect((await second.client.fetch("/notes")).status).toBe(200);
    await second.signOut();

    expect([...storage.entries.values()].join()).not.toContain("refresh");
    const third = open(url, { keep: "token", storage });
    await third.ready;
    expect(third.state).toBe("signed-out");
  });

  test("goes on in two tabs that renew it at once, and after one was faster", async () => {
    const { url, asked, skip } = await start();
    const storage = createStorage();
    const one = open(url, { keep: "token", storage });
    await one.signUp(ann);
    const two = open(url, { keep: "token", storage });
    await two.ready;
    const get = async (session: Session) => (await session.client.fetch("/notes")).status;
    skip(601_000);

    expect(await Promise.all([get(one), get(two)])).toEqual([200, 200]);
    skip(601_000);
    expect(await get(one)).toBe(200);
    const before = asked.length;
    expect(await get(two)).toBe(200);

    expect(asked.slice(before)).not.toContain("POST /auth/refresh");
    expect([one.user?.email, two.user?.email]).toEqual([ann.email, ann.email]);
  });

  test("is not over because the server is away", async () => {
    const { url, skip } = await start();
    let isAway = false;
    const session = open(url, {
      keep: "token",
      fetch: (input, init) => (isAway ? Promise.reject(new TypeError("away")) : fetch(input, init)),
    });
    await session.signUp(ann);
    skip(601_000);

    isAway = true;
    await expect(session.client.fetch("/notes")).rejects.toThrow("away");
    expect(session.user?.email).toBe(ann.email);
    isAway = false;

    expect((await session.client.fetch("/notes")).status).toBe(200);
  });

  test("that could not be ended at the server is over here, and is ended there by another call", async () => {
    const { url } = await start();
    let isAway = false;
    const shown: string[] = [];
    const session = open(url, {
      keep: "token",
      fetch: (input, init) => {
        shown.push(new Headers(init?.headers).get("authorization") ?? "");
        return isAway ? Promise.reject(new TypeError("away")) : fetch(input, init);
      },
    });
    await session.signUp(ann);
    await session.client.fetch("/notes");
    const token = shown.at(-1) ?? "";

    isAway = true;
    await expect(session.signOut()).rejects.toThrow("away");
    expect(session.state).toBe("signed-out");
    isAway = false;
    const status = async () => (await fetch(`${url}/notes`, { headers: { Authorization: token } })).status;
    expect(await status()).toBe(200);
    await session.signOut();

    expect(await status()).toBe(401);
  });
});

describe("The session of a cookie", () => {
  test("is asked for until the server says whose it is", async () => {
    const { url } = await start();
    const { options } = createBrowser();
    const first = open(url, options);
    await first.signUp(ann);
    first.close();
    let failures = 3;
    const second = open(url, {
      ...options,
      clock: {
        now: () => Date.now(),
        random: () => 0.5,
        setTimer(callback, ms) {
          const timer = setTimeout(callback, ms / 100);
          return () => clearTimeout(timer);
        },
      },
      fetch: (input, init) => {
        failures -= 1;
        if (failures === 1) return Promise.resolve(new Response(null, { status: 503 }));
        return failures > 0 ? Promise.reject(new TypeError("away")) : options.fetch(input, init);
      },
    });
    expect(second.state).toBe("starting");

    await second.ready;

    expect([second.state, second.user?.email, failures]).toEqual(["signed-in", ann.email, 0]);
  });

  test("outlives a reload, and its sign-out leaves no cookie", async () => {
    const { url } = await start();
    const { options, jar } = createBrowser();
    const first = open(url, options);
    await first.signUp(ann);
    first.close();
    expect([...jar.keys()]).toEqual(["rocket-session"]);

    const second = open(url, options);
    await second.ready;
    expect(second.user?.email).toBe(ann.email);
    await second.signOut();

    expect([second.state, jar.size]).toEqual(["signed-out", 0]);
  });
});

test("A session with a token says what is said of the user by now, in each tab, and keeps the client", async () => {
  const { url, path } = await start();
  const storage = createStorage();
  const session = open(url, { keep: "token", storage });
  await session.signUp(ann);
  await follow(session);
  const other = open(url, { keep: "token", storage });
  await other.ready;
  const { client } = session;
  const told = new Promise<void>((resolve) => session.onChange(() => resolve()));
  const people = await openUsers(path, users);
  onTestFinished(() => people.close());

  await people.setClaims(ann.email, { kind: "librarian" });
  await told;

  expect([session.state, session.user?.claims, session.client === client]).toEqual([
    "signed-in",
    { kind: "librarian" },
    true,
  ]);
  // Its own token is refused, and the other tab has renewed it.
  expect((await other.client.fetch("/notes")).status).toBe(200);
  expect(other.user?.claims).toEqual({ kind: "librarian" });
});
