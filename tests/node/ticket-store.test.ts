import { describe, expect, it } from "vitest";
import { withoutTicket } from "../../src/node/tickets/ticket-parameter.ts";
import { TicketStore } from "../../src/node/tickets/ticket-store.ts";
import { createFakeClock } from "../../src/testing/index.ts";

const use = { host: "example.com", target: "/a", page: "" };
const cookie = (value: string) => [["Cookie", value]] as const;

describe("The store of tickets", () => {
  it("takes a ticket for 30 s, and keeps no credentials for much longer [R-SEC-13]", async () => {
    const clock = createFakeClock(1);
    const store = new TicketStore(clock);
    const early = String(store.mint(use, cookie("a")));
    const late = String(store.mint(use, cookie("a")));
    await clock.advance(29_999);
    expect(store.redeem(early, use)).toEqual(cookie("a"));
    await clock.advance(1);
    expect(store.redeem(late, use)).toBeUndefined();
    store.mint(use, cookie("b"));
    await clock.advance(61_000);
    expect([store.size, clock.timers]).toEqual([0, 0]);
  });

  it("has room for 100 of the same credentials, and for 4 MiB in all [R-SEC-12]", async () => {
    const clock = createFakeClock(1);
    const store = new TicketStore(clock);
    const minted = Array.from({ length: 101 }, () => store.mint(use, cookie("a")));
    expect(minted.filter((ticket) => ticket === 429).length).toBe(1);
    store.redeem(String(minted[0]), use);
    expect(store.mint(use, cookie("a"))).toHaveLength(43);
    const large = "x".repeat(16_000);
    let count = 0;
    while (store.mint(use, cookie(`${large}${count}`)) !== 503) count += 1;
    expect(count).toBeLessThan(140);
    await clock.advance(30_000);
    expect(store.mint(use, cookie("b"))).toHaveLength(43);
  });

  it("leaves room for others where one address asks for very many with ever other credentials [R-SEC-12]", async () => {
    const clock = createFakeClock(1);
    const store = new TicketStore(clock);
    const large = "x".repeat(16_000);
    let count = 0;
    while (store.mint(use, cookie(`${large}${count}`), "192.0.2.1") !== 429) count += 1;
    expect(count).toBeLessThan(40);
    expect(store.mint(use, cookie("b"), "192.0.2.2")).toHaveLength(43);
    await clock.advance(61_000);
    expect(store.mint(use, cookie(large), "192.0.2.1")).toHaveLength(43);
  });

  it("takes it at its own host only", () => {
    const store = new TicketStore(createFakeClock(1));
    const ticket = String(store.mint(use, cookie("a")));
    expect(store.redeem(ticket, { ...use, host: "example.org" })).toBeUndefined();
  });
});

describe("A target", () => {
  const ticket = "t".repeat(43);
  it.each([
    [`/a?rocket-ticket=${ticket}`, { target: "/a", ticket }],
    [`/a?x=%2f&rocket-ticket=${ticket}&y`, { target: "/a?x=%2f&y", ticket }],
    ["/a?rocket-ticket", { target: "/a", ticket: "" }],
    ["/a?my-rocket-ticket=1", undefined],
    ["/rocket-ticket=1?x", undefined],
    ["/a?rocket-ticket2=1", undefined],
  ])("%s is taken apart, and else left as it is [R-SEC-13]", (url, expected) => {
    expect(withoutTicket(url)).toEqual(expected);
  });
});
