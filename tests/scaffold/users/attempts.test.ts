import { describe, expect, test } from "vitest";
import { Attempts } from "../../../src/scaffold/users/attempts.ts";
import { clientNetwork } from "../../../src/scaffold/users/client-address.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

describe("Attempts", () => {
  test("of names without number take no more memory than so many do", () => {
    const attempts = new Attempts({ most: 1, refillMs: 1_000 }, createFakeClock(1));

    for (let at = 0; at < 30_000; at += 1) attempts.take(`name ${at}`);

    expect(attempts.size).toBe(10_000);
    expect(() => attempts.take("name 29999")).toThrow("too many attempts");
  });

  test("that are taken back do not count", () => {
    const attempts = new Attempts({ most: 1, refillMs: 1_000 }, createFakeClock(1));

    for (let at = 0; at < 5; at += 1) attempts.take("name")();

    attempts.take("name");
    expect(() => attempts.take("name")).toThrow("too many attempts");
  });

  test("that are taken back do not count, however many were under way at once", () => {
    const attempts = new Attempts({ most: 3, refillMs: 1_000 }, createFakeClock(1));

    const underWay = [attempts.take("name"), attempts.take("name"), attempts.take("name")];
    expect(() => attempts.take("name")).toThrow("too many attempts");
    for (const takeBack of underWay) takeBack();

    for (let at = 0; at < 3; at += 1) attempts.take("name");
    expect(() => attempts.take("name")).toThrow("too many attempts");
  });
});

describe("The network of a client", () => {
  test.each<[string, string | undefined, string | undefined]>([
    ["203.0.113.7", undefined, "203.0.113.7"],
    ["203.0.113.7", "192.0.2.1", "203.0.113.7"],
    ["::ffff:203.0.113.7", undefined, "203.0.113.7"],
    ["2001:DB8::1", undefined, "2001:db8:0:0"],
    ["2001:db8:1:2:3:4:5:6", undefined, "2001:db8:1:2"],
    ["127.0.0.1", undefined, undefined],
    ["::1", undefined, undefined],
    ["::ffff:10.1.2.3", undefined, undefined],
    ["fe80::1%eth0", undefined, undefined],
    ["10.1.2.3", "192.0.2.9, 203.0.113.7", "203.0.113.7"],
    ["10.1.2.3", "nonsense", undefined],
    ["nonsense", "203.0.113.7", undefined],
  ])("at %s, through %s, is %s", (remoteAddress, forwarded, network) => {
    const fields = forwarded === undefined ? [] : [["X-Forwarded-For", forwarded] as const];

    expect(clientNetwork({ peer: { remoteAddress }, fields })).toBe(network);
  });

  test("is what the front itself has added behind what it was sent", () => {
    const fields = ["192.0.2.1", "203.0.113.7"].map((address) => ["X-Forwarded-For", address] as const);

    expect(clientNetwork({ peer: { remoteAddress: "10.0.0.1" }, fields })).toBe("203.0.113.7");
  });
});
