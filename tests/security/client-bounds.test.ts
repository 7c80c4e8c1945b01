import { describe, expect, it } from "vitest";
import { ClientBounds, networkOf } from "../../src/node/client-bounds.ts";
import { clientAddress } from "../../src/proxy/client-address.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { guardedDoors } from "./guarded-doors.ts";

const anna = { Cookie: "sid=anna" };

/** Whoever asks so is not given the application's own streams. */
const wish = { Accept: "text/event-stream, application/json;q=0.5" };
const poll = { Accept: "*/*", Prefer: "wait=20", "If-None-Match": '"any"' };

describe.each(guardedDoors)("A client at $name", ({ open }) => {
  it("has no more connections with the same credentials than the limit says, and others have theirs [R-SEC-14]", async () => {
    const door = await open({ limits: { maxConnectionsPerCredential: 1 } });
    expect(await door.socket("/a", anna)).toMatchObject({ status: 200 });
    expect(await door.socket("/a", anna)).toBe(429);
    expect(await door.socket("/a", { Authorization: "Bearer ben" })).toMatchObject({ status: 200 });
  });

  it("has streams, patch streams and GETs that wait counted as connections [R-SEC-14] [R-STR-21]", async () => {
    const door = await open({ limits: { maxConnectionsPerCredential: 1 } });
    expect(await door.socket("/a", anna)).toMatchObject({ status: 200 });
    expect(await door.stream("/a", { ...anna, ...wish })).toBe(429);
    expect(await door.stream("/a", anna, "SUBSCRIBE")).toBe(429);
    expect(await door.stream("/a", { ...anna, ...poll })).toBe(429);
    const ben = { Authorization: "Bearer ben" };
    expect(await door.stream("/a", { ...ben, ...wish })).toBe(200);
    expect(await door.stream("/a", { Authorization: "Bearer cid" }, "SUBSCRIBE")).toBe(200);
    expect(await door.stream("/a", { Authorization: "Bearer dan", ...poll })).toBe(200);
  });

  it("gets a stream of Rocket's by a ticket, once [R-SEC-13]", async () => {
    const door = await open();
    const path = `/a?rocket-ticket=${await door.ticket("/a")}`;
    expect(await door.stream(path, wish)).toBe(200);
    expect(await door.stream(path, wish)).toBe(401);
    expect(await door.stream(`/a?rocket-ticket=${await door.ticket("/a")}`, poll)).toBe(401);
    expect(await door.stream(`/a?rocket-ticket=${await door.ticket("/a")}`, {}, "SUBSCRIBE")).toBe(401);
  });

  it("has as many as it likes of an address of the same house, as a front has [R-SEC-14]", async () => {
    const door = await open({ limits: { maxConnectionsPerAddress: 1, maxHandshakesPerMinute: 1 } });
    for (let nth = 0; nth < 3; nth += 1) expect(await door.socket("/a", anna)).toMatchObject({ status: 200 });
  });

  it("that asks by a ticket is counted by the credentials that this stands for [R-SEC-13] [R-SEC-14]", async () => {
    const door = await open({ limits: { maxConnectionsPerCredential: 1 } });
    expect(await door.socket("/a", anna)).toMatchObject({ status: 200 });
    expect(await door.socket(`/a?rocket-ticket=${await door.ticket("/a")}`)).toBe(429);
  });
});

