import { describe, expect, test } from "vitest";
import { bearer } from "../tokens/issuer.ts";
import { here, serve } from "./service.ts";
import { ann, serveUsers, users } from "./users.ts";

const usersTable = here({ sqlite: "_rocket_users", postgres: "rocket_users.users" });

describe("The tables of users", () => {
  test.each(["_rocket_users", "_rocket_sessions", "_rocket_keys", "rocket_users.users", "rocket_users.keys", "users"])(
    "are not served: %s",
    async (name) => {
      const { send, signUp } = await serveUsers();
      const { access_token: token } = await signUp();

      const answers = [
        await send("GET", `/${name}`, undefined, bearer(token)),
        await send("POST", `/${name}`, {}, bearer(token)),
        await send("GET", "/notes?select=*,users(*)", undefined, bearer(token)),
      ];

      expect(answers.map(({ status }) => status)).toEqual([404, 404, 400]);
      expect((await send("GET", "/", undefined, bearer(token))).text).not.toContain("users");
    },
  );

  test("can be named by others, which is all that is seen of them", async () => {
    const { send, signUp, run } = await serveUsers();
    const { access_token: token, user } = await signUp();
    await run(`CREATE TABLE posts (id integer PRIMARY KEY, owner text NOT NULL REFERENCES ${usersTable} (id))`);

    const made = await send("POST", "/posts", { id: 1, owner: user.id }, bearer(token));
    const other = await send("POST", "/posts", { id: 2, owner: "nobody" }, bearer(token));

    expect([made.status, other.status]).toEqual([201, 409]);
  });

  test("of that name that are somebody else's are left alone", async () => {
    const own = here({
      sqlite: "CREATE TABLE _rocket_users (name TEXT)",
      postgres: "CREATE SCHEMA rocket_users; CREATE TABLE rocket_users.users (name text)",
    });

    await expect(serve(own, { users })).rejects.toMatchObject({
      code: "database-invalid",
      message: expect.stringContaining(`The database has a table ${usersTable}`),
    });
  });

  test("are the same for two processes that begin at once", async () => {
    const { signUp, signIn, again } = await serveUsers();
    const two = await Promise.all([again(), again()]);
    const { access_token: token } = await signUp();
    await signIn();

    const statuses = two.map(async ({ origin }) => {
      const fields = Object.entries(bearer(token));
      return (await origin({ method: "GET", target: "/notes", fields, body: "" })).status;
    });

    expect(await Promise.all(statuses)).toEqual([200, 200]);
  });
});

describe("A table named auth", () => {
  test("is served beside the URLs of signing in, which hide five of its records", async () => {
    const { send, run, signUp } = await serveUsers();
    const { access_token: token } = await signUp();
    await run("CREATE TABLE auth (id text PRIMARY KEY); INSERT INTO auth VALUES ('user'), ('1')");

    const answers = [
      await send("GET", "/auth", undefined, bearer(token)),
      await send("GET", "/auth/1", undefined, bearer(token)),
      await send("GET", "/auth/user", undefined, bearer(token)),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers[2]?.json).toMatchObject({ user: { email: ann.email } });
  });
});

describe("Below a base path", () => {
  test("people sign in there, and nowhere else", async () => {
    const { send } = await serve("CREATE TABLE notes (id integer PRIMARY KEY)", { users, basePath: "/api" });

    expect((await send("POST", "/api/auth/sign-up", ann)).field("Location")).toBe("/api/auth/user");
    expect((await send("POST", "/auth/sign-in", ann)).status).toBe(401);
  });
});

describe("Those who have not signed in", () => {
  test("read where that is said, and write nothing", async () => {
    const { send } = await serveUsers({ tokens: { anonymous: "read" } });

    const answers = [await send("GET", "/notes"), await send("POST", "/notes", { id: 1 })];

    expect(answers.map(({ status }) => status)).toEqual([200, 401]);
  });
});
