import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { ann, from, serveUsers } from "./users.ts";

const far = "203.0.113.7";

/** The platform's clock, which can be put forward. */
function skippingClock() {
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + skippedMs };
  const skip = (ms: number): void => {
    skippedMs += ms;
  };
  return { clock, skip };
}

/** A service, and what tries passwords there. */
async function start(options = {}) {
  const service = await serveUsers(options);
  await service.signUp();
  const { origin } = service.scaffold;
  const attempt = async (address: string, credentials: object, fields: readonly (readonly [string, string])[] = []) => {
    const answer = await origin(from(address, { body: JSON.stringify(credentials), fields }));
    const [, retryAfter] = answer.fields.find(([name]) => name === "Retry-After") ?? [];
    return { status: answer.status, retryAfter };
  };
  const many = async (count: number, run: (at: number) => Promise<{ readonly status: number }>) => {
    const statuses: number[] = [];
    for (let at = 0; at < count; at += 1) statuses.push((await run(at)).status);
    return statuses;
  };
  return { ...service, attempt, many };
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe("Guessing the password of an account", () => {
  test("ends after ten attempts, from wherever they come, and whether there is such an account", async () => {
    const { attempt, many } = await start();
    for (const email of [ann.email, "nobody@example.com"]) {
      const guess = (at: number) => attempt(`198.51.100.${at}`, { email, password: `guess number ${at}` });

      expect(await many(12, guess)).toEqual([...times(10, 401), 429, 429]);
      const { status, retryAfter } = await attempt("198.51.100.99", { ...ann, email: ` ${email.toUpperCase()}` });
      expect([status, Number(retryAfter)]).toEqual([429, expect.toSatisfy((s: number) => s > 60 && s <= 90)]);
    }
  });

  test("goes on with one each ninety seconds", async () => {
    const { clock, skip } = skippingClock();
    const { attempt, many } = await start({ clock });
    const wrong = { ...ann, password: "wrong horse" };
    await many(10, () => attempt(far, wrong));
    skip(91_000);

    expect((await attempt(far, ann)).status).toBe(200);
    expect((await attempt(far, wrong)).status).toBe(401);
    expect((await attempt(far, wrong)).status).toBe(429);
  });

  test("does not count who knows it", async () => {
    const { attempt, many } = await start();

    expect(await many(40, () => attempt(far, ann))).toEqual(times(40, 200));
  });
});

describe("Guessing from one address", () => {
  const guess = (at: number): object => ({ email: `${at}@example.com`, password: "password 1" });

  test("ends after thirty attempts, whomever they are for; others go on", async () => {
    const { attempt, many } = await start();

    expect(await many(31, (at) => attempt(far, guess(at)))).toEqual([...times(30, 401), 429]);
    expect((await attempt(far, ann)).status).toBe(429);
    expect((await attempt("203.0.113.8", ann)).status).toBe(200);
  });

  test("is told by the front in the same house, which whoever comes from elsewhere can't be", async () => {
    const { attempt, many } = await start();
    const through = (client: string) => [["X-Forwarded-For", client]] as const;

    expect(await many(31, (at) => attempt("10.0.0.1", guess(at), through(`192.0.2.${at}, ${far}`)))).toEqual([
      ...times(30, 401),
      429,
    ]);
    expect((await attempt("10.0.0.1", ann, through("192.0.2.1"))).status).toBe(200);
    expect((await attempt(far, ann, through("192.0.2.1"))).status).toBe(429);
  });

  test("counts all of an IPv6 network as one", async () => {
    const { attempt, many } = await start();

    const statuses = await many(31, (at) => attempt(`2001:db8:1:2:${at}::${at}`, guess(at)));

    expect(statuses.at(-1)).toBe(429);
    expect((await attempt("2001:db8:1:3::1", ann)).status).toBe(200);
  });

  test("makes ten accounts at most at once", async () => {
    const { scaffold, many } = await start();
    const make = (at: number) =>
      scaffold.origin(
        from(far, {
          target: "/auth/sign-up",
          body: JSON.stringify({ email: `${at}@example.com`, password: "password 1" }),
        }),
      );

    expect(await many(11, make)).toEqual([...times(10, 201), 429]);
  });
});
