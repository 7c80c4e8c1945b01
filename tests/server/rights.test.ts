import { describe, expect, it } from "vitest";
import { createProblem, type Field, fieldValue, problemResponse } from "../../src/protocol/index.ts";
import { forViewers, type Origin, type OriginResponse } from "../../src/server/index.ts";
import { briefs, createWorld, type World } from "./fixture.ts";

const token = (name: string): Field => ["Authorization", `Bearer ${name}`];

interface Guarded {
  readonly world: World;
  /** What each token is answered instead; nothing lets it in. */
  readonly refusals: Map<string, number>;
}

function guarded(refreshMs = 1_000): Guarded {
  const refusals = new Map<string, number>();
  const around =
    (origin: Origin): Origin =>
    async (request) => {
      const name = fieldValue(request.fields, "authorization")?.replace("Bearer ", "") ?? "nobody";
      const status = refusals.get(name);
      return status === undefined ? origin(request) : problemResponse(createProblem(status, "No."));
    };
  return { world: createWorld({ refreshMs, around }), refusals };
}

describe("A direct view", () => {
  it.each([401, 403, 404])(
    "ends with a %i for who may not GET it any more, within the refresh time [R-SEC-7]",
    async (status) => {
      const { world, refusals } = guarded();
      world.put("a", 1);
      const anna = await world.opened("/a", [token("anna")]);
      const ben = await world.opened("/a", [token("ben")]);
      refusals.set("anna", status);
      await world.clock.advance(1_000);
      world.put("a", 2, { secret: 1 });
      await world.clock.settle();
      expect(anna.closing?.code).toBe(4000 + status);
      expect(anna.messages.at(-1)?.status).toBe(status);
      expect(JSON.stringify(anna.messages)).not.toContain("secret");
      expect(briefs(ben).at(-1)).toBe("201 /a/2 @2");
    },
  );

  it("that was followed in band ends alone, and is asked for with the credentials that it was given last [R-SEC-7]", async () => {
    const { world, refusals } = guarded();
    const peer = await world.opened("/.well-known/rocket");
    for (const [id, name] of ["old", "new"].entries()) {
      peer.request("SUBSCRIBE", "/a", [["Request-ID", `${id}`], token(name)]);
      await world.clock.settle();
    }
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "b"]]);
    refusals.set("old", 401);
    await world.clock.advance(3_000);
    expect(peer.messages.some(({ status }) => status === 401)).toBe(false);
    refusals.set("new", 401);
    await world.clock.advance(1_000);
    expect(briefs(peer).at(-1)).toBe("401 sub=/a");
    expect(peer.closing).toBeUndefined();
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(peer).at(-1)).toBe("201 /b/1 @1 sub=/b");
  });

  it("begins anew for who is shown another part of its URL by now [R-SEC-7]", async () => {
    let scope = "one";
    const around =
      (origin: Origin): Origin =>
      async (request) => {
        const answer = await origin(request);
        return answer.view ? { ...answer, view: { ...answer.view, scope } } : answer;
      };
    const world = createWorld({ refreshMs: 1_000, around });
    const anna = await world.opened("/a", [token("anna")]);
    const states = (): number => anna.messages.filter(({ status }) => status === 200).length;
    await world.clock.advance(5_000);
    expect(states()).toBe(1);
    scope = "other";
    await world.clock.advance(1_000);
    await world.clock.settle();
    expect(states()).toBe(2);
  });

  it("is given to nobody whose right can't be confirmed: it ends with 503, to be resumed [R-SEC-7]", async () => {
    const { world, refusals } = guarded(10_000);
    const anna = await world.opened("/a", [token("anna")]);
    refusals.set("anna", 503);
    await world.clock.advance(9_000);
    expect(anna.closing).toBeUndefined();
    await world.clock.advance(2_500);
    expect(anna.closing?.code).toBe(4503);
  });

  it("survives an origin that fails for a moment", async () => {
    const { world, refusals } = guarded(10_000);
    const anna = await world.opened("/a", [token("anna")]);
    refusals.set("anna", 500);
    await world.clock.advance(8_500);
    refusals.clear();
    await world.clock.advance(60_000);
    expect(anna.closing).toBeUndefined();
  });

  it("is not asked for again by those who showed no credentials", async () => {
    const { world } = guarded();
    await world.opened("/a", [["User-Agent", "x"]]);
    const before = world.asked.length;
    await world.clock.advance(10_000);
    expect(world.asked.length).toBe(before);
  });

  it("is asked for once per refresh time by each viewer, however many follow as it", async () => {
    const { world } = guarded();
    for (let at = 0; at < 20; at += 1) await world.opened("/a", [token("anna")]);
    const before = world.asked.length;
    await world.clock.advance(10_000);
    const heads = world.asked.slice(before);
    expect(heads.every(({ method }) => method === "HEAD")).toBe(true);
    expect(heads.length).toBeGreaterThanOrEqual(10);
    expect(heads.length).toBeLessThanOrEqual(15);
  });

  it("of a record that was destroyed ends with its 204, and not with a refusal [R-SUB-9]", async () => {
    const world = createWorld({ refreshMs: 100 });
    world.put("a", 1);
    const anna = await world.opened("/a/1", [token("anna")]);
    world.remove("a", 1);
    await world.clock.advance(200);
    expect(briefs(anna).at(-1)).toBe("204 /a/1 @2");
    expect(anna.closing?.code).toBe(1000);
  });
});

