import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createServer } from "../../../src/node/index.ts";
import { decodeResponse, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { createScaffold, openUsers, type UserDirectory, type UsersOptions } from "../../../src/scaffold/index.ts";
import { OpenStream } from "../../node/stream.ts";
import { serverOfFile } from "../postgres/server.ts";
import { connect, newPath } from "../sqlite/workspace.ts";
import { bearer } from "./issuer.ts";

const postgres = serverOfFile();
const users = { signUp: true, passwordCost: 4 } as UsersOptions;
const ann = { email: "ann@example.com", password: "correct horse" };
const json = { "Content-Type": "application/json" };
const notes = "CREATE TABLE notes (id integer PRIMARY KEY, text text)";

function createFile(sql: string): string {
  const path = newPath();
  connect(path, `PRAGMA journal_mode = WAL; ${sql}`);
  return path;
}

/** A database with notes, by its path or URL. */
const databases: readonly [string, () => Promise<string>][] = [
  ["SQLite", async () => createFile(notes)],
  [
    "PostgreSQL",
    async () => {
      const name = await postgres.database();
      await (await postgres.connect(name)).query(notes);
      return postgres.url(name);
    },
  ],
];

interface SignedIn {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** A server where people sign in. */
async function start(path: string) {
  const scaffold = await createScaffold({ path, users });
  const { origin, journal, derived, revocations } = scaffold;
  const rocket = createServer({
    ...{ origin, derived, drainMs: 0, onError: () => undefined },
    ...(journal ? { journal } : {}),
    ...(revocations ? { revocations } : {}),
  });
  onTestFinished(async () => {
    await rocket.close();
    await scaffold.close();
  });
  const { port } = await rocket.listen(0, "127.0.0.1");
  const url = `http://127.0.0.1:${port}`;
  const post = (target: string, body: object | undefined, headers: Record<string, string> = {}) =>
    fetch(`${url}${target}`, {
      method: "POST",
      headers: { ...(body ? json : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const signUp = async (): Promise<SignedIn> => (await (await post("/auth/sign-up", ann)).json()) as SignedIn;
  return { url, post, signUp };
}

/** A WebSocket that follows the notes, and what it was sent. */
async function follow(url: string, headers: Record<string, string>) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/notes`, ["rocket.v1"], { headers });
  onTestFinished(() => socket.terminate());
  const messages: HttpResponse[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    messages.push(decodeResponse(data.toString()));
    for (const look of waiting) look();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  const until = (status: number): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = messages.find((message) => message.status === status);
        if (found) resolve(found);
      };
      socket.on("error", reject);
      waiting.add(look);
      look();
    });
  await until(200);
  return { messages, until, closed };
}

async function directory(path: string): Promise<UserDirectory> {
  const opened = await openUsers(path, users);
  onTestFinished(() => opened.close());
  return opened;
}

describe.each(databases)("On %s, what somebody follows", (_name, create) => {
  test("ends with a 401 as soon as they sign out, and shows nothing after it", async () => {
    const { url, post, signUp } = await start(await create());
    const tokens = await signUp();
    const other = (await (await post("/auth/sign-in", ann)).json()) as SignedIn;
    const [mine, theirs] = [
      await follow(url, bearer(tokens.access_token)),
      await follow(url, bearer(other.access_token)),
    ];
    const stream = await OpenStream.open(`${url}/notes`, "text/event-stream", bearer(tokens.access_token));

    const out = await post("/auth/sign-out", { refresh_token: tokens.refresh_token });
    const end = await mine.until(401);
    await post("/notes", { id: 1, text: "secret" }, bearer(other.access_token));
    await theirs.until(201);

    expect([out.status, await mine.closed, fieldValue(end.fields, "www-authenticate")]).toEqual([
      204,
      4401,
      'Bearer error="invalid_token"',
    ]);
    expect(JSON.stringify(mine.messages)).not.toContain("secret");
    await stream.until(({ hasEnded }) => hasEnded);
    expect(stream.text).toContain("401");
    expect(stream.text).not.toContain("secret");
  });

  test("ends where a cookie showed who they are, too", async () => {
    const { url, post, signUp } = await start(await create());
    await signUp();
    const into = await post("/auth/sign-in", { ...ann, cookie: true });
    const cookie = { Cookie: into.headers.get("set-cookie")?.split(";")[0] ?? "" };
    const { until, closed } = await follow(url, cookie);

    await post("/auth/sign-out", undefined, cookie);

    await until(401);
    expect(await closed).toBe(4401);
  });

  test.each<[string, (users: UserDirectory) => Promise<void>, number]>([
    ["is disabled", (people) => people.disable(ann.email), 401],
    ["gets another password", (people) => people.setPassword(ann.email, "another horse"), 401],
    ["is said something else of", (people) => people.setClaims(ann.email, { role: "editor" }), 200],
  ])("ends soon where another process sees to it that the user %s", async (_what, act, refreshed) => {
    const path = await create();
    const [one, two] = [await start(path), await start(path)];
    const tokens = await one.signUp();
    const into = await one.post("/auth/sign-in", { ...ann, cookie: true });
    const cookie = { Cookie: into.headers.get("set-cookie")?.split(";")[0] ?? "" };
    const following = [
      await follow(one.url, bearer(tokens.access_token)),
      await follow(two.url, bearer(tokens.access_token)),
      await follow(two.url, cookie),
    ];

    await act(await directory(path));

    expect(await Promise.all(following.map(({ closed }) => closed))).toEqual([4401, 4401, 4401]);
    const get = await fetch(`${two.url}/notes`, { headers: bearer(tokens.access_token) });
    const refresh = await two.post("/auth/refresh", { refresh_token: tokens.refresh_token });
    const byCookie = await fetch(`${two.url}/notes`, { headers: cookie });
    expect([get.status, refresh.status, byCookie.status]).toEqual([401, refreshed, refreshed]);
  });
});

describe("A page of another origin", () => {
  test.each(["sign-up", "sign-in", "refresh", "sign-out"])("can't POST to /auth/%s", async (name) => {
    const { post } = await start(createFile(notes));
    await post("/auth/sign-up", ann);

    const answers = [
      await post(`/auth/${name}`, ann, { Origin: "https://evil.example" }),
      await post(`/auth/${name}`, ann, { "Sec-Fetch-Site": "cross-site" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(answers.map(({ headers }) => headers.get("set-cookie"))).toEqual([null, null]);
  });
});

describe("On PostgreSQL, users", () => {
  test("act as the role that their claims name, else as that of all, and policies see who they are", async () => {
    const name = await postgres.database();
    const client = await postgres.connect(name);
    await client.query(`CREATE ROLE person; CREATE ROLE editor; ${notes};
      ALTER TABLE notes ADD owner uuid;
      ALTER TABLE notes ALTER owner SET DEFAULT (current_setting('request.jwt.claims')::json ->> 'sub')::uuid;
      ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
      GRANT ALL ON notes TO person, editor;
      CREATE POLICY own ON notes TO person USING (owner = (current_setting('request.jwt.claims')::json ->> 'sub')::uuid);
      CREATE POLICY everything ON notes TO editor USING (true);`);
    const path = postgres.url(name);
    const scaffold = await createScaffold({ path, users: { ...users, role: "person" } });
    onTestFinished(() => scaffold.close());
    const people = await directory(path);
    await people.add("ann@example.com", "correct horse");
    await people.add("ben@example.com", "correct horse");
    await people.add("eve@example.com", "correct horse", { role: "editor" });
    const send = async (
      method: string,
      target: string,
      body: object | undefined,
      fields: Record<string, string> = {},
    ) =>
      scaffold.origin({
        ...{ method, target, fields: Object.entries({ ...(body ? json : {}), ...fields }) },
        body: body ? JSON.stringify(body) : "",
      });
    const signIn = async (email: string): Promise<Record<string, string>> => {
      const { body } = await send("POST", "/auth/sign-in", { email, password: "correct horse" });
      return bearer((JSON.parse(String(body)) as SignedIn).access_token);
    };
    const [annSays, benSays, eveSays] = [
      await signIn("ann@example.com"),
      await signIn("ben@example.com"),
      await signIn("eve@example.com"),
    ];

    const made = await send("POST", "/notes", { id: 1, text: "mine" }, annSays);
    const lists = [annSays, benSays, eveSays].map(async (who) =>
      JSON.parse(String((await send("GET", "/notes", undefined, who)).body)).notes.map(
        ({ text }: { text: string }) => text,
      ),
    );

    expect(made.status).toBe(201);
    expect(await Promise.all(lists)).toEqual([["mine"], [], ["mine"]]);
  });

  test("are refused a role that is none, and a place that the connection's role may not make", async () => {
    const name = await postgres.database();
    const client = await postgres.connect(name);
    await client.query(`CREATE ROLE small LOGIN; ${notes}; GRANT ALL ON notes TO small`);

    await expect(createScaffold({ path: postgres.url(name), users: { role: "nobody_of_that_name" } })).rejects.toThrow(
      'users.role names "nobody_of_that_name", which the database does not have.',
    );
    await expect(openUsers(postgres.url(name, "small"))).rejects.toMatchObject({
      code: "users-denied",
      message: expect.stringContaining("CREATE SCHEMA rocket_users AUTHORIZATION"),
    });
    await client.query("CREATE SCHEMA rocket_users AUTHORIZATION small");
    expect(await (await directory(postgres.url(name, "small"))).list()).toEqual([]);
  });
});
