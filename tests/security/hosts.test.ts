import dns from "node:dns";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Wire } from "../proxy/setting.ts";
import { type Door, type DoorOptions, doors, handshake, other, rocket, valuesOf } from "./doors.ts";

/** The status of a request that is sent as it stands; a `GET /a` unless told otherwise. */
async function statusOf({ port }: Door, hosts: readonly string[], fields: readonly string[], target = "/a") {
  const isUpgrade = fields.includes("Upgrade: websocket");
  const lines = [`GET ${target} HTTP/1.1`, ...hosts, ...fields, ...(isUpgrade ? [] : ["Connection: close"])];
  const wire = new Wire(port).send(...lines, "", "");
  const answer = await wire.until(/^HTTP\/1\.1 \d{3}/);
  wire.socket.destroy();
  return Number(answer.slice(9, 12));
}

interface HostCase {
  readonly title: string;
  readonly hosts: readonly string[];
  readonly target?: string;
  /** What plain requests and handshakes get; `undefined` where they are let in. */
  readonly refused?: 400 | 421;
}

const one = (host: string, refused?: 400 | 421): HostCase => {
  const hosts = [`Host: ${host}`];
  return refused === undefined ? { title: host, hosts } : { title: host, hosts, refused };
};

const ownNames = [
  "localhost",
  "LOCALHOST.",
  "LocalHost.:8080",
  "127.0.0.1",
  "127.9.8.7.:1",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000::0001]:80",
  "[::ffff:127.0.0.1]",
  "[::FFFF:7f00:1]:1",
  "app.localhost",
  "App.LOCALHOST.",
].map((host) => one(host));

const foreignNames = [
  "evil.example",
  "evil.example.:8080",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "xlocalhost",
  "localhost.localdomain",
  "0.0.0.0",
  "[::]",
  "[::2]",
  "[::ffff:10.0.0.1]",
  "128.0.0.1",
  "2130706433",
].map((host) => one(host, 421));

const noNames = [
  "localhost..",
  ".localhost",
  ".",
  "localhost, evil.example",
  "localhost,localhost",
  "me@localhost",
  "localhost@evil.example",
  "$(reboot)",
  "localhost;x",
  "%6cocalhost",
  "localhost:8a",
  "localhost:80:80",
  "http://localhost",
  "localhost/a",
  "local host",
  "[::1",
  "::1",
  "[::1]x",
  "[1::2::3]",
  "[fe80::1%25lo]",
  "localhost\\",
  "'localhost'",
].map((host) => one(host, 400));

const severalHosts: readonly HostCase[] = [
  ["Host: localhost", "Host: evil.example"],
  ["Host: evil.example", "Host: localhost"],
  ["Host: localhost", "Host: localhost"],
  ["Host: localhost", "hOST: localhost"],
  ["Host: localhost", "X-Between: 1", "HOST:"],
  ["Host: localhost", "Host: localhost", "Host: localhost"],
].map((hosts) => ({ title: hosts.join(" + "), hosts, refused: 400 }));

const absolute = (target: string, host: string, refused?: 400 | 421): HostCase => {
  const found = { title: `${target} + ${host}`, hosts: [`Host: ${host}`], target };
  return refused === undefined ? found : { ...found, refused };
};

const absoluteForms: readonly HostCase[] = [
  absolute("http://localhost/a", "localhost"),
  absolute("HTTP://LOCALHOST.:80/a", "evil.example"),
  absolute("https://[0:0:0:0:0:0:0:1]/a", "evil.example"),
  absolute("http://evil.example/a", "localhost", 421),
  absolute("http://localhost.evil.example/a", "localhost", 421),
  absolute("http://localhost@evil.example/a", "localhost", 400),
  absolute("http://evil.example@localhost/a", "localhost", 400),
  absolute("http:///a", "localhost", 400),
  absolute("http://:80/a", "localhost", 400),
  absolute("http://localhost/a#b", "localhost", 400),
  absolute("ftp://localhost/a", "localhost", 400),
  absolute("ws://localhost/a", "localhost", 400),
  absolute("http://$(reboot)/a", "localhost", 400),
  absolute("*", "localhost", 400),
  absolute("http://localhost/a", "$(reboot)", 400),
  {
    title: "absolute + two",
    hosts: ["Host: localhost", "Host: localhost"],
    target: "http://localhost/a",
    refused: 400,
  },
  { title: "absolute + none", hosts: [], target: "http://localhost/a", refused: 400 },
];

const cases = [
  ...[...ownNames, ...foreignNames, ...noNames, ...severalHosts, ...absoluteForms],
  { title: "none", hosts: [], refused: 400 } as const,
];