describe("forViewers", () => {
  function redacted() {
    const names = new Map([
      ["anna", true],
      ["ben", false],
    ]);
    return createWorld({
      refreshMs: 1_000,
      derived: {},
      around: (origin) =>
        forViewers(origin, async (request, next): Promise<OriginResponse> => {
          const name = fieldValue(request.fields, "authorization")?.replace("Bearer ", "") ?? "";
          const isTrusted = names.get(name);
          if (isTrusted === undefined) return problemResponse(createProblem(401, "Who are you?"));
          const answer = await next(request);
          return isTrusted
            ? answer
            : { ...answer, body: String(answer.body).replace(/"salary":\d+/g, '"salary":null') };
        }),
    });
  }

  it("lets each viewer follow what its own GET returns, and nothing of the journal [R-DER-1]", async () => {
    const world = redacted();
    world.put("a", 1, { salary: 100 });
    const [anna, ben, nobody] = [
      await world.opened("/a", [token("anna")]),
      await world.opened("/a", [token("ben")]),
      await world.opened("/a"),
    ];
    world.put("a", 1, { salary: 200 });
    world.put("a", 2, { salary: 300 });
    await world.clock.advance(200);
    const texts = [anna, ben].map((peer) => JSON.stringify(peer.messages.map(({ body }) => String(body))));
    expect(texts[0]).toContain("200");
    expect(texts[0]).toContain("300");
    expect(texts[1]).not.toMatch(/[123]00/);
    expect(texts[1]).toContain("null");
    expect(nobody.closing?.code).toBe(4401);
    for (const { fields } of [...anna.messages, ...ben.messages]) {
      expect(fieldValue(fields, "event-id") ?? "d-").toMatch(/^d-/);
      expect(fieldValue(fields, "item-order")).toBeUndefined();
    }
  });

  it("asks without conditions, so that a validator of the origin hides no change of who sees what [R-DER-1]", async () => {
    let isTrusted = true;
    const conditions: Field[] = [];
    const world = createWorld({
      refreshMs: 1_000,
      derived: {},
      around: (origin) =>
        forViewers(origin, async (request, next) => {
          conditions.push(...request.fields.filter(([name]) => /^if-/i.test(name)));
          const answer = await next(request);
          return isTrusted
            ? answer
            : { ...answer, body: String(answer.body).replace(/"salary":\d+/g, '"salary":null') };
        }),
    });
    world.put("a", 1, { salary: 100 });
    const anna = await world.opened("/a", [token("anna")]);
    isTrusted = false;
    await world.clock.advance(2_000);
    expect(anna.messages.some(({ body }) => String(body).includes('"salary":null'))).toBe(true);
    expect(conditions).toEqual([]);
    const last = anna.messages.findLast(({ body }) => String(body).includes('"salary":null'));
    expect(fieldValue(last?.fields ?? [], "etag")).toBeUndefined();
    expect(fieldValue(anna.messages[0]?.fields ?? [], "etag")).toBeDefined();
  });

  it("says who may keep an answer, and what is wrong with one that is none", async () => {
    const world = createWorld({ derived: {} });
    const origin = forViewers(world.store.origin, async (request, next) => {
      if (request.target === "/b") return undefined as never;
      return request.target === "/a/1"
        ? { ...(await next(request)), fields: [["Cache-Control", "public"]] }
        : next(request);
    });
    world.put("a", 1);
    const ask = (target: string) => origin({ method: "GET", target, fields: [], body: "" });
    expect(fieldValue((await ask("/a")).fields, "cache-control")).toBe("private");
    expect(fieldValue((await ask("/a/1")).fields, "cache-control")).toBe("public");
    await expect(ask("/b")).rejects.toThrow("forViewers: the answer to GET /b must have status, fields and body.");
  });
});
