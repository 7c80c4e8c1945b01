import { describe, expect, test } from "vitest";
import { bearer } from "../tokens/issuer.ts";
import { serve } from "./service.ts";
import { type Tokens, users } from "./users.ts";

const sql = "CREATE TABLE notes (id integer PRIMARY KEY, owner text NOT NULL, text text)";
const rules = {
  notes: {
    read: "or=(owner.eq.$sub,$kind.eq.reader)",
    create: { check: "owner=eq.$sub", set: { owner: "$sub" } },
    update: "owner=eq.$sub",
    delete: "owner=eq.$sub",
  },
};

describe("Row rules know who has signed in", () => {
  test("by a token and by a cookie", async () => {
    const { send } = await serve(sql, { users, rules });
    const people = await Promise.all(
      ["ann", "ben"].map(async (name) => {
        const credentials = { email: `${name}@example.com`, password: "correct horse" };
        const { access_token: token, user } = (await send("POST", "/auth/sign-up", credentials)).json as Tokens;
        return { ...user, credentials, fields: bearer(token) };
      }),
    );
    const [ann, ben] = people as [(typeof people)[0], (typeof people)[0]];
    const local = { Host: "127.0.0.1" };
    const cookie = (await send("POST", "/auth/sign-in", { ...ben.credentials, cookie: true }, local)).field(
      "Set-Cookie",
    );
    const bens = { ...local, Cookie: cookie?.split(";")[0] ?? "" };
    const texts = async (fields: Record<string, string>) =>
      ((await send("GET", "/notes", undefined, fields)).json as { notes: { text: string }[] }).notes.map(
        ({ text }) => text,
      );

    await send("POST", "/notes", { id: 1, text: "Ann's" }, ann.fields);
    await send("POST", "/notes", { id: 2, text: "Ben's" }, bens);

    expect([await texts(ann.fields), await texts(ben.fields), await texts(bens)]).toEqual([
      ["Ann's"],
      ["Ben's"],
      ["Ben's"],
    ]);
    expect((await send("PATCH", "/notes/1", { text: "Ben's, too" }, bens)).status).toBe(404);
  });
});
