import { describe, expect, it } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { requestsLeft } from "../../../src/server/derived/request-budget.ts";
import { AppWorld, cookie, json, plain, userOf } from "./fixture.ts";

const date: Field = ["Date", "Fri, 06 Nov 2026 08:49:37 GMT"];
const epoch = Date.parse(date[1]) / 1_000;

describe("What an answer says of a rate limit", () => {
  it.each<[string, Field[], ReturnType<typeof requestsLeft>]>([
    ["nothing", [["Retry-After", "5"]], undefined],
    ["a draft's list", [["RateLimit", '"burst";r=9;t=1, "hour";r=7;t=50']], { remaining: 7, resetMs: 50_000 }],
    [
      "a draft's list with its policy",
      [
        ["RateLimit", '"default";r=50;t=30'],
        ["RateLimit-Policy", '"default";q=100;w=60'],
      ],
      { remaining: 50, resetMs: 30_000, limit: 100 },
    ],
    [
      "an older draft's one field",
      [["ratelimit", "limit=60, remaining=12, reset=40"]],
      { remaining: 12, resetMs: 40_000, limit: 60 },
    ],
    [
      "a still older draft's three",
      [
        ["RateLimit-Limit", "60, 60;w=60"],
        ["RateLimit-Remaining", "3"],
        ["RateLimit-Reset", "7"],
      ],
      { remaining: 3, resetMs: 7_000, limit: 60 },
    ],
    [
      "X- fields with a time",
      [["X-RateLimit-Remaining", "3"], ["X-RateLimit-Reset", String(epoch + 9)], date],
      { remaining: 3, resetMs: 9_000 },
    ],
    [
      "X- fields with a time in milliseconds",
      [["x-rate-limit-remaining", "0"], ["x-rate-limit-reset", String((epoch + 9) * 1_000)], date],
      { remaining: 0, resetMs: 9_000 },
    ],
    ["a number alone", [["X-RateLimit-Remaining", "3"]], { remaining: 3, resetMs: 60_000 }],
    ["no number", [["X-RateLimit-Remaining", "many"]], undefined],
  ])("is read: %s", (_what, fields, expected) => {
    expect(requestsLeft(fields)).toEqual(expected);
  });
});

/** An app that lets each user make so many requests a minute, with or without fields that say so. */
class LimitedApp {
  readonly world: AppWorld;
  left = 60;
  n = 0;
  refused = 0;

  constructor(fieldsOf: (left: number, resetMs: number) => Field[]) {
    this.world = new AppWorld(() => {
      const resetMs = 60_000 - (this.world.clock.now() % 60_000);
      if (this.left === 0) {
        this.refused += 1;
        return plain(429, ["Retry-After", String(Math.ceil(resetMs / 1_000))], ...fieldsOf(0, resetMs));
      }
      this.left -= 1;
      return json({ n: this.n }, ...fieldsOf(this.left, resetMs));
    });
    this.#reset();
  }

  #reset(): void {
    const { clock } = this.world;
    clock.setTimer(
      () => {
        this.left = 60;
        this.#reset();
      },
      60_000 - (clock.now() % 60_000),
    );
  }
}

const forms: [string, (left: number, resetMs: number) => Field[]][] = [
  ["RateLimit", (left, resetMs) => [["RateLimit", `"a";r=${left};t=${Math.ceil(resetMs / 1_000)}`]]],
  [
    "X-RateLimit-*",
    (left, resetMs) => [
      ["X-RateLimit-Limit", "60"],
      ["X-RateLimit-Remaining", String(left)],
      ["X-RateLimit-Reset", String(Math.ceil(resetMs / 1_000))],
    ],
  ],
];

describe("A follower's looks [R-DER-7]", () => {
  it.each(forms)("leave its user requests while %s tells what there is, and see each state", async (_name, fields) => {
    const app = new LimitedApp(fields);
    const { world } = app;
    const targets = ["/a", "/b", "/c"];
    const peers = await Promise.all(targets.map((target) => world.open(target, [cookie("ann")])));
    let least = app.left;
    for (let second = 0; second < 300; second += 1) {
      app.n += 1;
      await world.changed(...targets);
      await world.clock.advance(1_000);
      least = Math.min(least, app.left);
    }
    expect(app.refused).toBe(0);
    expect(least).toBeGreaterThan(12);
    await world.clock.advance(120_000);
    for (const { messages } of peers) expect(messages.map(({ body }) => body)).toContain(JSON.stringify({ n: app.n }));
  });

  it("wait together after a 429 that says for how long, and nobody else's do", async () => {
    let isRefused = false;
    const world = new AppWorld((request) =>
      isRefused && userOf(request) === "ann" ? plain(429, ["Retry-After", "30"]) : json({ isRefused }),
    );
    for (const target of ["/a", "/b"]) await world.opened(target, [cookie("ann")]);
    await world.opened("/a", [cookie("bob")]);
    isRefused = true;
    world.takeGets();
    await world.changed("/a");
    await world.changed("/b");
    await world.clock.advance(20_000);
    expect(world.asked.filter((request) => userOf(request) === "ann")).toHaveLength(1);
    expect(world.asked.filter((request) => userOf(request) === "bob").length).toBeGreaterThan(0);
    isRefused = false;
    await world.clock.advance(11_000);
    expect(new Set(world.asked.filter((request) => userOf(request) === "ann").map(({ target }) => target))).toEqual(
      new Set(["/a", "/b"]),
    );
  });
});