describe.each(doors)("$name on a loopback address", ({ name, open }) => {
  it.each(cases)("takes a handshake or refuses it by its host: $title [R-SEC-2] [R-SEC-9]", async (sample) => {
    const door = await open();
    const { hosts, refused, target } = sample;
    expect(await statusOf(door, hosts, rocket, target)).toBe(refused ?? 101);
    if (refused) expect(door.asked).toEqual([]);
    if (name !== "proxy") return;
    // What is the upstream's own passes the same check.
    expect(await statusOf(door, hosts, other, target)).toBe(refused ?? 101);
    const level0 = await statusOf(door, hosts, handshake, target);
    expect(level0).toBe(refused ?? 101);
    if (refused) expect(door.asked).toEqual([]);
  });

  // Which hosts an application answers plain requests for is its own matter: but for what no server may answer.
  const plain = name === "attach" ? severalHosts : cases;
  it.each(plain)("takes a plain request or refuses it by its host: $title [R-SEC-2] [R-SEC-9]", async (sample) => {
    const door = await open();
    const { hosts, refused, target } = sample;
    expect(await statusOf(door, hosts, [], target)).toBe(refused ?? 200);
    if (refused) expect(door.asked).toEqual([]);
  });

  it("refuses a second Host where another protocol is offered, too [R-SEC-9]", async () => {
    const hosts = ["Host: localhost", "Host: evil.example"];
    const offers = [
      ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
      ["Connection: Upgrade", "Upgrade: tcp"],
      other,
    ];
    for (const hasOthers of [false, true]) {
      const door = await open({ hasOthers });
      for (const offer of offers) expect(await statusOf(door, hosts, offer)).toBe(400);
      expect(door.asked).toEqual([]);
    }
  });

  it("hands the host of an absolute target on, and its path [R-SEC-9]", async () => {
    const door = await open();
    const sent = [`Host: evil.example`];
    await statusOf(door, sent, rocket, "http://localhost:81/a?b=c");
    await expect.poll(() => door.asked.length).toBeGreaterThan(0);
    if (name !== "attach") await statusOf(door, sent, [], "http://localhost:81/a?b=c");
    expect(door.asked.length).toBeGreaterThan(0);
    for (const asked of door.asked) expect(asked.target).toMatch(/^\/a\?b=c$/);
    for (const asked of door.asked) expect(valuesOf(asked, "host")).toEqual(["localhost:81"]);
    await statusOf(door, sent, rocket, "http://localhost?b");
    await expect.poll(() => door.asked.at(-1)?.target).toBe("/?b");
  });

  it("answers for the names that it was told of, too, however they are spelt [R-SEC-2]", async () => {
    const door = await open({ allowHosts: ["Music.Example.", "[2001:DB8:0::1]", "bücher.example"] });
    for (const host of [
      "music.example",
      "MUSIC.example.:8080",
      "[2001:db8::1]",
      "xn--bcher-kva.example",
      "localhost",
    ]) {
      expect([host, await statusOf(door, [`Host: ${host}`], rocket)]).toEqual([host, 101]);
    }
    expect(await statusOf(door, ["Host: other.example"], rocket)).toBe(421);
  });

  it("answers elsewhere for every name, unless it has a list: then that is the list [R-SEC-2]", async () => {
    const address = "0.0.0.0";
    const free = await open({ address });
    expect(await statusOf(free, ["Host: music.example"], rocket)).toBe(101);
    expect(await statusOf(free, ["Host: music.example", "Host: music.example"], rocket)).toBe(400);
    const bound = await open({ address, allowHosts: ["music.example"] });
    expect(await statusOf(bound, ["Host: music.example"], rocket)).toBe(101);
    expect(await statusOf(bound, ["Host: localhost"], rocket)).toBe(421);
  });
});

describe.each(doors)("$name on a name that stands for a loopback address", ({ open }) => {
  it("answers for loopback names only, too [R-SEC-2]", async () => {
    const name = "my-machine.example";
    const real = dns.lookup;
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((host: string, ...more: never[]) => {
      return Reflect.apply(real, dns, [host === name ? "127.0.0.1" : host, ...more]);
    }) as typeof dns.lookup);
    onTestFinished(() => lookup.mockRestore());
    const door = await open({ address: name });
    expect(lookup).toHaveBeenCalled();
    expect(await statusOf(door, ["Host: evil.example"], rocket)).toBe(421);
    expect(await statusOf(door, ["Host: localhost"], rocket)).toBe(101);
  });
});

describe.each(doors)("what $name tells of a refusal", ({ name, open }) => {
  async function toldOf(options: DoorOptions, ...fields: readonly string[]): Promise<readonly string[]> {
    const door = await open(options);
    await statusOf(door, fields, rocket);
    return door.told;
  }

  it.each([
    "$(reboot)",
    "`reboot`",
    "a;reboot",
    "a|reboot",
    "a&reboot",
    "-x",
    "a'b",
    'a"b',
    "\x1b[2J",
    "\x9b2J",
    "{a,b}",
  ])("has nothing that a peer may choose beside names: %j", async (text) => {
    const asHost = await toldOf({}, `Host: ${text}`);
    const asOrigin = await toldOf({}, "Host: localhost", `Origin: https://${text}`);
    const withPath = await toldOf({}, "Host: localhost", `Origin: https://evil.example/${text}`);
    for (const line of [...asHost, ...asOrigin, ...withPath]) {
      expect(line).not.toContain(text);
      expect(line).not.toMatch(/--allow|allowHosts|allowOrigins/);
      expect(line).toMatch(/^[\x20-\x7e]*$/);
    }
    // Control characters are garbage to the parser.
    expect(asOrigin.length).toBe(text.startsWith("\x1b") ? 0 : 1);
  });

  it("names the host or the origin, and the option that lets it in", async () => {
    const host = await toldOf({}, "Host: Music.Example:8080");
    const origin = await toldOf({}, "Host: localhost", "Origin: https://app.example:8443");
    const address = await toldOf({}, "Host: [2001:db8:0::1]:80");
    if (name === "attach") {
      expect(host).toEqual([expect.stringContaining('attach(server, { allowHosts: ["music.example"] })')]);
      expect(origin).toEqual([expect.stringContaining('{ allowOrigins: ["https://app.example:8443"] })')]);
      expect(address).toEqual([expect.stringContaining('{ allowHosts: ["[2001:db8::1]"] })')]);
    } else {
      expect(host).toEqual([expect.stringMatching(/ --allow-host music\.example$/)]);
      expect(origin).toEqual([expect.stringMatching(/ --allow-origin https:\/\/app\.example:8443$/)]);
      expect(address).toEqual([expect.stringMatching(/ --allow-host '\[2001:db8::1\]'$/)]);
    }
  });
});