describe("The proxy", () => {
  const [, , proxy] = guardedDoors;
  const from = (address: string) => ({ ...anna, "X-Forwarded-For": `192.0.2.99, ${address}` });

  it("counts the address that a trusted front has said last [R-SEC-14]", async () => {
    const door = await proxy?.open({ limits: { maxConnectionsPerAddress: 1 }, trustForwarded: true });
    expect(await door?.socket("/a", from("192.0.2.1"))).toMatchObject({ status: 200 });
    expect(await door?.socket("/a", from("192.0.2.1"))).toBe(429);
    expect(await door?.socket("/a", from("192.0.2.2"))).toMatchObject({ status: 200 });
    expect(await door?.socket("/a", from("2001:db8::1"))).toMatchObject({ status: 200 });
    expect(await door?.socket("/a", from("2001:db8::2"))).toBe(429);
  });

  it("counts handshakes of an address in a minute, refused ones included [R-SEC-14]", async () => {
    const door = await proxy?.open({ limits: { maxHandshakesPerMinute: 2 }, trustForwarded: true });
    const headers = { "X-Forwarded-For": "192.0.2.1" };
    for (const expected of [401, 401, 429]) expect(await door?.socket("/a", headers, [])).toBe(expected);
    expect(await door?.socket("/a", { "X-Forwarded-For": "192.0.2.2" }, [])).toBe(401);
  });

  it.each([
    [{ "x-forwarded-for": "192.0.2.1, 192.0.2.2" }, "192.0.2.2"],
    [{ "x-forwarded-for": "192.0.2.2:8080" }, "192.0.2.2"],
    [{ "x-forwarded-for": "[2001:db8::1]:8080" }, "2001:db8::1"],
    [{ forwarded: 'for=192.0.2.1, for="[2001:db8::1]:80";proto=https' }, "2001:db8::1"],
    [{ forwarded: "proto=https;for=192.0.2.7" }, "192.0.2.7"],
    [{ "x-forwarded-for": "" }, undefined],
    [{}, undefined],
  ])("reads who is behind a front from %j", (headers, expected) => {
    const request = { headers, socket: { remoteAddress: "10.0.0.1" } } as never;
    expect(clientAddress(request, true)).toEqual(
      expected === undefined ? { address: "10.0.0.1", isTold: false } : { address: expected, isTold: true },
    );
    expect(clientAddress(request, false)).toEqual({ address: "10.0.0.1", isTold: false });
  });
});

describe("Bounds of clients", () => {
  const limits = { maxConnectionsPerAddress: 2, maxConnectionsPerCredential: 0, maxHandshakesPerMinute: 3 } as never;
  const at = (address: string, isTold = false) => ({ address, isTold });

  it("give a place back once a connection is gone, and not twice [R-SEC-14]", async () => {
    const clock = createFakeClock(1);
    const bounds = new ClientBounds(limits, clock);
    const leave = bounds.enter(at("192.0.2.1"), []);
    bounds.enter(at("::ffff:192.0.2.1"), []);
    expect(bounds.enter(at("192.0.2.1"), [])).toMatchObject({ status: 429 });
    await clock.advance(60_000);
    if (typeof leave === "function") [leave, leave].map((call) => call());
    expect(bounds.enter(at("192.0.2.1"), [])).toBeTypeOf("function");
    const refusal = bounds.enter(at("192.0.2.1"), []);
    expect(refusal).toMatchObject({ status: 429 });
    expect(JSON.stringify(refusal)).toContain("Retry-After");
  });

  it.each([
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "fd00::1",
    "fe80::1%eth0",
    "::ffff:10.0.0.1",
  ])("don't count %s, unless a front has said it [R-SEC-14]", (address) => {
    const bounds = new ClientBounds(limits, createFakeClock(1));
    for (let nth = 0; nth < 9; nth += 1) expect(bounds.enter(at(address), [])).toBeTypeOf("function");
    for (let nth = 0; nth < 2; nth += 1) bounds.enter(at(address, true), []);
    expect(bounds.enter(at(address, true), [])).toMatchObject({ status: 429 });
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:1::5", "2001:db8:0:1::/64"],
    ["2001:db8:0:1:ffff:0:0:1", "2001:db8:0:1::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["999.0.2.1", undefined],
    ["unknown", undefined],
    ["", undefined],
  ])("take %s for %s", (address, expected) => {
    expect(networkOf(address)).toBe(expected);
  });
});
